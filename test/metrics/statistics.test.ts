import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { bootstrapInterval, mean, median, quantile, standardError } from '../../lib/metrics/index.js';
import { Stream } from '../../lib/random/index.js';

describe('statistics', () => {
  it("mean, standard error, median and quantile are the textbook ones (numpy's interpolation)", () => {
    const x = [4, 1, 3, 2, 10];
    expect(mean(x)).toBe(4);
    expect(standardError(x)).toBeCloseTo(Math.sqrt(50 / 4 / 5), 14);
    expect(median(x)).toBe(3);
    expect(quantile(x, 0.9)).toBeCloseTo(7.6, 12);
    expect(standardError([1])).toBeNaN();
  });

  it('bootstrapInterval covers the true mean about as often as it says', () => {
    const trials = 400;
    let covered = 0;
    for (let t = 0; t < trials; t++) {
      const values = Array.from(new Stream(t).normal(Matrix.zeros(40, 1)).data);
      const { low, high } = bootstrapInterval(values, new Stream(t, 1), { resamples: 400 });
      if (low <= 0 && high >= 0) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.9);
    expect(covered / trials).toBeLessThan(0.98);
  });

  it('bootstrapInterval repeats for equal streams, brackets the mean, and narrows with the level', () => {
    const x = [1, 2, 3, 4, 9];
    const wide = bootstrapInterval(x, new Stream(1));
    expect(bootstrapInterval(x, new Stream(1))).toEqual(wide);
    expect(wide.low).toBeLessThan(mean(x));
    expect(wide.high).toBeGreaterThan(mean(x));
    const narrow = bootstrapInterval(x, new Stream(1), { level: 0.5 });
    expect(narrow.high - narrow.low).toBeLessThan(wide.high - wide.low);
  });

  it('bootstrapInterval of non-finite values is NaN, of none an ArgumentError', () => {
    expect(bootstrapInterval([1, Infinity], new Stream(1))).toEqual({ low: NaN, high: NaN });
    expect(() => bootstrapInterval([], new Stream(1))).toThrow(ArgumentError);
  });
});
