/** The damping that follows the quality of the quadratic model (Martens & Grosse 2015, section 6.5). */
import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { denseCurvatureOf, multilayerPerceptron } from '../../lib/networks/index.js';
import { kfac, type KfacOptions } from '../../lib/optimizers/kfac.js';
import type { KroneckerState } from '../../lib/optimizers/kronecker.js';
import { Training } from '../../lib/train/index.js';
import type { Network, Task, UpdateContext } from '../../lib/types.js';
import { expectClose } from '../close.js';
import { contextOf, evaluate, stepsOf } from '../fixtures.js';
import { batchFor, frobenius, KINDS, sceneOf } from './kroneckerByHand.js';

const OMEGA = 0.9 ** 5;
const scene = sceneOf({ widths: [3, 4, 2], loss: 'logistic' });

describe('Levenberg-Marquardt', () => {
  /** Always the same batch. */
  function fixedTask(network: Network): Task {
    const batch = batchFor(network, 'squared', 30, 5);
    const { inputs, outputs, dtype } = network;
    return {
      name: 'one batch',
      inputs,
      outputs,
      targets: outputs,
      dtype,
      sample(_stream, into) {
        into.inputs.data.set(batch.inputs.data);
        into.targets.data.set(batch.targets.data);
      },
    };
  }

  it('lowers the damping by 0.9^5 every 5 steps on an exactly quadratic problem, where the model keeps its promise', () => {
    const network = multilayerPerceptron({ inputs: 4, outputs: 3, activation: 'identity' });
    const optimizer = kfac({ learningRate: 0.2, damping: 0.01, dampingKind: 'exact', levenbergMarquardt: {} });
    const training = new Training({ task: fixedTask(network), network, optimizer, batch: 30, steps: 22 });
    const scales: number[] = [];
    do scales.push(training.checkpoint().arrays['optimizer/dampingScale'].data[0]);
    while (training.advance(1));
    expectClose(scales.slice(0, 22), Array.from({ length: 22 }, (_, t) => OMEGA ** Math.floor(t / 5)), 1e-14); // prettier-ignore
  });

  interface Probe {
    readonly state: KroneckerState<unknown>;
    /** The model's promise with the damping before the step, by the dense curvature matrix. */
    readonly promise: number;
  }

  /** Step 5 (or another) with a loss that falls by `quality` times the model's promise. */
  function probe(quality: number, options: KfacOptions = {}, { step = 5, scale = 1 } = {}): Probe {
    const { network, loss, batch } = scene;
    const dampings = [0.05, 0.3];
    const optimizer = kfac({ learningRate: [0.3, 0.6], damping: dampings, levenbergMarquardt: {}, ...options });
    const state = optimizer.init(network.params);
    state.dampingScale = scale;
    const dense = denseCurvatureOf(network, loss, batch, 'ggn');
    evaluate(network, batch, optimizer.needs(1), loss);
    const real = contextOf(network, step);
    const gradients = network.gradients.map((g) => g.clone());
    let promise = NaN;
    const promiseOf = (steps: readonly Matrix[]): number => {
      const flat = steps.flatMap((s) => Array.from(s.data));
      const g = gradients.flatMap((m) => Array.from(m.data));
      let q = 0;
      for (let i = 0; i < flat.length; i++) {
        q += g[i] * flat[i];
        for (let j = 0; j < flat.length; j++) q += (flat[i] * dense.get(i, j) * flat[j]) / 2;
      }
      steps.forEach((s, i) => (q += (dampings[network.params[i].layer] * scale * frobenius(s) ** 2) / 2));
      return q;
    };
    const context: UpdateContext = {
      step,
      params: network.params,
      gradients: network.gradients,
      stats: network.stats,
      dense: null,
      loss: 3,
      lossAt(steps) {
        promise = promiseOf(steps);
        return 3 + quality * promise;
      },
      curvatureTimes: (direction, out) => {
        real.curvatureTimes(direction, out);
      },
      note: () => undefined,
    };
    const steps = network.params.map(({ value }) => Matrix.zeros(value.rows, value.cols));
    optimizer.update(context, state, steps, [0, 1, 2, 3]);
    return { state, promise };
  }

  it.each([
    [0.76, OMEGA],
    [0.74, 1],
    [0.26, 1],
    [0.24, 1 / OMEGA],
    [-1, 1 / OMEGA],
    [NaN, 1 / OMEGA],
    [1.5, OMEGA],
  ])('with a fall of %f times the promise q(step) = g s + (s C s + lambda s s)/2 multiplies lambda by %f', (quality, factor) => {
    const { state, promise } = probe(quality);
    expect(promise).toBeLessThan(0);
    expect(state.dampingScale).toBeCloseTo(factor, 14);
    expect(probe(quality, {}, { scale: 0.37 }).state.dampingScale).toBeCloseTo(0.37 * factor, 14); // and counts what it was before
  });

  it('raises lambda where the model promises no fall, whatever the loss does', () => {
    expect(probe(1, { learningRate: 50 }).promise).toBeGreaterThan(0);
    expect(probe(1, { learningRate: 50 }).state.dampingScale).toBeCloseTo(1 / OMEGA, 14);
  });

  it('looks every `period` steps, by decay^period', () => {
    for (const step of [1, 2, 3, 4, 6]) expect(probe(1, {}, { step }).promise).toBeNaN(); // the loss was not asked for
    expect(probe(1, { levenbergMarquardt: { period: 3, decay: 0.5 } }, { step: 6 }).state.dampingScale).toBe(0.125);
  });

  it.each(KINDS)('multiplies the damping of the steps to come, %s', (dampingKind) => {
    const both = (scale: number, damping: number): Matrix[] => {
      const { network, batch, loss } = scene;
      const output = dampingKind === 'separate' ? { outputDamping: 3 * damping } : {};
      const optimizer = kfac({ damping, dampingKind, levenbergMarquardt: {}, ...output });
      const state = optimizer.init(network.params);
      state.dampingScale = scale;
      evaluate(network, batch, optimizer.needs(1), loss);
      return stepsOf(optimizer, network, state);
    };
    both(0.5, 0.2).forEach((step, i) => expectClose(step, both(1, 0.1)[i], 1e-14));
  });

  it('keeps the damping within 1e8 of what was given, either way', () => {
    expect(probe(1, {}, { scale: 1.2e-8 }).state.dampingScale).toBe(1e-8);
    expect(probe(0, {}, { scale: 0.9e8 }).state.dampingScale).toBe(1e8);
  });

  it.each([
    [{ damping: 0 }, /kfac: damping: must be above 0 with levenbergMarquardt/],
    [{ factorScale: 'sum' }, /kfac: factorScale: must be mean with levenbergMarquardt/],
  ] as const)('throws OptionsError where there is no such damping to move: %j', (options, message) => {
    expect(() => kfac({ ...options, levenbergMarquardt: {} })).toThrow(message);
  });

  it('is for all layers together: it fixes the order', () => {
    expect(kfac({ levenbergMarquardt: {} }).order).toBe('simultaneous');
    expect(kfac().order).toBeUndefined();
  });
});
