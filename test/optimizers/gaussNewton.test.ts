import { describe, expect, it } from 'vitest';
import { Matrix, solve, symmetricEigenvalues, syrk } from '../../lib/linalg/index.js';
import { gaussNewton } from '../../lib/optimizers/index.js';
import type { Batch, Network } from '../../lib/types.js';
import { expectClose } from '../close.js';
import { batchOf, evaluate, smallNetwork, smallTask, stepsOf } from '../fixtures.js';

const NEEDS = { inputs: true, outputFactor: 'ggn', gaussNewton: true } as const;

/** mean_i J_i' J_i with every column of the Jacobian by central differences. */
function byDifferences(network: Network, { inputs }: Batch): Matrix {
  const columns: Float64Array[] = [];
  const h = 1e-5;
  for (const { value } of network.params)
    for (let i = 0; i < value.data.length; i++) {
      const at = value.data[i];
      const outputs = [h, -h].map((step) => {
        value.data[i] = at + step;
        return network.predict(inputs);
      });
      value.data[i] = at;
      columns.push(Float64Array.from(outputs[0].data, (x, k) => (x - outputs[1].data[k]) / (2 * h)));
    }
  const jacobian = Matrix.from(columns); // p x (n y)
  return syrk(jacobian, { alpha: 1 / inputs.rows });
}

describe('the dense Gauss-Newton matrix', () => {
  it.each(['identity', 'relu', 'tanh'] as const)("is mean J'J with the Jacobian of finite differences, for %s", (activation) => {
    const network = smallNetwork({ activation });
    const batch = batchOf(smallTask(), 12);
    evaluate(network, batch, NEEDS);
    expectClose(network.gaussNewton!, byDifferences(network, batch), 1e-8);
  });

  it('has the layer-wise factors as its diagonal blocks for a linear network: P_G (x) Q_G exactly', () => {
    const network = smallNetwork();
    const batch = batchOf(smallTask(), 20);
    evaluate(network, batch, NEEDS);
    const p = network.stats[0]!.outputFactor!;
    const q = syrk(batch.inputs, { transpose: true, alpha: 1 / 20 });
    const block = Matrix.zeros(27, 27);
    const kronecker = Matrix.zeros(27, 27);
    for (let i = 0; i < 27; i++)
      for (let j = 0; j < 27; j++) {
        block.data[i * 27 + j] = network.gaussNewton!.get(i, j);
        kronecker.data[i * 27 + j] = p.get(Math.floor(i / 9), Math.floor(j / 9)) * q.get(i % 9, j % 9);
      }
    expectClose(block, kronecker, 1e-13);
  });

  it('has the k^2 null directions F -> F A^-1, G -> A G', () => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 200), NEEDS);
    const values = symmetricEigenvalues(network.gaussNewton!);
    expect(values[8]).toBeLessThan(1e-12 * values.at(-1)!);
    expect(values[9]).toBeGreaterThan(1e-6 * values.at(-1)!);
  });

  it('throws ArgumentError through batch-norm', () => {
    expect(() => evaluate(smallNetwork({ batchNorm: true }), batchOf(smallTask(), 12), NEEDS)).toThrow(/not defined through batch-norm/);
  });
});

describe('gaussNewton', () => {
  it('steps by -learningRate (C + damping I)^-1 g over both layers jointly', () => {
    const network = smallNetwork({ activation: 'tanh' });
    evaluate(network, batchOf(smallTask(), 30), NEEDS);
    const steps = stepsOf(gaussNewton({ learningRate: 0.5, damping: 0.01 }), network);
    const p = 27 + 15;
    const damped = network.gaussNewton!.clone();
    for (let i = 0; i < p; i++) damped.data[i * p + i] += 0.01;
    const g = Float64Array.from([...network.gradients[0].data, ...network.gradients[1].data]);
    const expected = solve(damped, Matrix.wrap(g, p, 1)).data.map((x) => -0.5 * x);
    expectClose([...steps[0].data, ...steps[1].data], expected, 1e-11);
  });
});
