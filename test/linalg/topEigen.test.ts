import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import {
  gramSingularValues,
  Matrix,
  singularValues,
  svd,
  symmetricEigen,
  syrk,
  topEigen,
  topRightSingularVectors,
} from '../../lib/linalg/index.js';
import { DTYPES, expectClose, expectOrthonormal, expectThrows, maxAbsDiff, multiply, random, randomSymmetric, refuses, scaleColumns, transposed } from '../close.js'; // prettier-ignore

/** A Gram matrix of n columns of differing sizes. */
const gram = (n: number, size: (j: number) => number): Matrix => {
  const x = random(2 * n, n);
  x.data.forEach((v, k) => (x.data[k] = v * size(k % n)));
  return syrk(x, { transpose: true, alpha: 1 / (2 * n) });
};
/** Eigenvalues 5, 5, 5, 4, 1, ..., 1 along the axes. */
const multiple = (n: number): Matrix => Matrix.diagonal(Array.from({ length: n }, (_, i) => (i < 3 ? 5 : i === 3 ? 4 : 1)));

describe('topEigen', () => {
  it.each([
    ['of moderate order, by LAPACK', 40, 3, (): Matrix => randomSymmetric(40)],
    ['all of them', 12, 12, (): Matrix => randomSymmetric(12)],
    ['of order 1', 1, 1, (): Matrix => Matrix.from([[-2]])],
    ['large, with outliers', 700, 4, (): Matrix => gram(700, (j) => (j < 4 ? 5 + j : 1))],
    ['large, at the edge of a bulk', 700, 3, (): Matrix => gram(700, () => 1)],
    ['large, of a power law', 700, 6, (): Matrix => gram(700, (j) => (j + 1) ** -0.5)],
    ['large, multiple ones', 650, 4, (): Matrix => multiple(650)],
  ])('has the k largest pairs, descending: %s', (_name, n, k, make) => {
    const a = make();
    const { values, vectors } = topEigen(a, k);
    const all = symmetricEigen(a).values;
    const scale = Math.abs(all[n - 1]);
    for (let j = 0; j < k; j++) expect(Math.abs(values[j] - all[n - 1 - j]), `value ${j}`).toBeLessThan(1e-9 * scale);
    expectOrthonormal(vectors, 1e-8);
    expect(maxAbsDiff(multiply(a, vectors), scaleColumns(vectors, values))).toBeLessThan(1e-8 * scale);
  });

  it('in float32 agrees with float64 to its precision', () => {
    const a = gram(700, (j) => (j < 3 ? 6 + j : 1));
    expectClose(topEigen(a.clone('float32'), 3).values, topEigen(a, 3).values, 1e-4);
  });

  it('throws NumericalError NOT_FINITE for NaN, by either way', () => {
    for (const n of [20, 700]) {
      const a = gram(n, () => 1);
      a.data[3 * n + 3] = NaN;
      expectThrows(() => topEigen(a, 2), NumericalError, 'NOT_FINITE', /NaN or infinity/);
    }
  });
});

refuses('topEigen', [
  ['a is not square', () => topEigen(random(3, 4), 1), /a must be square/],
  ['k is 0', () => topEigen(randomSymmetric(3), 0), /k must be an integer in \[1, 3\], got 0/],
  ['k is too large', () => topEigen(randomSymmetric(3), 4), /got 4/],
]);

describe.each(DTYPES)('singular values and vectors in $dtype', ({ dtype, epsilon }) => {
  it.each([
    [30, 8],
    [8, 30],
    [9, 9],
    [1, 5],
  ])('of a %d x %d matrix through the smaller Gram matrix', (m, n) => {
    const a = random(m, n, dtype);
    expectClose(gramSingularValues(a), singularValues(a), 100 * epsilon * Math.max(m, n));
    const k = Math.min(2, m, n);
    const { values, vectors } = topRightSingularVectors(a, k);
    const { s, vt } = svd(a);
    expectClose(values, s.slice(0, k), 100 * epsilon * Math.max(m, n));
    const overlap = multiply(vectors, transposed(vt));
    for (let j = 0; j < k; j++) expect(Math.abs(overlap.get(j, j))).toBeCloseTo(1, dtype === 'float64' ? 9 : 4);
  });
});
