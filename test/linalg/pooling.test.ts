import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConvolutionShape,
  Matrix,
  averagePool,
  averagePoolBackward,
  convolutionOutput,
  dot,
  maxPool,
  maxPoolBackward,
} from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, expectClose, expectThrows, random, refuses, withEntry } from '../close.js';

/** From sizes in the order of ConvolutionShape; there is no padding. */
function shapeOf(...[height, width, channels, kernelHeight, kernelWidth, stride]: readonly number[]): ConvolutionShape {
  return { height, width, channels, kernelHeight, kernelWidth, stride, padding: 0 };
}

const SHAPES = [
  [2, shapeOf(4, 6, 3, 2, 2, 2)],
  [2, shapeOf(5, 7, 1, 3, 2, 1)], // windows overlap
  [1, shapeOf(1, 1, 1, 1, 1, 1)],
  [3, shapeOf(5, 5, 2, 2, 2, 2)], // a row and a column are left out
  [2, shapeOf(6, 6, 19, 1, 2, 4)], // and gaps between windows
  [1, shapeOf(3, 2, 16, 3, 2, 1)],
  [0, shapeOf(4, 4, 2, 2, 2, 2)],
] as const;

const entriesOf = (s: ConvolutionShape): number => s.height * s.width * s.channels;
function pooledLength(s: ConvolutionShape): number {
  const { height, width } = convolutionOutput(s);
  return height * width * s.channels;
}

