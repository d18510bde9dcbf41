/** SGD, Adam and AdamW follow torch.optim on a fixed sequence of gradients, to 1e-12 in float64. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Matrix, axpby } from '../../lib/linalg/index.js';
import { adam, adamw, sgd } from '../../lib/optimizers/index.js';
import type { Optimizer } from '../../lib/types.js';
import { maxAbsDiff } from '../close.js';
import { gradientContext, paramsOf } from '../fixtures.js';

interface TorchOptions {
  lr: number;
  momentum?: number;
  nesterov?: boolean;
  weight_decay?: number;
  betas?: [number, number];
  eps?: number;
  amsgrad?: boolean;
}
interface Case {
  name: string;
  shape: string;
  rows: number;
  cols: number;
  options: TorchOptions;
  params: number[][];
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/torch-optimizers.json', import.meta.url), 'utf8')) as {
  cases: Case[];
} & Record<string, unknown>;

function ours({ name, options: o }: Case): Optimizer {
  const weightDecay = o.weight_decay ?? 0;
  if (name.startsWith('sgd')) return sgd({ learningRate: o.lr, momentum: o.momentum ?? 0, nesterov: o.nesterov ?? false, weightDecay });
  const [beta1, beta2] = o.betas ?? [0.9, 0.999];
  const options = { learningRate: o.lr, beta1, beta2, epsilon: o.eps ?? 1e-8, amsgrad: o.amsgrad ?? false, weightDecay };
  return name === 'adamw' ? adamw(options) : adam(options);
}

describe('optimisers that PyTorch has', () => {
  it('have a case each in the fixture', () => {
    expect(fixture.cases).toHaveLength(27);
  });

  it.each(fixture.cases)('$name takes the steps of torch on a $shape weight', (c) => {
    const start = fixture[`start/${c.shape}`] as number[];
    const gradients = fixture[`grads/${c.shape}`] as number[][];
    const value = Matrix.wrap(Float64Array.from(start), c.rows, c.cols);
    const optimizer = ours(c);
    const params = paramsOf([value]);
    const state = optimizer.init(params);
    const step = Matrix.zeros(c.rows, c.cols);
    gradients.forEach((g, t) => {
      const gradient = Matrix.wrap(Float64Array.from(g), c.rows, c.cols);
      optimizer.update(gradientContext(t + 1, params, [gradient]), state, [step], [0]);
      axpby(1, step, 1, value);
      expect(maxAbsDiff(value, c.params[t]), `after step ${t + 1}`).toBeLessThan(1e-12);
    });
  });
});
