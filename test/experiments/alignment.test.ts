import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { check, memoryOf, parseConfig, runExperiment } from '../../lib/experiments/index.js';
import { mean } from '../../lib/metrics/index.js';
import { expectThrows } from '../close.js';

const config = (extra: object = {}) =>
  parseConfig({ experiment: 'alignment', dimension: 60, samples: 150, lambdas: [0, 0.1, 1, 10], ...extra });

describe('experiment alignment', () => {
  it.each([
    ['more samples than dimensions', 60, 150],
    ['fewer', 60, 25],
  ])('is on average what theory says: %s', async (_name, dimension, samples) => {
    const seen: number[][] = [];
    for (let seed = 0; seed < 60; seed++) {
      const { status, metrics, tables } = await runExperiment(config({ dimension, samples, seed }));
      expect(status).toBe('done');
      const { path } = tables!;
      seen.push([metrics['sgd'].values[0] - metrics['sgdTheory'].values[0], ...path['rho2'].map((r, k) => r - path['rho2Theory'][k])]);
    }
    // In dimension 60 the limit is off by a few hundredths.
    for (let k = 0; k < seen[0].length; k++) expect(Math.abs(mean(seen.map((s) => s[k])))).toBeLessThan(0.06);
  });

  it.each(['isotropic', 'log', 'power', 'two-level', 'spiked', 'ar1'])('takes every family of covariances: %s', async (family) => {
    const { status, tables } = await runExperiment(config({ covariance: { family } }));
    expect(status).toBe('done');
    for (const r of tables!['path']['rho2']) expect(r).toBeLessThanOrEqual(1);
  });

  it('gives the same numbers for the same seed, others for another, and lambda 0 where it is asked first or last', async () => {
    const one = await runExperiment(config());
    expect((await runExperiment(config())).tables).toEqual(one.tables);
    expect((await runExperiment(config({ seed: 1 }))).tables).not.toEqual(one.tables);
    const turned = await runExperiment(config({ lambdas: [10, 1, 0.1, 0] }));
    turned.tables!['path']['rho2'].forEach((r, k) => expect(r).toBeCloseTo(one.tables!['path']['rho2'][3 - k], 9));
  });

  it("Adam's step depends on the basis: along the axes it differs from a random one, which is between it and chance", async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, (_, seed) => runExperiment(config({ dimension: 200, samples: 400, seed }))));
    const average = (name: string): number => mean(runs.map((r) => r.metrics[name].values[0]));
    // In a random basis the signs lose 2/pi of the gradient step's alignment, in expectation and large dimension.
    expect(Math.abs(average('adamRotated') / average('sgd') - 2 / Math.PI)).toBeLessThan(0.1);
    expect(average('adam')).toBeGreaterThan(average('adamRotated'));
  });

  it('tells its memory beforehand, and is refused where that is not there', () => {
    expect(memoryOf(config({ dimension: 1000, samples: 2000 }))).toBeGreaterThan(8 * 1000 * 1000);
    expect(memoryOf(config({ dimension: 1000, samples: 2000 }))).toBeLessThan(8 * (1000 * 1000 + 2000 * 1000 + 500 * 1000));
    expect(memoryOf(parseConfig({}))).toBeNull();
    const huge = config({ dimension: 2_000_000, samples: 10 ** 9 });
    expectThrows(
      () => check(huge),
      ArgumentError,
      'ERR_ARGUMENT',
      /needs about \d+\.\d\d GiB of memory, and .* are available; lower dimension/,
    );
  });

  it('ends as stopped when asked to, and as failed where a path cannot be computed', async () => {
    const stopped = await runExperiment(config({ samples: 10 ** 7, dimension: 50 }), { signal: AbortSignal.timeout(30) });
    expect(stopped).toMatchObject({ status: 'stopped', steps: 0 });
    const failed = await runExperiment(
      config({ dimension: 40, samples: 30, lambdas: [0], covariance: { family: 'two-level', low: 1e-300 } }),
    );
    expect(failed.status).toBe('failed');
    expect(failed.reason).toMatch(/not positive definite|NaN/);
  });
});
