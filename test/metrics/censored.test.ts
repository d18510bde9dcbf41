import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { censoredLine, inverseMills, type CensoredPoint } from '../../lib/metrics/censored.js';
import { Stream } from '../../lib/random/index.js';

describe('inverseMills', () => {
  it.each([
    [-9, 1.0279773571668917e-18],
    [-3, 0.004437839042125666],
    [0, 0.7978845608028654],
    [1, 1.525135276160981],
    [2, 2.373215532822843],
    [5, 5.1865039671258515],
    [10, 10.098093233962564],
    [40, 40.024968847210886],
  ])('of %d is the mean of a standard normal above it', (z, expected) => {
    expect(inverseMills(z) / expected).toBeCloseTo(1, 10);
  });

  it('has one value where its two ways meet', () => {
    expect(inverseMills(2 + 1e-12)).toBeCloseTo(inverseMills(2), 10);
  });
});

describe('censoredLine', () => {
  /** y = 1 + 0.7 x + 0.3 e at x = 0 ... 4, ended at a bound. */
  const simulated = (bound: number, seed: number): CensoredPoint[] => {
    const noise = new Stream(seed).normal(new Float64Array(4000));
    return Array.from(noise, (e, i) => {
      const x = i % 5;
      const y = 1 + 0.7 * x + 0.3 * e;
      return { x, y: Math.min(y, bound), censored: y > bound };
    });
  };

  it('without bounds is least squares', () => {
    const line = censoredLine([
      { x: 0, y: 1, censored: false },
      { x: 1, y: 4, censored: false },
      { x: 2, y: 4, censored: false },
    ]);
    expect(line.slope).toBeCloseTo(1.5, 12);
    expect(line.intercept).toBeCloseTo(1.5, 12);
    expect(line.deviation).toBeCloseTo(Math.sqrt(1.5 / 3), 12);
    expect(line.decided).toBe(true);
  });

  it('finds the line behind bounds, where taking them as measured does not', () => {
    const points = simulated(2.6, 0);
    expect(points.filter((p) => p.censored).length).toBeGreaterThan(1000);
    // Means over 20 draws, within three of their standard errors (0.0078, 0.0103 and 0.0050 of one).
    const lines = Array.from({ length: 20 }, (_, seed) => censoredLine(simulated(2.6, seed)));
    const off = (of: (line: (typeof lines)[number]) => number, truth: number): number =>
      Math.abs(lines.reduce((sum, l) => sum + of(l) / 20, 0) - truth);
    expect(off((l) => l.slope, 0.7)).toBeLessThan(0.0052);
    expect(off((l) => l.intercept, 1)).toBeLessThan(0.0069);
    expect(off((l) => l.deviation, 0.3)).toBeLessThan(0.0034);
    expect(censoredLine(points.map((p) => ({ ...p, censored: false }))).slope).toBeLessThan(0.5);
  });

  it('says so where measured points do not decide it: then the slope is that of the bounds', () => {
    const line = censoredLine([
      { x: 0, y: 1, censored: false },
      { x: 1, y: 3, censored: true },
      { x: 1, y: 3, censored: true },
    ]);
    expect(line.decided).toBe(false);
    expect(line.slope).toBeCloseTo(2, 12);
  });

  it('fits measured points that lie on a line to the last digit, bounds below it or not', () => {
    const on = [0, 1, 2].map((x) => ({ x, y: 2 * x, censored: false }));
    expect(censoredLine([...on, { x: 3, y: 5, censored: true }]).slope).toBeCloseTo(2, 6);
  });

  it('throws for what is no line', () => {
    expect(() => censoredLine([{ x: 1, y: 1, censored: false }])).toThrow(ArgumentError);
    expect(() => censoredLine([{ x: 1, y: NaN, censored: false }, { x: 2, y: 1, censored: false }])).toThrow(/must be finite/); // prettier-ignore
  });
});
