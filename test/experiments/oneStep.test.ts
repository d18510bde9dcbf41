import { describe, expect, it } from 'vitest';
import { memoryOf, parseConfig, runExperiment, type ExperimentRecord } from '../../lib/experiments/index.js';

const config = (extra: object = {}) =>
  parseConfig({
    experiment: 'one-step',
    inputs: 60,
    hidden: 120,
    samples: 240,
    headSamples: 300,
    validationSamples: 300,
    testSamples: 1000,
    lambdas: [0.1, 1],
    exponents: [0, 0.5],
    ...extra,
  });
const at = ({ metrics }: ExperimentRecord, name: string): number => metrics[name].values[0];

describe('experiment one-step', () => {
  it('finds features better than random ones by every step, and best by the preconditioned one under anisotropy', async () => {
    const record = await runExperiment(config());
    expect(record.status).toBe('done');
    for (const name of ['sgd', 'adam', 'adamRotated', 'population', 'batchNormSgd', 'batchNormAdam', 'layerwise']) {
      expect(at(record, name), name).toBeGreaterThan(0);
      expect(at(record, name), name).toBeLessThan(at(record, 'none') + 0.02);
    }
    expect(at(record, 'layerwise')).toBeLessThan(Math.min(at(record, 'sgd'), at(record, 'adamRotated')) - 0.03);
  });

  it('of isotropic inputs has the population step equal to that of SGD', async () => {
    const record = await runExperiment(config({ covariance: { family: 'isotropic' } }));
    expect(at(record, 'population')).toBeCloseTo(at(record, 'sgd'), 10);
  });

  it('chooses lambda, step size and ridge by the validation samples alone', async () => {
    const record = await runExperiment(config());
    const { lambda, exponent, ridge } = record.tables!;
    const best = lambda['validation'].indexOf(Math.min(...lambda['validation']));
    expect(at(record, 'layerwise')).toBe(lambda['error'][best]);
    expect(exponent['layerwise']).toEqual([lambda['exponent'][best]]);
    expect([0, 0.5]).toContain(exponent['sgd'][0]);
    expect(ridge['none'][0]).toBeGreaterThan(0);
    // Other test samples change the errors and nothing that was chosen.
    const other = await runExperiment(config({ testSamples: 500 }));
    expect(other.tables!['exponent']).toEqual(exponent);
    expect(other.tables!['ridge']).toEqual(ridge);
  });

  it('repeats for equal seeds, and tells its memory', async () => {
    expect((await runExperiment(config())).metrics).toEqual((await runExperiment(config())).metrics);
    expect(memoryOf(config())).toBeGreaterThan(8 * 1840 * 60);
  });
});
