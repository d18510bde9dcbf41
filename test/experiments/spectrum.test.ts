import { describe, expect, it } from 'vitest';
import { parseConfig, runExperiment, type ExperimentRecord } from '../../lib/experiments/index.js';

const config = (extra: object = {}) =>
  parseConfig({ experiment: 'spectrum', inputs: 200, hidden: 150, samples: 600, featureSamples: 600, ...extra });
const at = ({ metrics }: ExperimentRecord, name: string): number => metrics[name].values[0];

describe('experiment spectrum', () => {
  it.each([
    ['fewer features than inputs', 200, 150],
    ['more', 120, 200],
  ])('has bulks and an outlier where theory puts them: %s', async (_name, inputs, hidden) => {
    for (const method of ['none', 'sgd', 'layerwise']) {
      const record = await runExperiment(config({ inputs, hidden, method, strength: 4 }));
      expect(record.status).toBe('done');
      expect(at(record, 'weightsOff'), `${method} weights`).toBeLessThan(0.04);
      expect(at(record, 'featuresOff'), `${method} features`).toBeLessThan(0.04);
      expect(Math.abs(at(record, 'topWeight') / at(record, 'topWeightTheory') - 1)).toBeLessThan(0.04);
      if (method !== 'none') expect(Math.abs(at(record, 'topWithStep') - at(record, 'topWithStepTheory'))).toBeLessThan(0.05);
    }
  });

  it('has all values in its tables, and densities that integrate to the shares of the bulks', async () => {
    const { tables } = await runExperiment(config({ method: 'none' }));
    expect(tables!['weights']['singularValue']).toHaveLength(150);
    expect(tables!['features']['eigenvalue']).toHaveLength(150);
    for (const name of ['weightsDensity', 'featuresDensity']) {
      const { x, density, interval } = tables![name];
      let mass = 0;
      for (let i = 1; i < x.length; i++)
        if (interval[i] === interval[i - 1]) mass += ((x[i] - x[i - 1]) * (density[i] + density[i - 1])) / 2;
      expect(mass).toBeCloseTo(1, 1);
    }
  });

  it('of an activation without a gradient takes no step', async () => {
    const record = await runExperiment(config({ activation: { name: 'polynomial', coefficients: [1] } }));
    expect(record.status).toBe('done');
    expect(at(record, 'stepDirection')).toBeNaN();
  });

  it('a step too weak is lost in the bulk', async () => {
    const record = await runExperiment(config({ strength: 0.3 }));
    expect(at(record, 'topWithStepTheory')).toBe(0);
    expect(at(record, 'topWithStep')).toBeLessThan(0.15);
  });
});
