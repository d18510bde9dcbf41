import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError, OptionsError } from '../../lib/errors.js';
import { Matrix, symmetricEigenvalues, syrk } from '../../lib/linalg/index.js';
import { Stream } from '../../lib/random/index.js';
import { marchenkoPastur } from '../../lib/theory/index.js';
import { expectThrows, FIXED } from '../close.js';

const log = (d: number, condition: number): number[] => Array.from({ length: d }, (_, i) => condition ** (-i / Math.max(1, d - 1)));
const power = (d: number): number[] => Array.from({ length: d }, (_, i) => d / 8 / (i + 1));

/** Eigenvalues of X'X/n, ascending, x ~ N(0, diag(values)). */
function sampled(values: readonly number[], n: number, seed: number): ArrayLike<number> {
  const d = values.length;
  const x = new Stream(seed).normal(Matrix.zeros(n, d));
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) x.data[i * d + j] *= Math.sqrt(values[j]);
  return symmetricEigenvalues(syrk(x, { transpose: true, alpha: 1 / n }));
}

describe('marchenkoPastur', () => {
  it.each([0.1, 0.5, 0.99, 1.5, 8])('of the identity is the law of 1967, ratio %d', (ratio) => {
    const { edges, atom, density, mass } = marchenkoPastur({ eigenvalues: [1, 1, 1], ratio });
    const [a, b] = [(1 - Math.sqrt(ratio)) ** 2, (1 + Math.sqrt(ratio)) ** 2];
    expect(edges).toHaveLength(1);
    expect(edges[0][0]).toBeCloseTo(a, 12);
    expect(edges[0][1]).toBeCloseTo(b, 12);
    expect(atom).toBe(Math.max(0, 1 - 1 / ratio));
    for (let k = 1; k < 40; k++) {
      const x = a + ((b - a) * k) / 40;
      expect(density(x)).toBeCloseTo(Math.sqrt((b - x) * (x - a)) / (2 * Math.PI * ratio * x), 11);
    }
    expect(density(b * 1.01)).toBe(0);
    expect(mass(0, Infinity) + atom).toBeCloseTo(1, 9);
    expect(mass(a, (a + b) / 2) + mass((a + b) / 2, b) + atom).toBeCloseTo(1, 9);
  });

  it.each([
    ['power law', power(300), [0.1, 0.5, 1, 3]],
    ['log-spaced to 1e-4', log(200, 1e4), [0.125, 0.5, 1, 8]],
    ['two levels', [1, 1, 0.01, 0.01], [0.05, 0.5, 1, 2]],
    ['with zeros', [2, 1, 0, 0, 0], [0.2, 1, 3]],
    ['over twelve decades', log(60, 1e12), [0.5, 1, 2]],
    ['next to ratio 1', [1], [1 - 1e-6, 1 - 1e-9, 1 - 1e-12, 1, 1 + 1e-16, 1 + 1e-12, 1 + 1e-9, 1 + 1e-6]],
    ['next to where samples are as many as positive eigenvalues', [0, 1, 2], [1.5 - 1e-12, 1.5, 1.5 + 1e-12]],
    ['one far away', [...new Array<number>(99).fill(1), 50], [0.5, 2]],
  ] as const)('integrates to 1 within 1e-8, atoms included: %s', (_name, eigenvalues: readonly number[], ratios: readonly number[]) => {
    for (const ratio of ratios) {
      const { atom, mass } = marchenkoPastur({ eigenvalues, ratio });
      expect(Math.abs(mass(0, Infinity) + atom - 1), `ratio ${ratio}`).toBeLessThan(1e-8);
    }
  });

  it('goes as x^(-1/2) towards 0 at ratio 1, of many small eigenvalues too', () => {
    const { density, edges } = marchenkoPastur({ eigenvalues: [...log(1199, 1e3), 200], ratio: 1 });
    expect(edges[0][0]).toBe(0);
    const constant = density(1e-18) * 1e-9;
    for (const x of [1e-30, 1e-19, 8.9e-16]) expect(density(x) * Math.sqrt(x)).toBeCloseTo(constant, 9);
  });

  it('integrates to 1 for random spectra and ratios, with the mean of the population and edges around all of it', () => {
    const spectra = fc.array(fc.double({ min: -3, max: 2, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(spectra, fc.double({ min: -1.5, max: 1.5, noNaN: true }), (logs, logRatio) => {
        const eigenvalues = logs.map((x) => 10 ** x);
        const { atom, edges, mass, density } = marchenkoPastur({ eigenvalues, ratio: 10 ** logRatio });
        expect(Math.abs(mass(0, Infinity) + atom - 1)).toBeLessThan(1e-6);
        // In order and apart; the density is there within and not between.
        edges.flat().reduce((below, edge) => (expect(edge).toBeGreaterThanOrEqual(below), edge), 0);
        for (const [low, high] of edges) expect(density((low + high) / 2)).toBeGreaterThan(0);
        for (let k = 1; k < edges.length; k++) {
          const between = (edges[k - 1][1] + edges[k][0]) / 2;
          if (between > edges[k - 1][1] && between < edges[k][0]) expect(density(between)).toBe(0);
        }
        expect(edges[edges.length - 1][1]).toBeGreaterThan(Math.max(...eigenvalues));
      }),
      { ...FIXED, numRuns: 40 },
    );
  });

  it('splits where the population does and samples suffice: the mass of each part is its share', () => {
    const { edges, mass } = marchenkoPastur({ eigenvalues: [10, 1, 1, 1], ratio: 0.1 });
    expect(edges).toHaveLength(2);
    expect(mass(...edges[0])).toBeCloseTo(3 / 4, 8);
    expect(mass(...edges[1])).toBeCloseTo(1 / 4, 8);
  });

  it.each([
    { name: 'power law', values: power(2000), n: 4000 },
    { name: 'log-spaced', values: log(2000, 10), n: 8000 },
    { name: 'isotropic', values: log(2000, 1), n: 8000 },
  ])(
    'has its edges within 2% of the extreme eigenvalues of a sample of dimension 2000, and its mass where they are: $name',
    ({ values, n }) => {
      const { edges, atom, mass } = marchenkoPastur({ eigenvalues: values, ratio: values.length / n });
      const sample = Array.from(sampled(values, n, 7)).filter((l) => l > 1e-9);
      expect(sample.length).toBe(Math.round(values.length * (1 - atom)));
      // The top of the power law is a single eigenvalue, with an interval of its own that its sample may fall anywhere in.
      const bulk = edges.reduce((a, b) => (b[1] - b[0] > a[1] - a[0] && mass(...b) > 0.1 ? b : a));
      expect(Math.abs(sample[0] / edges[0][0] - 1)).toBeLessThan(0.02);
      const inBulk = sample.filter((l) => l < bulk[1] * 1.02);
      if (edges.length === 1) expect(Math.abs(sample[sample.length - 1] / bulk[1] - 1)).toBeLessThan(0.02);
      for (const share of [0.1, 0.5, 0.9]) {
        const at = inBulk[Math.floor(share * inBulk.length)];
        expect(mass(0, at) * values.length).toBeCloseTo(Math.floor(share * inBulk.length), -1);
      }
    },
    60_000,
  );

  it('throws for what is no spectrum, no ratio, no place', () => {
    expect(() => marchenkoPastur({ eigenvalues: 3 as never, ratio: 1 })).toThrow(/eigenvalues: must be an array of numbers; got 3/);
    expect(() => marchenkoPastur({ eigenvalues: [1], ratio: 0 })).toThrow(OptionsError);
    expectThrows(() => marchenkoPastur({ eigenvalues: [1, NaN], ratio: 1 }), ArgumentError, 'ERR_ARGUMENT', /eigenvalues\[1\]/);
    const { density, mass } = marchenkoPastur({ eigenvalues: [1], ratio: 0.5 });
    expectThrows(() => mass(NaN, 1), ArgumentError, 'ERR_ARGUMENT', /mass takes two places, low <= high; got NaN and 1/);
    for (const x of [0, -1, NaN, Infinity]) expectThrows(() => density(x), ArgumentError, 'ERR_ARGUMENT', /the density is that of x > 0/);
  });
});
