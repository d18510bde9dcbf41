import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConvolutionShape, Matrix, convolutionOutput, dot, fold, unfold } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, random, refuses, withEntry } from '../close.js';

/** From sizes in the order of ConvolutionShape. */
function shapeOf(...[height, width, channels, kernelHeight, kernelWidth, stride, padding]: readonly number[]): ConvolutionShape {
  return { height, width, channels, kernelHeight, kernelWidth, stride, padding };
}

const SHAPES = [
  [2, shapeOf(5, 6, 3, 3, 2, 1, 0)],
  [2, shapeOf(5, 6, 3, 3, 2, 2, 1)],
  [3, shapeOf(4, 7, 1, 3, 3, 3, 2)],
  [1, shapeOf(1, 1, 1, 1, 1, 1, 0)],
  [1, shapeOf(2, 3, 4, 5, 6, 1, 3)], // a kernel larger than the image
  [2, shapeOf(2, 2, 1, 1, 1, 1, 2)], // windows all in the padding
  [2, shapeOf(6, 6, 17, 2, 2, 4, 0)], // pixels that no window sees
  [0, shapeOf(3, 3, 2, 2, 2, 1, 1)],
] as const;

const entriesOf = (s: ConvolutionShape): number => s.height * s.width * s.channels;
const patchLength = (s: ConvolutionShape): number => s.kernelHeight * s.kernelWidth * s.channels;
function patchCount(s: ConvolutionShape): number {
  const { height, width } = convolutionOutput(s);
  return height * width;
}

/** Calls visit(row and column of the patches, image, place in it) for each number of a patch that lies in an image. */
function eachCopy(n: number, s: ConvolutionShape, visit: (row: number, col: number, image: number, at: number) => void): void {
  const output = convolutionOutput(s);
  for (let i = 0; i < n; i++)
    for (let oy = 0; oy < output.height; oy++)
      for (let ox = 0; ox < output.width; ox++)
        for (let ky = 0; ky < s.kernelHeight; ky++)
          for (let kx = 0; kx < s.kernelWidth; kx++)
            for (let ch = 0; ch < s.channels; ch++) {
              const [y, x] = [oy * s.stride + ky - s.padding, ox * s.stride + kx - s.padding];
              if (y < 0 || y >= s.height || x < 0 || x >= s.width) continue;
              const row = (i * output.height + oy) * output.width + ox;
              visit(row, (ky * s.kernelWidth + kx) * s.channels + ch, i, (y * s.width + x) * s.channels + ch);
            }
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  const filled = (m: number, n: number): Matrix => {
    const out = Matrix.zeros(m, n, dtype);
    out.data.fill(NaN); // whatever was there
    return place(out);
  };

  it.each(SHAPES)('unfold copies %i images of %o into patches', (n, s) => {
    const images = place(random(n, entriesOf(s), dtype));
    const out = filled(n * patchCount(s), patchLength(s));
    const expected = Matrix.zeros(out.rows, out.cols);
    eachCopy(n, s, (row, col, image, at) => {
      expected.data[row * out.cols + col] = images.get(image, at);
    });
    expect(unfold(images, s, out)).toBe(out);
    expectClose(out, expected, 0);
  });

  it.each(SHAPES)('fold sums the patches of %i images of %o', (n, s) => {
    const patches = place(random(n * patchCount(s), patchLength(s), dtype));
    const out = filled(n, entriesOf(s));
    const expected = Matrix.zeros(out.rows, out.cols);
    eachCopy(n, s, (row, col, image, at) => {
      expected.data[image * out.cols + at] += patches.get(row, col);
    });
    expect(fold(patches, s, out)).toBe(out);
    expectClose(out, expected, 8 * epsilon);
  });

  it('a NaN goes where its copies go', () => {
    const s = shapeOf(3, 3, 2, 2, 2, 1, 0);
    const out = unfold(place(withEntry(random(2, 18, dtype), 1, 0, NaN)), s, filled(8, 8)); // a corner: one window sees it
    expect(Array.from(out.data, Number.isNaN).flatMap((nan, i) => (nan ? [i] : []))).toEqual([4 * 8]);
    const folded = fold(place(withEntry(random(8, 8, dtype), 7, 7, NaN)), s, filled(2, 18));
    expect(Array.from(folded.data, Number.isNaN).flatMap((nan, i) => (nan ? [i] : []))).toEqual([35]);
  });
});

it('unfold orders a patch by row, column and channel of the kernel', () => {
  const s = shapeOf(2, 3, 2, 2, 2, 1, 0);
  const images = Matrix.from([Array.from({ length: 12 }, (_, i) => i)]);
  expect(unfold(images, s, Matrix.zeros(2, 8)).toRows()).toEqual([
    [0, 1, 2, 3, 6, 7, 8, 9],
    [2, 3, 4, 5, 8, 9, 10, 11],
  ]);
});

const anyShape = fc
  .tuple(
    ...[5, 5, 3].map((max) => fc.integer({ min: 1, max })),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 0, max: 2 }),
    fc.nat(),
    fc.nat(),
  )
  .map(([height, width, channels, stride, padding, kernelY, kernelX]) =>
    shapeOf(height, width, channels, 1 + (kernelY % (height + 2 * padding)), 1 + (kernelX % (width + 2 * padding)), stride, padding),
  );

it.each(DTYPES)('fold is the adjoint of unfold in $dtype', ({ dtype, epsilon }) => {
  fc.assert(
    fc.property(anyShape, fc.integer({ min: 0, max: 3 }), fc.nat(), (s, n, seed) => {
      const images = random(n, entriesOf(s), dtype, seed);
      const patches = random(n * patchCount(s), patchLength(s), dtype, seed + 1);
      const unfolded = unfold(images, s, patches.clone());
      const folded = fold(patches, s, images.clone());
      expectClose([dot(unfolded, patches)], [dot(images, folded)], 500 * epsilon);
    }),
    FIXED,
  );
});

