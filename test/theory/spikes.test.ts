import { describe, expect, it } from 'vitest';
import { dot, gemm, Matrix, scale, svd, symmetricEigen, syrk } from '../../lib/linalg/index.js';
import { Stream } from '../../lib/random/index.js';
import { marchenkoPastur, spikedCovariance, spikedMatrix } from '../../lib/theory/index.js';
import { sumOver } from '../close.js';

describe('spikedCovariance', () => {
  it.each([0.2, 1, 3])('on a bulk of ones is the transition of Baik, Ben Arous & Peche: threshold 1 + sqrt ratio, ratio %d', (ratio) => {
    const threshold = 1 + Math.sqrt(ratio);
    const above = threshold * 1.5;
    const found = spikedCovariance({ eigenvalues: [1], ratio, spike: above });
    expect(found.separates).toBe(true);
    expect(found.location).toBeCloseTo(above * (1 + ratio / (above - 1)), 12);
    expect(found.alignment).toBeCloseTo((1 - ratio / (above - 1) ** 2) / (1 + ratio / (above - 1)), 12);
    const lost = spikedCovariance({ eigenvalues: [1], ratio, spike: threshold * 0.99 });
    expect(lost).toMatchObject({ separates: false, alignment: 0 });
    expect(lost.location).toBeCloseTo((1 + Math.sqrt(ratio)) ** 2, 10);
  });

  it('at the very threshold is at the edge, above and below the bulk', () => {
    for (let k = 1; k < 1000; k += 7) {
      const [ratio, root] = [k / 1000, Math.sqrt(k / 1000)];
      expect(spikedCovariance({ eigenvalues: [1], ratio, spike: 1 - root }).location).toBeCloseTo((1 - root) ** 2, 7);
      expect(spikedCovariance({ eigenvalues: [1], ratio, spike: 1 + root }).location).toBeCloseTo((1 + root) ** 2, 7);
    }
  });

  it('reaches the edge of the bulk, with no alignment left, as it nears the threshold', () => {
    const eigenvalues = [2, 1, 0.5];
    const [, top] = marchenkoPastur({ eigenvalues, ratio: 0.4 }).edges.at(-1)!;
    let [low, high] = [2.01, 20];
    while (high - low > 1e-12) {
      const middle = (low + high) / 2;
      if (spikedCovariance({ eigenvalues, ratio: 0.4, spike: middle }).separates) high = middle;
      else low = middle;
    }
    const { location, alignment } = spikedCovariance({ eigenvalues, ratio: 0.4, spike: high });
    expect(location).toBeCloseTo(top, 10);
    expect(alignment).toBeLessThan(1e-8);
  });

  it('is what a sample of dimension 500 shows, on a bulk of two levels', () => {
    const [d, n] = [500, 1000];
    const values = Array.from({ length: d }, (_, i) => (i === 0 ? 8 : i < d / 2 ? 1.5 : 0.5));
    const found: number[][] = [];
    for (let seed = 0; seed < 8; seed++) {
      const x = new Stream(seed).normal(Matrix.zeros(n, d));
      for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) x.data[i * d + j] *= Math.sqrt(values[j]);
      const { values: l, vectors } = symmetricEigen(syrk(x, { transpose: true, alpha: 1 / n }));
      found.push([l[d - 1], vectors.data[d - 1] ** 2]);
    }
    const theory = spikedCovariance({ eigenvalues: values.slice(1), ratio: d / n, spike: 8 });
    const average = (k: number): number => found.reduce((sum, f) => sum + f[k] / found.length, 0);
    expect(Math.abs(average(0) / theory.location - 1)).toBeLessThan(0.03);
    expect(Math.abs(average(1) - theory.alignment)).toBeLessThan(0.02);
  });
});

describe('spikedMatrix', () => {
  it.each([
    [400, 200, 2.2],
    [150, 450, 1.4],
  ])('is what %d x %d matrices with a rank-one part of strength %d show', (m, n, strength) => {
    const theory = spikedMatrix({ ratio: m / n, strength });
    expect(theory.separates).toBe(true);
    let [location, left, right] = [0, 0, 0];
    const runs = 6;
    for (let seed = 0; seed < runs; seed++) {
      const stream = new Stream(seed);
      const unit = (k: number): Matrix => {
        const v = stream.normal(Matrix.zeros(k, 1));
        return scale(1 / Math.sqrt(dot(v, v)), v);
      };
      const [u, v] = [unit(m), unit(n)];
      const z = stream.normal(Matrix.zeros(m, n), 1 / Math.sqrt(n));
      const { u: us, s, vt } = svd(gemm(u, v, { transposeB: true, alpha: strength, beta: 1, out: z }));
      location += s[0] / runs;
      left += sumOver(u.data, (x, i) => x * us.data[i * us.cols]) ** 2 / runs;
      right += sumOver(v.data, (x, i) => x * vt.data[i]) ** 2 / runs;
    }
    expect(Math.abs(location / theory.location - 1)).toBeLessThan(0.02);
    expect(Math.abs(left - theory.left)).toBeLessThan(0.04);
    expect(Math.abs(right - theory.right)).toBeLessThan(0.04);
  });

  it('below ratio^(1/4) is lost at the edge of the bulk', () => {
    expect(spikedMatrix({ ratio: 0.25, strength: 0.7 })).toEqual({ separates: false, location: 1.5, left: 0, right: 0 });
    const near = spikedMatrix({ ratio: 0.25, strength: 0.25 ** 0.25 * (1 + 1e-9) });
    expect(near.location).toBeCloseTo(1.5, 12);
    expect(near.left).toBeLessThan(1e-8);
  });
});
