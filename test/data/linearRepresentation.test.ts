import { describe, expect, it } from 'vitest';
import { linearRepresentation } from '../../lib/data/index.js';
import { OptionsError } from '../../lib/errors.js';
import { leastSquares, singularValues, syrk } from '../../lib/linalg/index.js';
import { Stream } from '../../lib/random/index.js';
import { expectClose, expectOrthonormal, maxAbsDiff, multiply, sumOver, transposed } from '../close.js';
import { batchOf, smallTask } from '../fixtures.js';

describe('linearRepresentation', () => {
  it('has orthonormal features shared with the transfer task, and heads log-spaced between 1 and 1/condition', () => {
    const task = smallTask({ headCondition: 10, transfer: { headCondition: 4, noise: 0.7 } });
    expectOrthonormal(transposed(task.features), 1e-14);
    expect(task.transfer.features).toBe(task.features);
    expectClose(singularValues(task.head), [1, 10 ** -0.5, 0.1], 1e-14);
    expectClose(singularValues(task.transfer.head), [1, 0.5, 0.25], 1e-14);
    expect(task.transfer.noise).toBe(0.7);
    expect(maxAbsDiff(task.transfer.head, task.head)).toBeGreaterThan(0.01);
    expect(maxAbsDiff(task.transfer.covariance.matrix, task.covariance.matrix)).toBeGreaterThan(0.01);
    expectClose(task.transfer.covariance.eigenvalues, task.covariance.eigenvalues, 0);
  });

  it.each(['rademacher', 'gaussian'] as const)(
    'samples inputs with its covariance and targets with its teacher and noise: %s',
    (distribution) => {
      const task = smallTask({ distribution, noise: 0.3 });
      const n = 40_000;
      const { inputs, targets } = batchOf(task, n);
      expectClose(syrk(inputs, { transpose: true, alpha: 1 / n }), task.covariance.matrix, 0.03);
      const { solution } = leastSquares(inputs, targets);
      expectClose(transposed(solution), multiply(task.head, task.features), 0.03);
      const fitted = multiply(inputs, solution);
      const residual = sumOver(targets.data, (y, i) => (y - fitted.data[i]) ** 2) / targets.data.length;
      expect(Math.sqrt(residual)).toBeCloseTo(0.3, 2);
    },
  );

  it('draws x = Sigma^(1/2) u with u of signs', () => {
    const { inputs } = batchOf(smallTask({ covariance: { family: 'isotropic' } }), 50);
    expect([...new Set(inputs.data)].sort()).toEqual([-1, 1]);
  });

  it('without noise has targets F* G* x exactly', () => {
    const task = smallTask({ noise: 0 });
    const { inputs, targets } = batchOf(task, 20);
    expectClose(targets, multiply(multiply(inputs, transposed(task.features)), transposed(task.head)), 1e-14);
  });

  it('draws the same values in float32, to its precision', () => {
    const [double, single] = (['float64', 'float32'] as const).map((dtype) => batchOf(smallTask({ dtype }), 30));
    expectClose(single.inputs, double.inputs, 1e-6);
    expectClose(single.targets, double.targets, 1e-6);
  });

  it('is a function of its seed', () => {
    expect(smallTask({ seed: 1 }).features.data).toEqual(smallTask({ seed: 1 }).features.data);
    expect(maxAbsDiff(smallTask({ seed: 1 }).features, smallTask({ seed: 2 }).features)).toBeGreaterThan(0.01);
  });

  it('continues its stream: two batches differ and are those of one long draw of the stream', () => {
    const task = smallTask();
    const stream = new Stream(0).substream('test-batch');
    const first = batchOf(task, 10);
    const second = { inputs: first.inputs.clone(), targets: first.targets.clone() };
    task.sample(stream, second);
    expect(second.inputs.data).toEqual(first.inputs.data);
    task.sample(stream, second);
    expect(second.inputs.data).not.toEqual(first.inputs.data);
  });

  it('makes the transfer task when first asked for, and tells at once of one that does not fit', () => {
    expect(smallTask().transfer.covariance.matrix).toEqual(smallTask().transfer.covariance.matrix);
    const task = smallTask();
    expect(task.transfer).toBe(task.transfer);
    const call = (): unknown => linearRepresentation({ inputs: 3, outputs: 5, rank: 2, transfer: { covariance: { family: 'spiked', spikes: [1, 2, 3, 4] } } }); // prettier-ignore
    expect(call).toThrow(/covariance: 4 spikes do not fit in dimension 3/);
  });

  it('has powers of its covariance in the type that is asked for', () => {
    for (const covariance of [
      smallTask().covariance,
      smallTask({ covariance: { family: 'ar1', correlation: 0.5 } }).covariance,
      smallTask({ covariance: { family: 'isotropic' } }).covariance,
    ]) {
      expect(covariance.power(-1).dtype).toBe('float64');
      const single = covariance.power(-1 / 2, 'float32');
      expect(single.dtype).toBe('float32');
      expectClose(single, covariance.power(-1 / 2).clone('float32'), 1e-6);
    }
  });

  it.each([
    [{ rank: 6 }, /linearRepresentation: rank: must be at most outputs = 5; got 6/],
    [{ inputs: 2, rank: 3 }, /rank: must be at most inputs = 2; got 3/],
    [{ noise: -1 }, /noise: must be at least 0; got -1/],
    [{ covariance: { family: 'wishart' } }, /covariance.family: unknown value "wishart"; allowed: isotropic, log, power/],
    [{ covariance: { family: 'log', condition: 0.5 } }, /covariance.condition: must be at least 1; got 0.5/],
    [{ transfer: { rank: 2 } }, /transfer.rank: unknown key/],
    [{ seed: 0.5 }, /seed: must be an integer; got 0.5/],
    [{ outputs: Infinity }, /outputs: must be/],
  ])('throws OptionsError for %j', (options, message) => {
    const call = (): unknown => linearRepresentation({ inputs: 9, outputs: 5, rank: 3, ...(options as object) });
    expect(call).toThrow(OptionsError);
    expect(call).toThrow(message);
  });
});
