import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { denseCurvatureOf } from '../../lib/networks/index.js';
import { kfac, type KfacOptions } from '../../lib/optimizers/kfac.js';
import { applySeparable, invertSeparable, separableState, type SeparableState } from '../../lib/optimizers/separable.js';
import { applyWoodbury, makeWoodbury, prepareWoodbury } from '../../lib/optimizers/woodbury.js';
import { DTYPES, expectClose, maxAbs, maxAbsDiff, random } from '../close.js';
import { evaluate, stepsOf } from '../fixtures.js';
import { batchFor, gramOf, inputFactors, jointOf, kron, outputFactor, plusDiagonal, preconditioned, sceneOf, solveFor, times, weightsOf } from './kroneckerByHand.js'; // prettier-ignore

const traceOf = (a: Matrix): number => {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) sum += a.get(i, i);
  return sum;
};

describe("(scale X'X + damping I)^-1 by Woodbury's identity", () => {
  it.each([
    [1, 2],
    [1, 7],
    [3, 6],
    [4, 11],
  ])('is the dense inverse for %i samples of width %i, means and sums, in both dtypes', (samples, n) => {
    for (const { dtype, epsilon } of DTYPES)
      for (const scale of [1 / samples, 1])
        for (const m of [1, 3, n + 1]) {
          const inputs = random(samples, n, dtype, 3);
          const v = random(m, n, dtype, 4);
          const dense = gramOf(inputs, scale);
          const held = makeWoodbury(v, m);
          expect(prepareWoodbury(held, { inputs, scale }, 0.2, traceOf(dense))).toBe(true);
          const expected = solveFor(kron(Matrix.identity(m), plusDiagonal(dense, 0.2)), v.clone('float64'));
          expectClose(applyWoodbury(held, v), expected.clone(dtype), 500 * epsilon);
        }
  });

  it('follows a number of samples that changes', () => {
    const held = makeWoodbury(Matrix.zeros(0, 0), 2);
    for (const samples of [3, 5, 2]) {
      const [inputs, v] = [random(samples, 12, 'float64', samples), random(2, 12)];
      expect(prepareWoodbury(held, { inputs, scale: 1 }, 0.2, 10)).toBe(true);
      const expected = solveFor(kron(Matrix.identity(2), plusDiagonal(gramOf(inputs, 1), 0.2)), v);
      expectClose(applyWoodbury(held, v), expected, 1e-12);
    }
  });

  it.each([
    ['more samples than half the width', 4, 0.2, 7],
    ['no damping', 3, 0, 7],
    ['damping near the rounding of the factor, which the direct way would notice', 3, 1e-13, 7],
  ])('is not taken for %s', (_why, samples, damping, n) => {
    const held = makeWoodbury(Matrix.zeros(0, 0), 2);
    const inputs = random(samples, n);
    expect(prepareWoodbury(held, { inputs, scale: 1 / samples }, damping, traceOf(gramOf(inputs)))).toBe(false);
    expect(held.inputs).toBeNull();
  });

  it('is not taken for inputs that are not finite, which the direct way refuses', () => {
    const inputs = random(3, 7);
    inputs.data[4] = NaN;
    expect(prepareWoodbury(makeWoodbury(inputs, 2), { inputs, scale: 1 }, 0.2, 1)).toBe(false);
  });
});

it('invertSeparable goes the direct way again once a batch is too large for the short one', () => {
  const powers = { alpha: 0, beta: 1 };
  const v = random(2, 9);
  const state = separableState(v, 2, 9, powers);
  const take = (samples: number): Matrix => {
    const inputs = random(samples, 9, 'float64', samples);
    const gram = gramOf(inputs);
    const batch = { inputs, scale: 1 / samples };
    invertSeparable(state, gram, null, { input: 0.3, output: 0 }, 'separate', powers, () => undefined, batch);
    const u = v.clone();
    applySeparable(state, u, true, powers, Matrix.zeros(2, 9));
    expectClose(u, solveFor(kron(Matrix.identity(2), plusDiagonal(gram, 0.3)), v), 1e-12);
    return u;
  };
  take(3);
  expect(state.work.inputs).not.toBeNull();
  take(20);
  expect(state.work.inputs).toBeNull();
});

