/**
 * Stochastic gradient descent with momentum, Nesterov momentum and weight decay, as torch.optim.SGD:
 *   g <- g + weightDecay p;  v <- momentum v + g;  step = -learningRate v  (Nesterov: -learningRate (g + momentum v)).
 * No dampening.
 */
import { z } from 'zod';
import { axpby, copy, Matrix } from '../linalg/index.js';
import { parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { gradientOnly } from './needs.js';
import { decayAt, decaySchema, mayBePositive, rateAt, rateSchema, requireRatesPerLayer } from './rate.js';

export const sgdSchema = z.strictObject({
  learningRate: rateSchema.default(0.1),
  momentum: decaySchema.default(0),
  nesterov: z.boolean().default(false),
  /** Added to the gradient as weightDecay p. */
  weightDecay: rateSchema.default(0),
});
export type SgdOptions = z.input<typeof sgdSchema>;

interface SgdState {
  /** v, of each parameter's shape. */
  velocity: Matrix[];
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function sgd(options: SgdOptions = {}): Optimizer<SgdState> {
  const o = parseOptions(sgdSchema, options, 'sgd');
  const decays = mayBePositive(o.weightDecay);
  return {
    name: 'sgd',
    needs: gradientOnly,
    init(params) {
      requireRatesPerLayer('sgd', o, params);
      return { velocity: params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype)) };
    },
    update({ step: t, params, gradients }, state, steps, which) {
      for (const i of which) {
        const { value: p, layer } = params[i];
        const v = state.velocity[i];
        const step = steps[i];
        let g = gradients[i];
        if (decays) g = axpby(rateAt(o.weightDecay, layer, t), p, 1, copy(g, step));
        const momentum = decayAt(o.momentum, layer, t);
        axpby(1, g, momentum, v);
        const rate = rateAt(o.learningRate, layer, t);
        if (o.nesterov) axpby(-rate * momentum, v, -rate, decays ? step : copy(g, step));
        else axpby(-rate, v, 0, step);
      }
    },
  };
}
