import { describe, expect, it } from 'vitest';
import { covariance, covarianceSchema, type CovarianceOptions } from '../../lib/data/index.js';
import { ArgumentError } from '../../lib/errors.js';
import { symmetricEigenvalues } from '../../lib/linalg/index.js';
import { Stream, haar, orthonormalRows } from '../../lib/random/index.js';
import { expectClose, expectOrthonormal, multiply, transposed } from '../close.js';

const D = 12;
const build = (options: CovarianceOptions, d = D) => covariance(covarianceSchema.parse(options), d, new Stream(3));

/** Each family with its spectrum before scaling to mean 1; ar1's is known through its matrix. */
const FAMILIES: readonly (readonly [string, CovarianceOptions, ((i: number) => number) | null])[] = [
  ['isotropic', { family: 'isotropic' }, () => 1],
  ['log', { family: 'log', condition: 1000 }, (i) => 1000 ** (-i / (D - 1))],
  ['log in the identity basis', { family: 'log', condition: 1000, basis: 'identity' }, (i) => 1000 ** (-i / (D - 1))],
  ['power', { family: 'power', exponent: 1.5 }, (i) => (i + 1) ** -1.5],
  ['two-level', { family: 'two-level', low: 0.1 }, (i) => (i < 6 ? 1 : 0.1)],
  ['spiked', { family: 'spiked', spikes: [3, 9] }, (i) => [10, 4][i] ?? 1],
  ['ar1', { family: 'ar1', correlation: 0.7 }, null],
];

describe.each(FAMILIES)('covariance %s', (_name, options, unscaled) => {
  const sigma = build(options);

  it("has the family's eigenvalues, descending, with mean 1", () => {
    const mean = sigma.eigenvalues.reduce((a, b) => a + b) / D;
    expect(mean).toBeCloseTo(1, 12);
    expectClose(
      sigma.eigenvalues,
      [...sigma.eigenvalues].sort((a, b) => b - a),
      0,
    );
    if (unscaled !== null) {
      const raw = Array.from({ length: D }, (_, i) => unscaled(i));
      const scale = raw.reduce((a, b) => a + b) / D;
      expectClose(
        sigma.eigenvalues,
        raw.map((x) => x / scale),
        1e-14,
      );
    }
  });

  it('is a symmetric matrix with that spectrum, and the square of its root', () => {
    expectClose(Float64Array.from(symmetricEigenvalues(sigma.matrix)).reverse(), sigma.eigenvalues, 1e-13);
    expectClose(sigma.matrix, transposed(sigma.matrix), 1e-14);
    expectClose(multiply(sigma.root, sigma.root), sigma.matrix, 1e-13);
    expectClose(sigma.root, transposed(sigma.root), 1e-14);
  });

  it('is diagonal exactly when it says so', () => {
    const off = sigma.matrix.data.some((x, at) => at % (D + 1) !== 0 && x !== 0);
    expect(off).toBe(!sigma.diagonal);
  });
});

describe('covariance', () => {
  it('of ar1 is correlation^|i - j|', () => {
    expect(build({ family: 'ar1', correlation: 0.5 }).matrix.get(1, 4)).toBe(0.125);
  });

  it('works in dimension 1', () => {
    for (const [, options] of FAMILIES.filter(([name]) => name !== 'spiked'))
      expect(build(options, 1).eigenvalues).toEqual(Float64Array.of(1));
  });

  it('throws ArgumentError when spikes outnumber dimensions', () => {
    expect(() => build({ family: 'spiked', spikes: [1, 2, 3] }, 2)).toThrow(ArgumentError);
  });
});

describe('haar', () => {
  it('is orthogonal', () => expectOrthonormal(haar(20, new Stream(1)), 1e-14));

  it('has entries of mean 0 and variance 1/n, also on the diagonal that an unfixed QR would bias', () => {
    const n = 4;
    const draws = Array.from({ length: 4000 }, (_, seed) => haar(n, new Stream(seed)));
    for (const at of [0, 5, 10, 15]) {
      const mean = draws.reduce((sum, q) => sum + q.data[at], 0) / draws.length;
      const variance = draws.reduce((sum, q) => sum + q.data[at] ** 2, 0) / draws.length;
      expect(Math.abs(mean)).toBeLessThan((4 * 0.5) / Math.sqrt(draws.length));
      expect(Math.abs(variance - 1 / n)).toBeLessThan(0.02);
    }
  });
});

describe('orthonormalRows', () => {
  it('has orthonormal rows', () => expectOrthonormal(transposed(orthonormalRows(3, 10, new Stream(2))), 1e-14));
  it('throws ArgumentError when they do not fit', () => {
    expect(() => orthonormalRows(4, 3, new Stream(2))).toThrow(/4 orthonormal rows do not fit in dimension 3/);
  });
});
