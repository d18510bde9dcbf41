import { describe, expect, it } from 'vitest';
import { axpby, gemm, leastSquares, qr, solve, syrk, transpose } from '../../lib/linalg/index.js';
import { amgd } from '../../lib/optimizers/index.js';
import { distanceBetween } from '../../lib/metrics/index.js';
import { OptionsError } from '../../lib/errors.js';
import { train } from '../../lib/train/index.js';
import { combine, expectClose, expectOrthonormal, transposed } from '../close.js';
import { batchOf, evaluate, smallNetwork, smallTask, stepsOf } from '../fixtures.js';

describe('amgd', () => {
  it.each([false, true])(
    'solves the head by least squares, then moves the features along their gradient and orthonormalises (whitened: %s)',
    (whitened) => {
      const network = smallNetwork();
      const batch = batchOf(smallTask(), 60);
      const optimizer = amgd({ learningRate: 0.2, whitened, damping: 0 });
      const state = optimizer.init(network.params);

      evaluate(network, batch);
      axpby(1, stepsOf(optimizer, network, state)[1], 1, network.params[1].value);
      const z = gemm(batch.inputs, network.features, { transposeB: true });
      expectClose(network.params[1].value, transpose(leastSquares(z, batch.targets).solution), 1e-11);

      evaluate(network, batch);
      const gradient = network.gradients[0].clone();
      const q = syrk(batch.inputs, { transpose: true, alpha: 1 / 60 });
      const direction = whitened ? transpose(solve(q, transpose(gradient))) : gradient;
      const moved = combine(1, network.features, -0.2, direction);
      axpby(1, stepsOf(optimizer, network, state)[0], 1, network.features);
      expectOrthonormal(transposed(network.features), 1e-14);
      expect(distanceBetween(network.features, moved)).toBeLessThan(1e-14);
      const { r } = qr(transpose(moved)); // the same orientation as Gram-Schmidt's
      const oriented = gemm(network.features, moved, { transposeB: true });
      for (let i = 0; i < 3; i++) expect(oriented.get(i, i)).toBeCloseTo(Math.abs(r.get(i, i)), 10);
    },
  );

  it('is defined head first: train refuses another order', () => {
    expect(() =>
      train({ task: smallTask(), network: smallNetwork(), optimizer: amgd(), order: 'alternating', steps: 1, batch: 30 }),
    ).toThrow(OptionsError);
  });

  it('throws OptionsError for a network with batch-norm', () => {
    expect(() => amgd().init(smallNetwork({ batchNorm: true }).params)).toThrow(/exactly two weights/);
  });
});
