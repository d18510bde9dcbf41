import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, affineRows, batchNormBackward, batchNormForward } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses, withEntry } from '../close.js';

const SHAPES = [
  [6, 3],
  [1, 1],
  [2, 0],
  [1, 4],
  [33, 17],
] as const;
const epsilonBn = 1e-3;

function momentsOf(h: Matrix): Matrix {
  const mean = (j: number, f: (x: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < h.rows; i++) sum += f(h.get(i, j)) / h.rows;
    return sum;
  };
  return build(2, h.cols, (i, j) => (i === 0 ? mean(j, (x) => x) : mean(j, (x) => (x - mean(j, (y) => y)) ** 2)));
}

function normalise(h: Matrix): Matrix {
  const moments = momentsOf(h);
  return build(h.rows, h.cols, (i, j) => (h.get(i, j) - moments.get(0, j)) / Math.sqrt(moments.get(1, j) + epsilonBn));
}

const columnSum = (x: Matrix, y: Matrix | null, j: number): number => {
  let sum = 0;
  for (let i = 0; i < x.rows; i++) sum += x.get(i, j) * (y === null ? 1 : y.get(i, j));
  return sum;
};

it('batch-norm in float32 keeps its digits over a hundred thousand rows', () => {
  const [n, d] = [100_000, 3];
  const h = build(n, d, (i, j) => 10 + j + ((i * 7919) % 1000) / 1000);
  const both = DTYPES.map(({ dtype }) => {
    const [moments, normalised] = [Matrix.zeros(2, d, dtype), Matrix.zeros(n, d, dtype)];
    batchNormForward(h.clone(dtype), epsilonBn, moments, normalised);
    const dy = build(n, d, (i, j) => h.get(i, j) - 10 - j).clone(dtype);
    const grads = Matrix.zeros(2, d, dtype);
    batchNormBackward(normalised, epsilonBn, Matrix.from([[1, 1, 1], [...moments.data].slice(d)], dtype), dy, grads);
    return { moments, grads };
  });
  const relative = (key: 'moments' | 'grads'): number =>
    Math.max(...Array.from(both[0][key].data, (x, k) => Math.abs(both[1][key].data[k] / x - 1)));
  expect(relative('moments')).toBeLessThan(2e-6);
  expect(relative('grads')).toBeLessThan(2e-5);
});

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  const zeros = (m: number, n: number): Matrix => place(Matrix.zeros(m, n, dtype));

  it.each(SHAPES)('batchNormForward writes moments and normalised columns of %i x %i as plain loops do', (n, d) => {
    const h = place(random(n, d, dtype));
    const [moments, normalised] = [zeros(2, d), zeros(n, d)];
    expect(batchNormForward(h, epsilonBn, moments, normalised)).toBe(normalised);
    expectClose(moments, momentsOf(h), 20 * epsilon);
    expectClose(normalised, normalise(h), 40 * epsilon);
  });

  it.each(SHAPES)('affineRows scales and shifts the columns of %i x %i, in place too', (n, d) => {
    const [x, affine] = [place(random(n, d, dtype)), place(random(2, d, dtype, 2))];
    const expected = build(n, d, (i, j) => x.get(i, j) * affine.get(0, j) + affine.get(1, j));
    const y = zeros(n, d);
    expect(affineRows(x, affine, y)).toBe(y);
    expectClose(y, expected, 4 * epsilon);
    expectClose(affineRows(x, affine, x), expected, 4 * epsilon);
  });

  it.each(SHAPES)('batchNormBackward turns dy into the Jacobian product for %i x %i', (n, d) => {
    const normalised = place(normalise(random(n, d)).clone(dtype));
    const scales = place(build(2, d, (i, j) => 1 + i + 0.1 * j).clone(dtype));
    const dy = place(random(n, d, dtype, 2));
    const grads = zeros(2, d);
    const before = dy.clone();
    expect(batchNormBackward(normalised, epsilonBn, scales, dy, grads)).toBe(dy);
    expectClose(
      grads,
      build(2, d, (i, j) => columnSum(before, i === 0 ? normalised : null, j)),
      50 * epsilon,
    );
    // dh = (gamma / sd) (I - (1 1' + z z') / n) dy, column by column.
    const expected = build(n, d, (i, j) => {
      const factor = scales.get(0, j) / Math.sqrt(scales.get(1, j) + epsilonBn);
      return factor * (before.get(i, j) - (columnSum(before, null, j) + normalised.get(i, j) * columnSum(before, normalised, j)) / n);
    });
    expectClose(dy, expected, 50 * epsilon);
  });

  it('a NaN stays in its column', () => {
    const h = place(withEntry(random(4, 3, dtype), 2, 1, NaN));
    const normalised = batchNormForward(h, epsilonBn, zeros(2, 3), zeros(4, 3));
    for (let i = 0; i < 4; i++) for (let j = 0; j < 3; j++) expect(Number.isNaN(normalised.get(i, j))).toBe(j === 1);
  });

  it('batchNormForward keeps the variance of columns with a large mean', () => {
    const offset = dtype === 'float64' ? 1e8 : 1e4;
    const h = place(build(4, 1, (i) => offset + i).clone(dtype));
    const moments = zeros(2, 1);
    batchNormForward(h, 0, moments, zeros(4, 1));
    expectClose(moments, [offset + 1.5, 1.25], 2 * epsilon);
    expect(Math.abs(moments.data[1] - 1.25)).toBeLessThan(1e-3);
  });
});

