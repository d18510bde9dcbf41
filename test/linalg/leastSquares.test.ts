import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, gemm, leastSquares, qr, singularValues, solve } from '../../lib/linalg/index.js';
import {
  CASES,
  DTYPES,
  FIXED,
  combine,
  expectClose,
  expectThrows,
  multiply,
  random,
  refuses,
  scaleColumns,
  transposed,
  withEntry,
} from '../close.js';

const SHAPES = [
  [7, 4, 2],
  [4, 7, 2],
  [5, 5, 1],
  [1, 1, 1],
  [3, 2, 0],
  [0, 3, 2],
  [3, 0, 2],
  [60, 30, 5],
] as const;

/** The minimum-norm minimiser from normal equations in double precision: for a of full rank. */
function reference(a: Matrix, b: Matrix): Matrix {
  const t = transposed(a);
  return a.rows >= a.cols ? solve(multiply(t, a), multiply(t, b)) : multiply(t, solve(multiply(a, t), b.clone('float64')));
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(SHAPES)('leastSquares equals the normal equations for A %i x %i and %i right-hand sides', (m, n, r) => {
    const a = place(random(m, n, dtype));
    const b = place(random(m, r, dtype, 2));
    const before = [a.clone(), b.clone()];
    const result = leastSquares(a, b);
    expectClose(result.solution, reference(a, b), 2000 * epsilon);
    expect(result.rank).toBe(Math.min(m, n));
    expectClose(result.singularValues, singularValues(a), 20 * epsilon);
    expect([a.data, b.data]).toEqual([before[0].data, before[1].data]);
  });

  it('leastSquares finds the rank, and a solution within the row space', () => {
    const [left, right] = [qr(random(9, 2)).q, qr(random(6, 2, 'float64', 2)).q];
    const a = place(multiply(scaleColumns(left, [3, 1]), transposed(right)).clone(dtype));
    const b = place(random(9, 3, dtype, 3));
    const { solution, rank } = leastSquares(a, b, 10 * 9 * epsilon);
    expect(rank).toBe(2);
    expectClose(solution, multiply(scaleColumns(right, [1 / 3, 1]), multiply(transposed(left), b)), 100 * epsilon);
  });

  it('leastSquares drops singular values up to rcond times the largest', () => {
    const a = place(Matrix.diagonal([4, 2, 1], dtype));
    const b = place(Matrix.from([[4], [2], [1]], dtype));
    const { solution, rank } = leastSquares(a, b, 0.3);
    expect(rank).toBe(2);
    expectClose(solution, [1, 1, 0], 10 * epsilon);
  });

  it('leastSquares of a zero matrix is zero, of rank 0', () => {
    const { solution, rank } = leastSquares(place(Matrix.zeros(3, 2, dtype)), place(random(3, 2, dtype)));
    expect(rank).toBe(0);
    expectClose(solution, Matrix.zeros(2, 2), 0);
  });

  it.each([NaN, Infinity])('leastSquares throws NumericalError NOT_FINITE when a or b holds %d', (value) => {
    const [a, b] = [random(4, 3, dtype), random(4, 2, dtype, 2)];
    const message = /^leastSquares: the input holds NaN or infinity/;
    expectThrows(() => leastSquares(place(withEntry(a, 2, 1, value)), b), NumericalError, 'NOT_FINITE', message);
    expectThrows(() => leastSquares(a, place(withEntry(b, 2, 1, value))), NumericalError, 'NOT_FINITE', message);
  });
});

it.each(DTYPES)('leastSquares leaves a residual orthogonal to the columns of A in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(size, size, size, fc.nat(), (m, n, rank, seed) => {
      const a = gemm(random(m, rank, dtype, seed), random(rank, n, dtype, seed + 1));
      const b = random(m, 2, dtype, seed + 2);
      const { solution } = leastSquares(a, b, 100 * epsilon);
      const residual = combine(1, multiply(a, solution), -1, b);
      expectClose(multiply(transposed(a), residual), Matrix.zeros(n, 2), 20000 * epsilon);
    }),
    FIXED,
  );
});

const [a, b] = [random(3, 2), random(3, 1)];
refuses('leastSquares', [
  ['b has other rows', () => leastSquares(a, random(2, 1)), /leastSquares: b must be 3 x 1, got 2 x 1/],
  ['operands differ in dtype', () => leastSquares(a, b.clone('float32')), /leastSquares: operands have different dtypes/],
  ['rcond is negative', () => leastSquares(a, b, -1), /leastSquares: rcond must be at least 0, got -1/],
  ['rcond is NaN', () => leastSquares(a, b, NaN), /leastSquares: rcond must be at least 0, got NaN/],
]);
