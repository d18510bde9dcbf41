import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { squared } from '../../lib/losses/index.js';
import { twoLayer } from '../../lib/networks/index.js';
import type { Batch, Network } from '../../lib/types.js';
import { expectClose, maxAbsDiff, sumOver } from '../close.js';
import { batchOf, bothDtypes, evaluate, smallNetwork, smallTask } from '../fixtures.js';

const ACTIVATIONS = ['identity', 'relu', 'tanh'] as const;
const VARIANTS = ACTIVATIONS.flatMap((activation) => [false, true].map((batchNorm) => ({ activation, batchNorm })));

const lossOf = (network: Network, { inputs, targets }: Batch): number => {
  const outputs = network.forward(inputs);
  return squared.evaluate(outputs, targets, outputs.clone());
};

describe('gradients', () => {
  it.each(VARIANTS)('agree with central differences to 1e-6 relative: $activation, batch-norm $batchNorm', ({ activation, batchNorm }) => {
    const network = smallNetwork({ activation, batchNorm });
    if (batchNorm) network.params[1].value.data.set([0.7, 1.3, -0.4]); // away from their symmetric start
    if (batchNorm) network.params[2].value.data.set([0.1, -0.2, 0.3]);
    const batch = batchOf(smallTask(), 25);
    evaluate(network, batch);
    const gradients = network.gradients.map((g) => g.clone());
    network.params.forEach(({ value }, p) => {
      const h = 1e-5;
      const differences = Float64Array.from(value.data, (at, i) => {
        value.data[i] = at + h;
        const up = lossOf(network, batch);
        value.data[i] = at - h;
        const down = lossOf(network, batch);
        value.data[i] = at;
        return (up - down) / (2 * h);
      });
      const scale = Math.max(...gradients[p].data.map(Math.abs));
      expect(maxAbsDiff(gradients[p].data, differences) / scale).toBeLessThan(1e-6);
    });
  });

  it.each(VARIANTS)('in float32 are those of float64 to its precision: $activation, batch-norm $batchNorm', (variant) => {
    const [double, single] = bothDtypes.map((dtype) => {
      const network = smallNetwork({ ...variant, dtype });
      evaluate(network, batchOf(smallTask({ dtype }), 25));
      return network.gradients;
    });
    double.forEach((g, i) => expectClose(single[i], g, 2e-5));
  });

  it('are computed for the parameters asked for alone', () => {
    const network = smallNetwork();
    const batch = batchOf(smallTask(), 10);
    const r = Matrix.zeros(10, 5);
    squared.evaluate(network.forward(batch.inputs), batch.targets, r);
    network.backward(r, [1]);
    expect(network.gradients[0].data.every((x) => x === 0)).toBe(true);
    expect(network.gradients[1].data.some((x) => x !== 0)).toBe(true);
  });
});

describe('prediction', () => {
  it.each(ACTIVATIONS)('is the training forward pass where there is no batch-norm: %s', (activation) => {
    const network = smallNetwork({ activation });
    const { inputs } = batchOf(smallTask(), 7);
    expectClose(network.predict(inputs), network.forward(inputs).clone(), 1e-15);
  });

  it('uses running statistics, moved by 0.1 a batch with unbiased variances', () => {
    const network = smallNetwork({ batchNorm: true });
    const { inputs } = batchOf(smallTask(), 30);
    network.forward(inputs);
    const h = Matrix.zeros(30, 3);
    for (let i = 0; i < 30; i++)
      for (let j = 0; j < 3; j++) for (let k = 0; k < 9; k++) h.data[i * 3 + j] += inputs.get(i, k) * network.features.get(j, k);
    for (let j = 0; j < 3; j++) {
      const column = Array.from({ length: 30 }, (_, i) => h.get(i, j));
      const mean = column.reduce((a, b) => a + b) / 30;
      const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / 29;
      expect(network.state['running'].get(0, j)).toBeCloseTo(0.1 * mean, 12);
      expect(network.state['running'].get(1, j)).toBeCloseTo(0.9 + 0.1 * variance, 12);
    }
  });

  it('moves running statistics once a batch, also where a step looks at the batch again', () => {
    const network = smallNetwork({ batchNorm: true });
    const { inputs } = batchOf(smallTask(), 30);
    network.forward(inputs);
    const once = network.state['running'].clone();
    network.forward(inputs, false);
    expect(network.state['running'].data).toEqual(once.data);
    network.forward(inputs);
    expect(network.state['running'].data).not.toEqual(once.data);
  });

  it.each([false, true])('is the affine map it reports, with batch-norm %s', (batchNorm) => {
    const network = smallNetwork({ batchNorm });
    const { inputs } = batchOf(smallTask(), 30);
    network.forward(inputs);
    if (batchNorm) network.params[2].value.data.set([0.5, -1, 2]);
    const { weight, bias } = network.affineMap()!;
    const byMap = Matrix.zeros(30, 5);
    for (let i = 0; i < 30; i++)
      for (let j = 0; j < 5; j++) {
        byMap.data[i * 5 + j] = bias.data[j];
        for (let k = 0; k < 9; k++) byMap.data[i * 5 + j] += weight.get(j, k) * inputs.get(i, k);
      }
    expectClose(network.predict(inputs), byMap, 1e-13);
  });

  it('has no affine map through an activation', () => {
    expect(smallNetwork({ activation: 'relu' }).affineMap()).toBeNull();
  });
});

describe('twoLayer', () => {
  it('draws G from N(0, 1/inputs) and F from N(0, 1/hidden), the same for one seed and others for another', () => {
    const big = twoLayer({ inputs: 400, hidden: 200, outputs: 300, seed: 5 });
    const variance = (m: Matrix): number => sumOver(m.data, (x) => x * x) / m.data.length;
    expect(variance(big.params[0].value) * 400).toBeCloseTo(1, 1);
    expect(variance(big.params[1].value) * 200).toBeCloseTo(1, 1);
    expect(smallNetwork({ seed: 8 }).features.data).toEqual(smallNetwork({ seed: 8 }).features.data);
    expect(smallNetwork({ seed: 8 }).features.data).not.toEqual(smallNetwork({ seed: 9 }).features.data);
  });

  it('takes batches of another size when they come', () => {
    const network = smallNetwork({ activation: 'tanh', batchNorm: true });
    for (const n of [4, 9, 4]) expect(evaluate(network, batchOf(smallTask(), n))).toBeGreaterThan(0);
  });

  it('throws OptionsError naming what is wrong', () => {
    expect(() => twoLayer({ inputs: 3, hidden: 0, outputs: 2 })).toThrow(/twoLayer: hidden: must be at least 1; got 0/);
    expect(() => twoLayer({ inputs: 3, hidden: 1, outputs: 2, activation: 'swish' as 'relu' })).toThrow(
      /activation: must be one of identity, relu, tanh, sigmoid, gelu, erf, leakyRelu, or must be an object; got "swish"/,
    );
    expect(() => twoLayer({ inputs: 3, hidden: 1 } as never)).toThrow(OptionsError);
  });
});
