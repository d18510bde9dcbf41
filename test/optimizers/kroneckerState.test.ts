/** State of the Kronecker-factored methods: stale factors and inverses are part of it, scratch is not. */
import { describe, expect, it } from 'vitest';
import { axpby, Matrix } from '../../lib/linalg/index.js';
import { multilayerPerceptron } from '../../lib/networks/index.js';
import { ekfac } from '../../lib/optimizers/ekfac.js';
import { foof } from '../../lib/optimizers/foof.js';
import { kfac } from '../../lib/optimizers/kfac.js';
import { decodeCheckpoint, encodeCheckpoint, Training } from '../../lib/train/index.js';
import type { Optimizer } from '../../lib/types.js';
import { maxAbsDiff } from '../close.js';
import { contextOf, evaluate, smallTask, stepsOf } from '../fixtures.js';
import { matricesMadeBy } from './byHand.js';
import { batchFor, sceneOf } from './kroneckerByHand.js';

const LOSS = 'logistic';

describe('state', () => {
  const PERIODS = { factorPeriod: 2, inversePeriod: 3, learningRate: 0.02 } as const;
  const METHODS: readonly (readonly [string, () => Optimizer])[] = [
    ['kfac, factored, labels drawn, momentum', () => kfac({ ...PERIODS, outputFactor: 'mc', momentum: 0.5 })],
    ['kfac, exact, from the identity', () => kfac({ ...PERIODS, dampingKind: 'exact', factorStart: 'identity', weightDecay: 0.01 })],
    ['kfac, powers', () => kfac({ ...PERIODS, alpha: 0.5, beta: 0.3, momentum: 0.5, momentumOn: 'gradient' })],
    ['kfac, separate, norm constraint', () => kfac({ ...PERIODS, dampingKind: 'separate', normConstraint: 1e-4 })],
    ['kfac, Levenberg-Marquardt', () => kfac({ ...PERIODS, levenbergMarquardt: { period: 2 } })],
    ['ekfac, labels drawn', () => ekfac({ ...PERIODS, outputFactor: 'mc' })],
    ['ekfac, bases renewed more often than factors', () => ekfac({ factorPeriod: 3, inversePeriod: 2, scaleDecay: 0.5 })],
    ['foof', () => foof({ ...PERIODS, momentum: 0.5 })],
    ['kfac on each batch alone, which has few samples', () => kfac({ factorDecay: 0, damping: 0.1 })],
  ];
  const STEPS = 8;

  it.each(METHODS)('of %s in a checkpoint goes on bit for bit at every point of the periods', (_name, optimizer) => {
    const training = (resume?: Uint8Array): Training =>
      new Training({
        task: smallTask(),
        network: multilayerPerceptron({ inputs: 9, hidden: [4], outputs: 5, activation: 'tanh', seed: 2 }),
        optimizer: optimizer(),
        batch: 5,
        steps: STEPS,
        every: 1,
        telemetry: true,
        resume: resume === undefined ? undefined : decodeCheckpoint(resume),
      });
    const whole = training();
    while (whole.advance(100));
    expect(whole.record().status).toBe('done');
    const first = training();
    for (let cut = 1; cut < STEPS; cut++) {
      first.advance(1);
      const second = training(encodeCheckpoint(first.checkpoint()));
      while (second.advance(100));
      expect(second.record().metrics).toEqual(whole.record().metrics);
      second.network.params.forEach(({ value }, i) => expect(maxAbsDiff(value, whole.network.params[i].value)).toBe(0));
    }
  });

  it.each(METHODS)('of %s is all there: what is named work may hold anything between two steps', (_name, optimizer) => {
    const poisoned = (poison: boolean): Matrix[] => {
      const { network, loss } = sceneOf({ widths: [11, 4, 2], loss: LOSS });
      const o = optimizer();
      const state = o.init(network.params);
      for (let t = 1; t <= STEPS; t++) {
        evaluate(network, batchFor(network, LOSS, 6, t), o.needs(t), loss);
        stepsOf(o, network, state, t).forEach((step, i) => axpby(1, step, 1, network.params[i].value));
        if (poison) spoilWork(state);
      }
      return network.params.map(({ value }) => value);
    };
    poisoned(true).forEach((value, i) => expect(maxAbsDiff(value, poisoned(false)[i])).toBe(0));
  });

  /** NaN into every array under a field named work, but for inputs: the network's own, or with a column of ones that stays. */
  function spoilWork(tree: unknown, within = false): void {
    if (typeof tree !== 'object' || tree === null) return;
    for (const [key, value] of Object.entries(tree)) {
      if (key === 'inputs') continue;
      if (!(value instanceof Matrix)) spoilWork(value, within || key === 'work');
      else if (within) value.data.fill(NaN);
    }
  }

  it.each(METHODS)('of %s: steps make no matrix once a batch size has been seen', (_name, optimizer) => {
    const { network, loss } = sceneOf({ widths: [11, 4, 2], loss: LOSS });
    const o = optimizer();
    const state = o.init(network.params);
    const steps = network.params.map(({ value }) => Matrix.zeros(value.rows, value.cols));
    const batches = [1, 2].map((seed) => batchFor(network, LOSS, 6, seed));
    for (let t = 1; t <= 14; t++) {
      evaluate(network, batches[t % 2], o.needs(t), loss);
      const context = contextOf(network, t);
      const made = matricesMadeBy(() => {
        o.update(context, state, steps, [0, 1, 2, 3]);
      });
      if (t > 7) expect(made).toBe(0);
    }
  });

  it('follows a batch size that changes', () => {
    const { network, loss } = sceneOf({ widths: [3, 4, 2], loss: LOSS });
    for (const o of [kfac({ factorDecay: 0 }), ekfac({ factorDecay: 0, inversePeriod: 1 })]) {
      const state = o.init(network.params);
      for (const [k, samples] of [12, 5, 20].entries()) {
        evaluate(network, batchFor(network, LOSS, samples, k), o.needs(k + 1), loss);
        const going = stepsOf(o as Optimizer, network, state, k + 1);
        const fresh = stepsOf(o as Optimizer, network, o.init(network.params), 1);
        going.forEach((step, i) => expect(maxAbsDiff(step, fresh[i])).toBe(0));
      }
    }
  });
});
