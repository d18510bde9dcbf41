import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { sidesReport, spectrumOf } from '../../lib/optimizers/spectrum.js';
import { DTYPES, expectThrows, maxAbsDiff, random, randomPositive, transposed, multiply } from '../close.js';

describe('spectrumOf', () => {
  it.each(DTYPES)('of diag(8, 1, 1) in $dtype has condition 8 and effective rank exp(entropy of .8, .1, .1)', ({ dtype }) => {
    const { condition, effectiveRank } = spectrumOf(Matrix.diagonal([1, 8, 1], dtype));
    expect(condition).toBeCloseTo(8, 12);
    expect(effectiveRank).toBeCloseTo(Math.exp(-(0.8 * Math.log(0.8) + 0.2 * Math.log(0.1))), 12);
  });

  it('of a multiple of the identity has condition 1 and full rank', () => {
    const { condition, effectiveRank } = spectrumOf(Matrix.diagonal([3, 3, 3, 3]));
    expect([condition, effectiveRank]).toEqual([expect.closeTo(1, 12), expect.closeTo(4, 12)]);
  });

  it('of a rank-one matrix has condition Infinity or rounding, and rank 1', () => {
    const g = random(4, 1);
    const { condition, effectiveRank } = spectrumOf(multiply(g, transposed(g)));
    expect(condition).toBeGreaterThan(1e14);
    expect(effectiveRank).toBeCloseTo(1, 10);
  });

  it('takes eigenvalues of 0 and below as a condition of Infinity, and as nothing in the rank', () => {
    expect(spectrumOf(Matrix.diagonal([2, 0, 2]))).toEqual({ condition: Infinity, effectiveRank: expect.closeTo(2, 12) });
    expect(spectrumOf(Matrix.diagonal([2, -1e-3, 2]))).toEqual({ condition: Infinity, effectiveRank: expect.closeTo(2, 12) });
    expect(spectrumOf(Matrix.zeros(3, 3))).toEqual({ condition: Infinity, effectiveRank: 0 });
    expect(spectrumOf(Matrix.zeros(0, 0))).toEqual({ condition: Infinity, effectiveRank: 0 });
  });

  it('of a float32 matrix is that of its float64 copy, to the bit', () => {
    const a = randomPositive(6, 'float32');
    expect(spectrumOf(a)).toEqual(spectrumOf(a.clone('float64')));
  });

  it('leaves the matrix alone', () => {
    const a = randomPositive(4);
    const before = a.clone();
    spectrumOf(a);
    expect(maxAbsDiff(a, before)).toBe(0);
  });

  it('throws NumericalError NOT_FINITE on NaN', () => {
    expectThrows(() => spectrumOf(Matrix.diagonal([1, NaN])), NumericalError, 'NOT_FINITE', /NaN/);
  });
});

describe('sidesReport', () => {
  it('tells the largest condition and the mean rank over the factors of a side', () => {
    const report = sidesReport([Matrix.diagonal([1, 1]), Matrix.diagonal([4, 1, 0.5])], []);
    expect(report['left.condition']).toBeCloseTo(8, 12);
    expect(report['left.effectiveRank']).toBeCloseTo((2 + spectrumOf(Matrix.diagonal([4, 1, 0.5])).effectiveRank) / 2, 12);
    expect(Object.keys(report)).toEqual(['left.condition', 'left.effectiveRank']);
  });
});