/** For each entry of a pooled row, the places of its window in the image's row. */
function windowsOf(s: ConvolutionShape): number[][] {
  const { height, width } = convolutionOutput(s);
  return Array.from({ length: height * width * s.channels }, (_, k) => {
    const [ch, ox, oy] = [k % s.channels, Math.floor(k / s.channels) % width, Math.floor(k / s.channels / width)];
    return Array.from({ length: s.kernelHeight * s.kernelWidth }, (_unused, t) => {
      const [ky, kx] = [Math.floor(t / s.kernelWidth), t % s.kernelWidth];
      return ((oy * s.stride + ky) * s.width + ox * s.stride + kx) * s.channels + ch;
    });
  });
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  const filled = (m: number, n: number): Matrix => {
    const out = Matrix.zeros(m, n, dtype);
    out.data.fill(NaN); // whatever was there
    return place(out);
  };

  it.each(SHAPES)('maxPool of %i images of %o takes the largest of each window, and says which', (n, s) => {
    const images = place(random(n, entriesOf(s), dtype));
    const out = filled(n, pooledLength(s));
    const chosen = new Int32Array(n * pooledLength(s)).fill(-1);
    expect(maxPool(images, s, out, chosen)).toBe(out);
    const rows = images.toRows();
    expectClose(
      out,
      rows.flatMap((row) => windowsOf(s).map((places) => Math.max(...places.map((at) => row[at])))),
      0,
    );
    const winners = rows.flatMap((row) => windowsOf(s).map((places) => places.reduce((best, at) => (row[at] > row[best] ? at : best))));
    expect(Array.from(chosen)).toEqual(winners);
  });

  it.each(SHAPES)('maxPoolBackward of %i images of %o sends gradients back to the winners', (n, s) => {
    const images = random(n, entriesOf(s), dtype);
    const chosen = new Int32Array(n * pooledLength(s));
    maxPool(images, s, filled(n, pooledLength(s)), chosen);
    const dy = place(random(n, pooledLength(s), dtype, 2));
    const dx = filled(n, entriesOf(s));
    const expected = Matrix.zeros(n, entriesOf(s));
    dy.data.forEach((value, k) => (expected.data[Math.floor(k / pooledLength(s)) * entriesOf(s) + chosen[k]] += value));
    expect(maxPoolBackward(dy, chosen, s, dx)).toBe(dx);
    expectClose(dx, expected, 8 * epsilon);
  });

  it.each(SHAPES)('averagePool of %i images of %o takes the mean of each window', (n, s) => {
    const images = place(random(n, entriesOf(s), dtype));
    const out = filled(n, pooledLength(s));
    expect(averagePool(images, s, out)).toBe(out);
    const expected = images
      .toRows()
      .flatMap((row) => windowsOf(s).map((places) => places.reduce((sum, at) => sum + row[at], 0) / places.length));
    expectClose(out, expected, 8 * epsilon);
  });

  it.each(SHAPES)('averagePoolBackward of %i images of %o spreads gradients over their windows', (n, s) => {
    const dy = place(random(n, pooledLength(s), dtype));
    const dx = filled(n, entriesOf(s));
    const expected = Matrix.zeros(n, entriesOf(s));
    dy.toRows().forEach((row, i) =>
      windowsOf(s).forEach((places, k) => {
        for (const at of places) expected.data[i * entriesOf(s) + at] += row[k] / places.length;
      }),
    );
    expect(averagePoolBackward(dy, s, dx)).toBe(dx);
    expectClose(dx, expected, 8 * epsilon);
  });

  it.each([1, 3, 16])('maxPool takes the first of equals, and NaN before anything, in %i channels', (channels) => {
    const s = shapeOf(2, 2, channels, 2, 2, 1);
    const pool = (...pixels: number[]): [largest: number[], chosen: number[]] => {
      const images = place(Matrix.from([pixels.flatMap((x) => Array.from({ length: channels }, () => x))], dtype));
      const [out, chosen] = [filled(1, channels), new Int32Array(channels)];
      maxPool(images, s, out, chosen);
      return [Array.from(out.data), Array.from(chosen, (at, ch) => (at - ch) / channels)];
    };
    const everywhere = (x: number, at: number): [number[], number[]] => [
      new Array<number>(channels).fill(x),
      new Array<number>(channels).fill(at),
    ];
    expect(pool(1, 2, 2, 1)).toEqual(everywhere(2, 1));
    expect(pool(0, -0, 0, -0)).toEqual(everywhere(0, 0));
    expect(pool(-Infinity, -Infinity, -Infinity, -Infinity)).toEqual(everywhere(-Infinity, 0));
    expect(pool(1, NaN, Infinity, NaN)).toEqual(everywhere(NaN, 1));
    expect(pool(NaN, 1, 2, 3)).toEqual(everywhere(NaN, 0));
    expect(pool(1, 2, 3, NaN)).toEqual(everywhere(NaN, 3));
  });

  it('averagePool and its reverse keep a NaN to the windows that hold it', () => {
    const s = shapeOf(4, 4, 2, 2, 2, 2);
    const spoiled = (x: Matrix): number[] => Array.from(x.data, Number.isNaN).flatMap((nan, i) => (nan ? [i] : []));
    expect(spoiled(averagePool(place(withEntry(random(2, 32, dtype), 1, 31, NaN)), s, filled(2, 8)))).toEqual([15]);
    expect(spoiled(averagePoolBackward(place(withEntry(random(2, 8, dtype), 0, 0, NaN)), s, filled(2, 32)))).toEqual([0, 2, 8, 10]);
  });
});

const anyShape = fc
  .tuple(...[5, 5, 3].map((max) => fc.integer({ min: 1, max })), fc.integer({ min: 1, max: 3 }), fc.nat(), fc.nat())
  .map(([height, width, channels, stride, kernelY, kernelX]) =>
    shapeOf(height, width, channels, 1 + (kernelY % height), 1 + (kernelX % width), stride),
  );

it.each(DTYPES)('the backward passes are adjoint to the forward ones in $dtype', ({ dtype, epsilon }) => {
  fc.assert(
    fc.property(anyShape, fc.integer({ min: 0, max: 3 }), fc.nat(), (s, n, seed) => {
      const [images, dy] = [random(n, entriesOf(s), dtype, seed), random(n, pooledLength(s), dtype, seed + 1)];
      const [pooled, dx, chosen] = [dy.clone(), images.clone(), new Int32Array(n * pooledLength(s))];
      const same = (): void => expectClose([dot(pooled, dy)], [dot(images, dx)], 500 * epsilon);
      averagePool(images, s, pooled);
      averagePoolBackward(dy, s, dx);
      same();
      maxPool(images, s, pooled, chosen);
      maxPoolBackward(dy, chosen, s, dx);
      same(); // the choice, once made, is linear
    }),
    FIXED,
  );
});