it('a product with unfolded patches is a convolution', () => {
  const s = shapeOf(4, 4, 1, 3, 3, 1, 1);
  const impulse = Matrix.zeros(1, 16);
  impulse.data[5] = 1; // at (1, 1)
  const kernel = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const patches = unfold(impulse, s, Matrix.zeros(16, 9));
  const image = patches.toRows().map((row) => row.reduce((sum, x, k) => sum + x * kernel[k], 0));
  expect(image).toEqual([9, 8, 7, 0, 6, 5, 4, 0, 3, 2, 1, 0, 0, 0, 0, 0]); // correlation: the kernel comes out turned
});

it.each([
  [shapeOf(28, 28, 1, 5, 5, 1, 2), { height: 28, width: 28 }],
  [shapeOf(32, 30, 3, 3, 2, 2, 0), { height: 15, width: 15 }],
  [shapeOf(7, 7, 3, 2, 2, 3, 0), { height: 2, width: 2 }],
  [shapeOf(2 ** 31 - 1, 1, 1, 1, 1, 1, 0), { height: 2 ** 31 - 1, width: 1 }],
])('convolutionOutput of %o is %o', (s, expected) => {
  expect(convolutionOutput(s)).toEqual(expected);
});

const s = shapeOf(3, 3, 2, 2, 2, 1, 0);
refuses('convolutionOutput', [
  ...(['height', 'width', 'channels', 'kernelHeight', 'kernelWidth', 'stride'] as const).flatMap((field) =>
    [0, -1, 1.5, NaN, 2 ** 31, '3' as never].map(
      (value) =>
        [
          `${field} is ${typeof value === 'string' ? 'text' : value}`,
          () => convolutionOutput({ ...s, [field]: value }),
          new RegExp(`convolutionOutput: shape\\.${field} must be an integer in \\[1, 2\\^31\\), got ${value}`),
        ] as const,
    ),
  ),
  ['padding is -1', () => convolutionOutput({ ...s, padding: -1 }), /shape\.padding must be an integer in \[0, 2\^31\), got -1/],
  ['padding is missing', () => convolutionOutput({ ...s, padding: undefined as never }), /shape\.padding must be an integer/],
  [
    'the kernel is higher than the padded image',
    () => convolutionOutput({ ...s, kernelHeight: 6, padding: 1 }),
    /a kernel of 6 x 2 does not fit into an image of 3 x 3 padded by 1/,
  ],
  ['the kernel is wider', () => convolutionOutput({ ...s, kernelWidth: 4 }), /a kernel of 2 x 4 does not fit into an image of 3 x 3/],
]);

const [images, patches] = [random(2, 18), Matrix.zeros(8, 8)];
const calls = [
  ['unfold', (shape: ConvolutionShape, i: Matrix, p: Matrix) => unfold(i, shape, p), 'images', 'out'],
  ['fold', (shape: ConvolutionShape, i: Matrix, p: Matrix) => fold(p, shape, i), 'out', 'patches'],
] as const;
describe.each(calls)('%s', (op, call, imagesName, patchesName) => {
  refuses(op, [
    ['the images have another size', () => call(s, random(2, 17), patches), new RegExp(`${op}: ${imagesName} must be 2 x 18, got 2 x 17`)],
    ['there are too few patches', () => call(s, images, Matrix.zeros(7, 8)), new RegExp(`${op}: ${patchesName} must be 8 x 8, got 7 x 8`)],
    ['the patches are short', () => call(s, images, Matrix.zeros(8, 7)), new RegExp(`${op}: ${patchesName} must be 8 x 8, got 8 x 7`)],
    ['dtypes differ', () => call(s, images, patches.clone('float32')), new RegExp(`${op}: operands have different dtypes`)],
    [
      'the kernel does not fit',
      () => call({ ...s, kernelHeight: 4 }, images, patches),
      new RegExp(`${op}: a kernel of 4 x 2 does not fit`),
    ],
    ['the stride is 0', () => call({ ...s, stride: 0 }, images, patches), new RegExp(`${op}: shape.stride must be an integer`)],
    ['the result shares memory', () => call(shapeOf(2, 2, 1, 1, 1, 1, 0), ...shared()), new RegExp(`${op}: out shares memory`)],
  ]);
});

/** One image of four entries, and its four patches of one, in the same memory. */
function shared(): [Matrix, Matrix] {
  const memory = new Float64Array(5);
  return [Matrix.wrap(memory.subarray(0, 4), 1, 4), Matrix.wrap(memory.subarray(1), 4, 1)];
}

it('unfold of no images of the largest size is immediate', () => {
  const most = shapeOf(2 ** 15, 2 ** 16 - 1, 1, 1, 1, 1, 0);
  expect(unfold(Matrix.zeros(0, 2 ** 15 * (2 ** 16 - 1)), most, Matrix.zeros(0, 1)).rows).toBe(0);
});

it('convolutionOutput counts the places where a window starts and fits', () => {
  fc.assert(
    fc.property(anyShape, (shape) => {
      const count = (length: number, kernel: number): number =>
        build(1, length + 2 * shape.padding, (_, at) =>
          at % shape.stride === 0 && at + kernel <= length + 2 * shape.padding ? 1 : 0,
        ).data.filter((x) => x === 1).length;
      expect(convolutionOutput(shape)).toEqual({
        height: count(shape.height, shape.kernelHeight),
        width: count(shape.width, shape.kernelWidth),
      });
    }),
    FIXED,
  );
});
