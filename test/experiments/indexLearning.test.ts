import { describe, expect, it } from 'vitest';
import { check, parseConfig, runExperiment } from '../../lib/experiments/index.js';
import { optimizers } from '../../lib/optimizers/index.js';

const config = (extra: object = {}) =>
  parseConfig({
    experiment: 'index-learning',
    task: { inputs: 20, noise: 0.1, covariance: { family: 'power' } },
    network: { hidden: 24 },
    train: { batch: 128, steps: 60, every: 20 },
    testSamples: 500,
    ...extra,
  });

/** Rates at which each learns this small task. */
const RATES: Readonly<Record<string, object>> = {
  sgd: { learningRate: 0.05 },
  adam: { learningRate: 0.01 },
  adamw: { learningRate: 0.01 },
  layerwise: { learningRate: 0.2, outputFactor: 'none', damping: 0.1 },
  kfac: { learningRate: 0.1, damping: 0.1 },
  ekfac: { learningRate: 0.1, damping: 0.1 },
  foof: { learningRate: 0.1, damping: 0.1 },
  shampoo: { learningRate: 0.05 },
  soap: { learningRate: 0.01 },
  muon: { learningRate: 0.02 },
  gaussNewton: { learningRate: 0.1, damping: 0.1 },
  naturalGradient: { learningRate: 0.05, damping: 0.1 },
};

describe('experiment index-learning', () => {
  it.each(Object.keys(optimizers).filter((name) => name !== 'amgd'))('%s learns the direction of a single-index teacher', async (name) => {
    const { status, metrics } = await runExperiment(config({ optimizer: { name, ...RATES[name] } }));
    expect(status).toBe('done');
    expect(metrics['share'].values[0]).toBeNaN(); // nothing has moved yet
    // 0.05 by chance. Muon moves along all directions of a gradient alike: its leading one says little.
    if (name !== 'muon') expect(metrics['share'].values.at(-1)).toBeGreaterThan(0.2);
    expect(metrics['angle'].values[0]).toBe(Math.PI / 2);
    expect(metrics['testError'].values.at(-1)).toBeLessThan(0.8 * metrics['testError'].values[0]);
  });

  it('follows several directions: the overlap is of subspaces', async () => {
    const task = {
      inputs: 20,
      directions: 2,
      noise: 0,
      link: { name: 'hermite', coefficients: [0, 1, 0.5] },
      covariance: { family: 'isotropic' },
    };
    const { metrics } = await runExperiment(config({ task, network: { hidden: 48 }, train: { batch: 1024, steps: 400, every: 200 } }));
    expect(metrics['share'].values.at(-1)).toBeGreaterThan(0.6);
    expect(metrics['angle'].values.at(-1)).toBeLessThan(1);
  });

  it('throws for what does not fit', () => {
    expect(() => parseConfig({ experiment: 'index-learning', task: { inputs: 2, directions: 3 } })).toThrow(
      /task.directions: must be at most/,
    );
    expect(() => check(config({ optimizer: { name: 'sgd', learningRate: [1, 2, 3] } }))).toThrow(/learningRate/);
  });
});
