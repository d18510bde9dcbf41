import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, addToDiagonal, gemm, lu, luSolve, solve } from '../../lib/linalg/index.js';
import {
  CASES,
  DTYPES,
  FIXED,
  build,
  expectClose,
  expectThrows,
  maxAbs,
  multiply,
  random,
  refuses,
  transposed,
  withEntry,
} from '../close.js';

const SHAPES = [
  [5, 3],
  [3, 5],
  [1, 1],
  [0, 2],
  [2, 0],
  [100, 7],
] as const;

/** The matrix that packed factors stand for: A' = P L U, read row-major. */
function unpack({ factors, pivots }: ReturnType<typeof lu>): Matrix {
  const n = factors.rows;
  const packed = transposed(factors);
  const l = build(n, n, (i, j) => (i === j ? 1 : j < i ? packed.get(i, j) : 0));
  const u = build(n, n, (i, j) => (j >= i ? packed.get(i, j) : 0));
  const rows = multiply(l, u).toRows();
  for (let i = n - 1; i >= 0; i--) [rows[i], rows[pivots[i] - 1]] = [rows[pivots[i] - 1], rows[i]];
  return n === 0 ? Matrix.zeros(0, 0) : transposed(Matrix.from(rows));
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(SHAPES)('lu multiplies back to A, luSolve and solve leave a residual of rounding size, for n = %i, m = %i', (n, m) => {
    const a = place(random(n, n, dtype));
    const b = place(random(n, m, dtype, 2));
    const before = a.clone();
    const factors = lu(a);
    expect(a.data).toEqual(before.data);
    expectClose(unpack(factors), a.clone('float64'), 10 * (n + 1) * epsilon);
    const x = luSolve(factors, b);
    const size = 1 + maxAbs(x);
    expectClose(multiply(a, x), b.clone('float64'), 10 * (n + 1) * epsilon * size);
    expectClose(solve(a, b), x, 0);
    expect(luSolve(factors, b, b)).toBe(b);
    expectClose(b, x, 0);
  });

  it('lu pivots: a zero in the corner is no obstacle', () => {
    const a = place(
      Matrix.from(
        [
          [0, 2],
          [1, 0],
        ],
        dtype,
      ),
    );
    expectClose(solve(a, Matrix.from([[4], [3]], dtype)), Matrix.from([[3], [2]]), 0);
  });

  it.each([
    ['a zero matrix', 1, Matrix.zeros(2, 2)],
    [
      'two equal columns',
      2,
      Matrix.from([
        [1, 1],
        [2, 2],
      ]),
    ],
  ])('lu throws NumericalError SINGULAR for %s', (_what, pivot, a) => {
    const message = new RegExp(`lu: pivot ${pivot} of 2 is exactly zero, the matrix is singular; use leastSquares`);
    expectThrows(() => lu(place(a.clone(dtype))), NumericalError, 'SINGULAR', message);
    expectThrows(() => solve(a, Matrix.identity(2)), NumericalError, 'SINGULAR', message);
  });

  it('lu and solve carry a NaN of a, with pivots still in range', () => {
    const a = place(withEntry(random(40, 40, dtype), 7, 3, NaN));
    const factors = lu(a);
    expect(factors.factors.data.some(Number.isNaN)).toBe(true);
    expect(factors.pivots.every((p) => p >= 1 && p <= 40)).toBe(true);
    expect(solve(a, random(40, 1, dtype)).data.some(Number.isNaN)).toBe(true);
  });
});

it.each(DTYPES)('solve undoes a product in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 30 });
  fc.assert(
    fc.property(size, size, fc.nat(), (n, m, seed) => {
      const a = addToDiagonal(random(n, n, dtype, seed), 3 * Math.sqrt(n));
      const x = random(n, m, dtype, seed + 1);
      expectClose(solve(a, gemm(a, x)), x, 2000 * epsilon);
    }),
    FIXED,
  );
});

const [a, b] = [random(2, 2), random(2, 3)];
const factors = lu(a);
refuses('lu', [['a is not square', () => lu(b), /lu: a must be square, got 2 x 3/]]);
refuses('luSolve', [
  ['b has other rows', () => luSolve(factors, random(3, 2)), /luSolve: b must be 2 x 2, got 3 x 2/],
  ['operands differ in dtype', () => luSolve(factors, b.clone('float32')), /luSolve: operands have different dtypes/],
  ['out has another shape', () => luSolve(factors, b, Matrix.zeros(3, 2)), /luSolve: out must be 2 x 3, got 3 x 2/],
  ['out differs in dtype', () => luSolve(factors, b, b.clone('float32')), /luSolve: operands have different dtypes/],
  ['out is the factors', () => luSolve(factors, a, factors.factors), /luSolve: out shares memory/],
  ['out overlaps b without being b', () => luSolve(factors, a, Matrix.wrap(a.data, 2, 2)), /luSolve: out shares memory/],
]);
refuses('solve', [['b has other rows', () => solve(a, random(3, 2)), /luSolve: b must be 2 x 2, got 3 x 2/]]);

it.each([0, 3, -1])('luSolve throws RangeError when a pivot is %i of 2', (pivot) => {
  const bad = { factors: factors.factors, pivots: Int32Array.of(pivot, 1) };
  expectThrows(() => luSolve(bad, b), RangeError, 'ERR_NATIVE_ARGUMENT', /pivot 0 is outside \[1, n\]/);
});
