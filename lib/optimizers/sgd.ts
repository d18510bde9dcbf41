/**
 * Stochastic gradient descent with momentum, Nesterov momentum and weight decay, as torch.optim.SGD:
 *   g <- g + weightDecay p;  v <- momentum v + g;  step = -learningRate v  (Nesterov: -learningRate (g + momentum v)).
 * No dampening.
 */
import { z } from 'zod';
import { axpby, copy, Matrix } from '../linalg/index.js';
import { fraction, nonNegative, parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { needsGradientOnly } from './needs.js';
import { rateAt, rateSchema, requireRatePerLayer } from './rate.js';

export const sgdSchema = z.strictObject({
  learningRate: rateSchema.default(0.1),
  momentum: fraction().default(0),
  nesterov: z.boolean().default(false),
  /** Added to the gradient as weightDecay p. */
  weightDecay: nonNegative().default(0),
});
export type SgdOptions = z.input<typeof sgdSchema>;

interface SgdState {
  /** v, of each parameter's shape. */
  velocity: Matrix[];
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function sgd(options: SgdOptions = {}): Optimizer<SgdState> {
  const o = parseOptions(sgdSchema, options, 'sgd');
  return {
    name: 'sgd',
    needs: needsGradientOnly,
    init(params) {
      requireRatePerLayer('sgd', 'learningRate', o.learningRate, params);
      return { velocity: params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype)) };
    },
    update({ step: t, params, gradients }, state, steps, which) {
      for (const i of which) {
        const v = state.velocity[i];
        const step = copy(gradients[i], steps[i]);
        if (o.weightDecay > 0) axpby(o.weightDecay, params[i].value, 1, step);
        axpby(1, step, o.momentum, v);
        const rate = rateAt(o.learningRate, params[i].layer, t);
        if (o.nesterov) axpby(-rate * o.momentum, v, -rate, step);
        else axpby(-rate, v, 0, step);
      }
    },
  };
}