it('batchNormBackward is the derivative of batchNormForward and affineRows, by differences', () => {
  const size = fc.integer({ min: 2, max: 6 });
  fc.assert(
    fc.property(size, size, fc.nat(), (n, d, seed) => {
      const [h, weight, affine] = [random(n, d, 'float64', seed), random(n, d, 'float64', seed + 1), random(2, d, 'float64', seed + 2)];
      const moments = Matrix.zeros(2, d);
      const loss = (at: Matrix): number => {
        const z = batchNormForward(at, epsilonBn, moments, Matrix.zeros(n, d));
        return columnSum(Matrix.wrap(affineRows(z, affine, z).data, n * d, 1), Matrix.wrap(weight.data, n * d, 1), 0);
      };
      const differences = build(n, d, (i, j) => {
        const shifted = (by: number): number => loss(withEntry(h, i, j, h.get(i, j) + by));
        return (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
      });
      const normalised = batchNormForward(h, epsilonBn, moments, Matrix.zeros(n, d));
      const scales = build(2, d, (i, j) => (i === 0 ? affine : moments).get(i, j));
      expectClose(batchNormBackward(normalised, epsilonBn, scales, weight.clone(), Matrix.zeros(2, d)), differences, 1e-5);
    }),
    FIXED,
  );
});

it.each(DTYPES)('batchNormForward ignores a shift of its columns in $dtype', ({ dtype, epsilon }) => {
  const h = random(9, 4, dtype);
  const run = (x: Matrix): Matrix => batchNormForward(x, epsilonBn, Matrix.zeros(2, 4, dtype), Matrix.zeros(9, 4, dtype));
  expectClose(run(build(9, 4, (i, j) => h.get(i, j) + 2).clone(dtype)), run(h), 50 * epsilon);
});

const [h, z, two] = [random(3, 2), Matrix.zeros(3, 2), Matrix.zeros(2, 2)];
const [empty, noRows] = [Matrix.zeros(0, 2), /a batch has at least one row/];
refuses('batchNormForward', [
  ['moments have another shape', () => batchNormForward(h, 0, z, z), /batchNormForward: moments must be 2 x 2/],
  ['sizes differ', () => batchNormForward(h, 0, two, two.clone()), /batchNormForward: shapes differ, 3 x 2 and 2 x 2/],
  ['dtypes differ', () => batchNormForward(h, 0, two, z.clone('float32')), /batchNormForward: operands have different dtypes/],
]);
refuses('affineRows', [['affine has another shape', () => affineRows(h, h, z), /affineRows: affine must be 2 x 2, got 3 x 2/]]);
refuses('batchNormBackward', [
  ['grads have another shape', () => batchNormBackward(h, 0, two, z, h), /grads must be 2 x 2, got 3 x 2/],
  ['scales are short', () => batchNormBackward(h, 0, empty, z, two), /scales must be 2 x 2, got 0 x 2/],
]);

it.each([
  ['batchNormForward throws RangeError when the batch is empty', () => batchNormForward(empty, 0, two, empty), RangeError, noRows],
  [
    'batchNormBackward throws RangeError when the batch is empty',
    () => batchNormBackward(empty, 0, two, empty, two.clone()),
    RangeError,
    noRows,
  ],
  ['batchNormForward throws RangeError when normalised is h', () => batchNormForward(h, 0, two, h), RangeError, /share memory/],
  [
    'affineRows throws RangeError when y overlaps affine',
    () => affineRows(h, Matrix.wrap(z.data.subarray(1, 5), 2, 2), z),
    RangeError,
    /share memory/,
  ],
] as const)('%s', (_title, call, type, message) => {
  expectThrows(call, type, 'ERR_NATIVE_ARGUMENT', message);
});
