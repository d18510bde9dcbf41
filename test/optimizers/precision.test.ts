/** Methods that use the network's statistics, in float32: what they do in float64, to its precision, at sizes where rounding would show. */
import { describe, expect, it } from 'vitest';
import type { Dtype, Matrix } from '../../lib/linalg/index.js';
import { softmaxCrossEntropy } from '../../lib/losses/index.js';
import { multilayerPerceptron } from '../../lib/networks/index.js';
import { optimizers } from '../../lib/optimizers/index.js';
import type { Optimizer } from '../../lib/types.js';
import { build, maxAbs, maxAbsDiff, random } from '../close.js';
import { evaluate, stepsOf } from '../fixtures.js';

const ROWS: readonly (readonly [keyof typeof optimizers, object])[] = [
  ...['exact', 'factored', 'plain', 'separate'].map((dampingKind) => ['kfac', { dampingKind, damping: 1e-3 }] as const),
  ['kfac', { alpha: 0.5, beta: 0.5, damping: 1e-3 }],
  ['kfac', { factorDecay: 0, damping: 1 }],
  ['kfac', { outputFactor: 'empirical', dampingKind: 'exact', damping: 1e-3 }],
  ['ekfac', { damping: 1e-3, inversePeriod: 2 }],
  ['foof', { damping: 1e-3, momentum: 0.5 }],
  ['layerwise', { damping: 1e-3 }],
  ['gaussNewton', { damping: 0.1 }],
  ['gaussNewton', { damping: 0.1, solver: 'cg', iterations: 30 }],
  ['naturalGradient', { damping: 0.1, fisher: 'empirical' }],
];

/** Inputs of very different scales: beside the largest eigenvalue of A, in the hundreds, the least are rounding errors in float32. */
const inputs = (n: number, d: number, t: number): Matrix =>
  build(n, d, (i, j) => (j === 0 ? 30 : j % 2 === 0 ? 1 : 0.01) * random(n, d, 'float64', 10 + t).get(i, j));

function trajectory(optimizer: Optimizer, dtype: Dtype, width: number): Matrix[] {
  const network = multilayerPerceptron({ inputs: width, hidden: [9], outputs: 3, activation: 'tanh', dtype, seed: 3 });
  for (const { value } of network.params) value.data.forEach((x, j) => (value.data[j] = Math.fround(x))); // the same start
  const state = optimizer.init(network.params);
  const steps: Matrix[] = [];
  for (let t = 1; t <= 4; t++) {
    const targets = build(2 * width, 1, (i) => (i * t) % 3).clone(dtype);
    evaluate(network, { inputs: inputs(2 * width, width, t).clone(dtype), targets }, optimizer.needs(t), softmaxCrossEntropy);
    const step = stepsOf(optimizer, network, state, t);
    step.forEach((s, i) => s.data.forEach((x, j) => (network.params[i].value.data[j] += x)));
    steps.push(...step.map((s) => s.clone('float64')));
  }
  return steps;
}

describe('in float32', () => {
  it.each(ROWS)('%s %j takes the steps it takes in float64', (name, options) => {
    const make = (): Optimizer => (optimizers[name].create as (o: object) => Optimizer)(options);
    const width = name === 'gaussNewton' || name === 'naturalGradient' ? 12 : 60;
    const exact = trajectory(make(), 'float64', width);
    const single = trajectory(make(), 'float32', width);
    exact.forEach((step, k) => expect(maxAbsDiff(single[k], step) / maxAbs(step), `step ${k}`).toBeLessThan(0.02));
  });
});