const s = shapeOf(3, 3, 2, 2, 2, 1);
const [images, pooled, chosen] = [random(2, 18), Matrix.zeros(2, 8), new Int32Array(16)];
const CALLS = [
  ['maxPool', (shape: ConvolutionShape, x: Matrix, y: Matrix) => maxPool(x, shape, y, new Int32Array(y.data.length)), 'images', 'out'],
  [
    'maxPoolBackward',
    (shape: ConvolutionShape, x: Matrix, y: Matrix) => maxPoolBackward(y, new Int32Array(y.data.length), shape, x),
    'dx',
    'dy',
  ],
  ['averagePool', (shape: ConvolutionShape, x: Matrix, y: Matrix) => averagePool(x, shape, y), 'images', 'out'],
  ['averagePoolBackward', (shape: ConvolutionShape, x: Matrix, y: Matrix) => averagePoolBackward(y, shape, x), 'dx', 'dy'],
] as const;
describe.each(CALLS)('%s', (op, call, imagesName, pooledName) => {
  refuses(op, [
    ['there is padding', () => call({ ...s, padding: 1 }, images, pooled), new RegExp(`${op}: shape.padding must be 0, got 1`)],
    ['the kernel does not fit', () => call({ ...s, kernelWidth: 4 }, images, pooled), new RegExp(`${op}: a kernel of 2 x 4 does not fit`)],
    ['the stride is 0', () => call({ ...s, stride: 0 }, images, pooled), new RegExp(`${op}: shape.stride must be an integer in`)],
    ['the images have another size', () => call(s, random(2, 17), pooled), new RegExp(`${op}: ${imagesName} must be 2 x 18, got 2 x 17`)],
    ['batches differ', () => call(s, images, Matrix.zeros(1, 8)), new RegExp(`${op}: ${pooledName} must be 2 x 8, got 1 x 8`)],
    ['the pooled rows are short', () => call(s, images, Matrix.zeros(2, 7)), new RegExp(`${op}: ${pooledName} must be 2 x 8, got 2 x 7`)],
    ['dtypes differ', () => call(s, images, pooled.clone('float32')), new RegExp(`${op}: operands have different dtypes`)],
    [
      'the result shares memory',
      () => call(shapeOf(2, 2, 1, 1, 1, 1), Matrix.wrap(images.data.subarray(0, 4), 1, 4), Matrix.wrap(images.data.subarray(1, 5), 1, 4)),
      new RegExp(`${op}: out shares memory`),
    ],
  ]);
});

for (const [op, call] of [
  ['maxPool', (indices: Int32Array) => maxPool(images, s, pooled, indices)],
  ['maxPoolBackward', (indices: Int32Array) => maxPoolBackward(pooled, indices, s, images.clone())],
] as const)
  refuses(op, [
    ['chosen is short', () => call(new Int32Array(15)), new RegExp(`${op}: chosen must be an Int32Array of 16 entries`)],
    ['chosen holds floats', () => call(new Float64Array(16) as never), new RegExp(`${op}: chosen must be an Int32Array`)],
  ]);

it.each([-1, 18, 2 ** 31 - 1])('maxPoolBackward throws RangeError when chosen names place %i of 18, and writes nothing', (at) => {
  const dx = images.clone();
  const call = (): Matrix => maxPoolBackward(pooled, chosen.with(5, at), s, dx);
  expectThrows(call, RangeError, 'ERR_NATIVE_ARGUMENT', new RegExp(`chosen\\[5\\] is ${at}, outside an image`));
  expect(dx.data).toEqual(images.data);
});
