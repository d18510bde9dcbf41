import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { indexModel, type IndexModelOptions } from '../../lib/data/index.js';
import { gemm, Matrix } from '../../lib/linalg/index.js';
import type { LinkOptions } from '../../lib/links/index.js';
import { Stream } from '../../lib/random/index.js';
import { bothDtypes, batchOf } from '../fixtures.js';
import { expectClose, expectOrthonormal, multiply, sumOver, transposed } from '../close.js';

const options = (extra: IndexModelOptions = {}): IndexModelOptions => ({ inputs: 8, noise: 0, ...extra });

const LINKS: readonly LinkOptions[] = ['tanh', 'sign', { name: 'hermite', coefficients: [0, 0, 1] }];

describe('indexModel', () => {
  it.each([1, 3])('is y = r^(-1/2) sum_j s(beta_j x) without noise, %d directions', (directions) => {
    for (const dtype of bothDtypes)
      for (const link of LINKS) {
        const task = indexModel(options({ directions, link, dtype }));
        const { inputs, targets } = batchOf(task, 50);
        const formula = (t: number): number => (link === 'tanh' ? Math.tanh(t) : link === 'sign' ? Math.sign(t) : (t * t - 1) / Math.SQRT2);
        const index = multiply(inputs.clone('float64'), transposed(task.directions));
        const expected = Matrix.zeros(50, 1);
        for (let i = 0; i < 50; i++)
          for (let j = 0; j < directions; j++) expected.data[i] += formula(index.data[i * directions + j]) / Math.sqrt(directions);
        if (link !== 'sign' || dtype === 'float64') expectClose(targets, expected, dtype === 'float64' ? 1e-12 : 1e-5);
      }
  });

  it('has directions of length about 1 whose span its features are a basis of, and inputs of its covariance', () => {
    const task = indexModel({ inputs: 200, directions: 3, covariance: { family: 'power', exponent: 1, basis: 'identity' } });
    expectOrthonormal(transposed(task.features), 1e-12);
    const gram = multiply(task.directions, transposed(task.directions));
    for (let j = 0; j < 3; j++) expect(gram.get(j, j)).toBeCloseTo(1, 0);
    expectClose(multiply(multiply(task.directions, transposed(task.features)), task.features), task.directions, 1e-12);
    const { inputs } = batchOf(task, 4000);
    for (const j of [0, 10, 199]) {
      let square = 0;
      for (let i = 0; i < 4000; i++) square += inputs.data[i * 200 + j] ** 2 / 4000;
      expect(square / task.covariance.eigenvalues[j]).toBeCloseTo(1, 0);
    }
  });

  it('adds noise of its deviation, takes a function for a link, and equal options give equal tasks', () => {
    const noisy = batchOf(indexModel(options({ noise: 0.5, link: () => 0 })), 20_000).targets;
    const square = sumOver(noisy.data, (x) => (x * x) / 20_000);
    expect(Math.sqrt(square)).toBeCloseTo(0.5, 1);
    const cubic = indexModel(options({ link: (t) => t ** 3 }));
    const { inputs, targets } = batchOf(cubic, 5);
    expectClose(targets.data, gemm(inputs, cubic.directions, { transposeB: true }).data.map((t) => t ** 3), 1e-12); // prettier-ignore
    expect(batchOf(indexModel(options()), 9).targets.data).toEqual(batchOf(indexModel(options()), 9).targets.data);
    expect(batchOf(indexModel(options({ seed: 1 })), 9).targets.data).not.toEqual(batchOf(indexModel(options()), 9).targets.data);
  });

  it('makes no d x d matrix where the covariance is along the axes: dimensions of tens of thousands are at hand', () => {
    const task = indexModel({ inputs: 40_000, covariance: { family: 'power', basis: 'identity' } });
    const batch = { inputs: Matrix.zeros(4, 40_000), targets: Matrix.zeros(4, 1) };
    task.sample(new Stream(0), batch);
    expect(batch.targets.data.every(Number.isFinite)).toBe(true);
  });

  it('throws OptionsError for slips', () => {
    expect(() => indexModel({ inputs: 3, directions: 4 })).toThrow(/indexModel: directions: must be at most inputs = 3; got 4/);
    expect(() => indexModel({ link: 'tan' as 'tanh' })).toThrow(OptionsError);
    expect(() => indexModel({ noise: -1 })).toThrow(/noise: must be at least 0/);
  });
});