describe('kfac on few samples', () => {
  const scene = sceneOf({ widths: [11, 4, 2], loss: 'logistic', samples: 5 });
  const { network, loss } = scene;
  const weights = weightsOf(network);

  /** Steps on batches of 5, each weight's with its bias; whether each went the short way; and what a batch's own factors are. */
  function run(options: KfacOptions, count = 1, joint = options.bias !== 'separate') {
    const optimizer = kfac({ learningRate: 1, damping: 0.05, factorDecay: 0, ...options });
    const state = optimizer.init(network.params);
    const batch = batchFor(network, 'logistic', 5, 0);
    return Array.from({ length: count }, (_, k) => {
      // One buffer for all batches, as in training.
      const next = batchFor(network, 'logistic', 5, k + 1);
      batch.inputs.data.set(next.inputs.data);
      batch.targets.data.set(next.targets.data);
      const dense = denseCurvatureOf(network, loss, batch, 'ggn');
      evaluate(network, batch, optimizer.needs(k + 1), loss);
      const steps = stepsOf(optimizer, network, state, k + 1);
      return {
        steps: weights.map((w) => jointOf(network, steps, w, joint)),
        v: weights.map((w) => jointOf(network, network.gradients, w, joint)),
        a: inputFactors(scene, batch.inputs, joint),
        b: weights.map((w) => outputFactor(dense, network, w)),
        short: weights.map((w) => (state.weights[w]!.preconditioner as SeparableState).work.inputs !== null),
        report: optimizer.inspect!(state, 0),
      };
    });
  }

  it.each(['factored', 'plain', 'separate'] as const)(
    'takes this way where the factor is of the batch alone, and the same step, with %s damping',
    (dampingKind) => {
      for (const factorScale of ['mean', 'sum'] as const) {
        const [seen] = run({ dampingKind, factorScale });
        expect(seen.short).toEqual([true, false]); // 12 inputs with the bias, then 5
        seen.steps.forEach((step, l) => {
          const a = factorScale === 'sum' ? times(5, seen.a[l]) : seen.a[l];
          expectClose(step, times(-1, preconditioned({ kind: dampingKind, damping: 0.05 }, seen.b[l], a, seen.v[l])), 1e-11);
        });
        const [direct] = run({ dampingKind, factorScale, factorDecay: 1e-300 });
        expect(direct.short).toEqual([false, false]);
        expect(seen.report['input.damping']).toBe(direct.report['input.damping']);
        expect(maxAbsDiff(seen.steps[0], direct.steps[0]) / maxAbs(direct.steps[0])).toBeLessThan(1e-11);
      }
    },
  );

  it('takes the direct way for powers, averages, and inverses that are to last', () => {
    for (const options of [{ beta: 0.5 }, { factorDecay: 0.5 }, { inversePeriod: 2 }, { damping: 1e-30 }])
      expect(run(options)[0].short).toEqual([false, false]);
  });

  it.each([
    ['factors', { factorPeriod: 2 }],
    ['inverses', { inversePeriod: 2 }],
  ])('uses the %s of the batch before where they are renewed every second step', (_what, options) => {
    // With a separate bias X is the buffer of the batches, which the second one overwrites.
    for (const bias of ['joint', 'separate'] as const) {
      const [first, second] = run({ dampingKind: 'plain', bias, ...options }, 2);
      second.steps.forEach((step, l) => {
        const u = preconditioned({ kind: 'plain', damping: 0.05 }, first.b[l], first.a[l], second.v[l]);
        expectClose(step, times(-1, u), 1e-11);
      });
      expect(maxAbsDiff(first.a[0], second.a[0])).toBeGreaterThan(0.1);
    }
  });
});
