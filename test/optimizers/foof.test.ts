import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { axpby, leastSquares, Matrix, transpose } from '../../lib/linalg/index.js';
import { foof, type FoofOptions } from '../../lib/optimizers/foof.js';
import { kfac } from '../../lib/optimizers/kfac.js';
import { combine, expectClose, maxAbsDiff, multiply, transposed } from '../close.js';
import { batchOf, evaluate, smallNetwork, smallTask, stepsOf } from '../fixtures.js';
import { batchFor, inputFactors, jointOf, preconditioned, sceneOf, times, weightsOf } from './kroneckerByHand.js';

describe('foof', () => {
  it('reaches the least-squares head in one step with rate 1 and no damping', () => {
    const network = smallNetwork();
    const batch = batchOf(smallTask(), 60);
    const optimizer = foof({ learningRate: 1, damping: 0 });
    evaluate(network, batch, optimizer.needs(1));
    const steps = stepsOf(optimizer, network);
    const z = multiply(batch.inputs, transposed(network.params[0].value));
    expectClose(combine(1, network.params[1].value, 1, steps[1]), transpose(leastSquares(z, batch.targets).solution), 1e-11);
  });

  const WEIGHTS = {
    batch: [1, 1 / 1.8, 1 / 2.44], // of the present batch: bias-corrected
    zero: [0.2, 0.2, 0.2], // S <- rho S + (1 - rho) A
  };

  it.each(['batch', 'zero'] as const)(
    'takes S the average of A from %s on, M <- momentum M + V, step = -rate M (S + damping I)^-1',
    (factorStart) => {
      const scene = sceneOf({ loss: 'softmax-cross-entropy' });
      const { network, loss } = scene;
      const optimizer = foof({ learningRate: 0.3, damping: 0.02, factorDecay: 0.8, momentum: 0.6, factorStart });
      const state = optimizer.init(network.params);
      let [s, m]: [Matrix[], Matrix[]] = [[], []];
      WEIGHTS[factorStart].forEach((weight, k) => {
        const batch = batchFor(network, 'softmax-cross-entropy', 25, k);
        const a = inputFactors(scene, batch.inputs, true);
        evaluate(network, batch, optimizer.needs(k + 1), loss);
        const steps = stepsOf(optimizer, network, state, k + 1);
        const v = weightsOf(network).map((w) => jointOf(network, network.gradients, w));
        s = a.map((own, l) => (k === 0 ? times(weight, own) : combine(1 - weight, s[l], weight, own)));
        m = v.map((own, l) => (k === 0 ? own : combine(0.6, m[l], 1, own)));
        weightsOf(network).forEach((w, l) => {
          const u = preconditioned({ kind: 'separate', damping: 0.02 }, null, s[l], m[l]);
          expectClose(jointOf(network, steps, w), times(-0.3, u), 1e-11);
        });
        steps.forEach((step, i) => axpby(1, step, 1, network.params[i].value));
      });
    },
  );

  it('begins its average at the batch', () => {
    const scene = sceneOf({});
    const [own, batch] = [foof(), foof({ factorStart: 'batch' })].map((optimizer) => {
      evaluate(scene.network, scene.batch, optimizer.needs(1), scene.loss);
      return stepsOf(optimizer, scene.network);
    });
    own.forEach((step, i) => expect(maxAbsDiff(step, batch[i])).toBe(0));
  });

  it("with sums over the batch is the one with means at N times the rate and damping: Benzing's code and ours", () => {
    const scene = sceneOf({ samples: 16 });
    const run = (options: FoofOptions): Matrix[] => {
      const optimizer = foof(options);
      evaluate(scene.network, scene.batch, optimizer.needs(1), scene.loss);
      return stepsOf(optimizer, scene.network);
    };
    const ours = run({ learningRate: 0.3, damping: 0.02 });
    run({ learningRate: 16 * 0.3, damping: 16 * 0.02, factorScale: 'sum' }).forEach((step, i) => expectClose(step, ours[i], 1e-12));
  });

  it('is kfac without an output factor where both have the same averages', () => {
    const scene = sceneOf({});
    const shared = { damping: 0.1, momentum: 0.5, momentumOn: 'gradient' } as const;
    const [own, dial] = [foof(shared), kfac({ ...shared, outputFactor: 'none', dampingKind: 'separate' })].map((optimizer) => {
      evaluate(scene.network, scene.batch, optimizer.needs(1), scene.loss);
      return stepsOf(optimizer, scene.network);
    });
    own.forEach((step, i) => expect(maxAbsDiff(step, dial[i])).toBe(0));
  });

  it.each([
    [{ outputFactor: 'ggn' }, /foof: outputFactor: unknown key/],
    [{ dampingKind: 'exact' }, /foof: dampingKind: unknown key/],
    [{ outputDamping: 1 }, /foof: outputDamping: unknown key/],
    [{ factorStart: 'ones' }, /foof: factorStart: must be one of batch, zero, identity/],
  ])('throws OptionsError for %j', (options, message) => {
    const call = (): unknown => foof(options as FoofOptions);
    expect(call).toThrow(OptionsError);
    expect(call).toThrow(message);
  });
});
