import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix, leastSquares } from '../../lib/linalg/index.js';
import { finiteSampleTransferLoss, populationLoss, transferExcess, transferLoss } from '../../lib/metrics/index.js';
import type { Batch, LinearTeacher } from '../../lib/types.js';
import { multiply, sumOver, transposed } from '../close.js';
import { batchOf, evaluate, smallNetwork, smallTask } from '../fixtures.js';

const N = 200_000;

/** Half the mean squared norm of the rows of a - b. */
function halfMeanSquare(a: Matrix, b: Matrix): number {
  return sumOver(a.data, (x, i) => (x - b.data[i]) ** 2) / a.rows / 2;
}

const noiseless = (teacher: LinearTeacher, { inputs }: Batch): Matrix =>
  multiply(multiply(inputs, transposed(teacher.features)), transposed(teacher.head));

describe('population quantities in closed form agree with Monte Carlo', () => {
  it.each([false, true])('populationLoss, with batch-norm %s', (batchNorm) => {
    const task = smallTask({ noise: 0.4 });
    const network = smallNetwork({ batchNorm });
    evaluate(network, batchOf(task, 50));
    if (batchNorm) network.params[2].value.data.set([0.3, -0.1, 0.2]);
    const batch = batchOf(task, N, 7);
    const sampled = halfMeanSquare(network.predict(batch.inputs), batch.targets);
    expect(populationLoss(task)(network) / sampled).toBeCloseTo(1, 2);
  });

  it('transferExcess is the loss of the head fitted on many noiseless samples', () => {
    const task = smallTask({ transfer: { noise: 0, covariance: { family: 'power', exponent: 1 } } });
    const network = smallNetwork();
    const batch = batchOf(task.transfer, N, 8);
    const z = multiply(batch.inputs, transposed(network.features));
    const { solution } = leastSquares(z, batch.targets);
    const sampled = halfMeanSquare(multiply(z, solution), noiseless(task.transfer, batch));
    expect(transferExcess(task)(network) / sampled).toBeCloseTo(1, 1);
  });
});

describe('transferLoss', () => {
  const task = smallTask();

  it("is 0 when the features are the teacher's, and at most 1", () => {
    const network = smallNetwork();
    expect(transferLoss(task)(network)).toBeGreaterThan(0.01);
    expect(transferLoss(task)(network)).toBeLessThanOrEqual(1);
    network.features.data.set(task.features.data);
    expect(transferLoss(task)(network)).toBeLessThan(1e-28);
  });

  it('depends on the row space of the features alone', () => {
    const [a, b] = [smallNetwork(), smallNetwork()];
    b.features.data.set(
      multiply(
        Matrix.from([
          [2, 1, 0],
          [0, -1, 3],
          [1, 0, 1],
        ]),
        a.features,
      ).data,
    );
    expect(transferLoss(task)(b)).toBeCloseTo(transferLoss(task)(a), 12);
  });

  it("relative is absolute over half the variance of the teacher's outputs", () => {
    const network = smallNetwork();
    const zero = multiply(task.transfer.head, task.features);
    const variance = multiply(multiply(zero, task.transfer.covariance.matrix), transposed(zero));
    const half = [0, 1, 2, 3, 4].reduce((sum, i) => sum + variance.get(i, i), 0) / 2;
    expect(transferExcess(task)(network) / half).toBeCloseTo(transferLoss(task)(network), 12);
  });

  it('with a head fitted on m samples lies above it and approaches it', () => {
    const network = smallNetwork();
    const best = transferLoss(task)(network);
    const at = (samples: number): number => finiteSampleTransferLoss(task, { samples })(network);
    expect(at(20)).toBeGreaterThan(at(20_000));
    expect(at(20_000)).toBeGreaterThan(best);
    expect(at(20_000) / best).toBeCloseTo(1, 2);
  });

  it('throws ArgumentError for a nonlinear network', () => {
    const network = smallNetwork({ activation: 'tanh' });
    for (const metric of [transferLoss(task), transferExcess(task), populationLoss(task), finiteSampleTransferLoss(task, { samples: 30 })])
      expect(() => metric(network)).toThrow(ArgumentError);
  });
});
