import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, gemm, orthonormaliseColumns, qr } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectOrthonormal, multiply, random, refuses, triangleOf, withEntry } from '../close.js';

const SHAPES = [
  [7, 4],
  [4, 7],
  [1, 1],
  [0, 3],
  [3, 0],
  [5, 1],
  [1, 5],
  [90, 50],
] as const;

/** R of Gram and Schmidt (modified, so that it stays accurate), its diagonal positive; for m >= n. */
function reference(a: Matrix): Matrix {
  const v = a.clone('float64');
  const [m, n] = [a.rows, a.cols];
  const column = (j: number): number[] => Array.from({ length: m }, (_, i) => v.get(i, j));
  const inner = (x: number[], y: number[]): number => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const r = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) {
    const length = (r.data[i * n + i] = Math.sqrt(inner(column(i), column(i))));
    const unit = column(i).map((x) => x / length);
    for (let j = i + 1; j < n; j++) {
      const share = (r.data[i * n + j] = inner(unit, column(j)));
      for (let p = 0; p < m; p++) v.data[p * n + j] -= share * unit[p];
    }
  }
  return r;
}

/** Rows of r with their signs turned so that the diagonal is positive. */
const positiveDiagonal = (r: Matrix): Matrix => build(r.rows, r.cols, (i, j) => r.get(i, j) * Math.sign(r.get(i, i)));

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(SHAPES)('qr of %i x %i: Q has orthonormal columns, R is upper triangular, Q R is A', (m, n) => {
    const k = Math.min(m, n);
    const a = place(random(m, n, dtype));
    const before = a.clone();
    const { q, r } = qr(a);
    const tolerance = 10 * (m + n) * epsilon;
    expect([q.rows, q.cols, r.rows, r.cols]).toEqual([m, k, k, n]);
    expectOrthonormal(q, tolerance);
    expectClose(multiply(q, r), a.clone('float64'), tolerance);
    expectClose(triangleOf(r, 'upper'), r.clone('float64'), 0);
    if (m >= n) expectClose(positiveDiagonal(r), reference(a), 10 * tolerance);
    expect(a.data).toEqual(before.data);
    const out = { q: place(Matrix.zeros(m, k, dtype)), r: place(Matrix.zeros(k, n, dtype)) };
    expect(qr(a, out)).toBe(out);
    expectClose(out.q, q, 0);
    expectClose(out.r, r, 0);
  });

  it('qr carries a NaN of a into both factors', () => {
    const { q, r } = qr(place(withEntry(random(5, 3, dtype), 2, 1, NaN)));
    for (const factor of [q, r]) expect(factor.data.some(Number.isNaN)).toBe(true);
  });

  it('qr of a rank-deficient matrix still has orthonormal Q', () => {
    const a = place(gemm(random(9, 2, dtype), random(2, 5, dtype, 2)));
    const { q, r } = qr(a);
    expectOrthonormal(q, 100 * epsilon);
    expectClose(multiply(q, r), a.clone('float64'), 100 * epsilon);
  });
});

it.each(DTYPES)('qr keeps lengths: |R x| = |A x| for tall A in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 25 });
  fc.assert(
    fc.property(size, size, fc.nat(), (n, more, seed) => {
      const a = random(n + more, n, dtype, seed);
      const { r } = qr(a);
      expectClose(gemm(r, r, { transposeA: true }), gemm(a, a, { transposeA: true }), 200 * epsilon);
    }),
    FIXED,
  );
});

it.each(CASES)('orthonormaliseColumns is Q with the signs of a positive R, in the place of A: $title', ({ dtype, epsilon, place }) => {
  for (const [m, n] of [
    [7, 4],
    [5, 5],
    [5, 1],
    [3, 0],
    [90, 50],
  ] as const) {
    const a = place(random(m, n, dtype));
    const { q, r } = qr(a);
    const signed = build(m, n, (i, j) => q.get(i, j) * (r.get(j, j) < 0 ? -1 : 1));
    expect(orthonormaliseColumns(a)).toBe(a);
    expectClose(a, signed, 4 * epsilon);
  }
});

const a = random(3, 2);
refuses('orthonormaliseColumns', [
  ['columns are more than rows', () => orthonormaliseColumns(random(2, 3)), /a 2 x 3 matrix has more columns/],
]);

const [q, r] = [Matrix.zeros(3, 2), Matrix.zeros(2, 2)];
refuses('qr', [
  ['q has another shape', () => qr(a, { q: Matrix.zeros(3, 3), r }), /qr: out must be 3 x 2, got 3 x 3/],
  ['r has another shape', () => qr(a, { q, r: Matrix.zeros(3, 2) }), /qr: out must be 2 x 2, got 3 x 2/],
  ['q differs in dtype', () => qr(a, { q: q.clone('float32'), r }), /qr: operands have different dtypes/],
  ['r differs in dtype', () => qr(a, { q, r: r.clone('float32') }), /qr: operands have different dtypes/],
  ['q is a', () => qr(a, { q: a, r }), /qr: out shares memory/],
  ['q and r overlap', () => qr(a, { q, r: Matrix.wrap(q.data.subarray(2), 2, 2) }), /qr: out shares memory/],
]);
