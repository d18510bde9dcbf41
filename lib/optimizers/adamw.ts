/**
 * AdamW (Loshchilov & Hutter 2019): Adam with decoupled weight decay, as torch.optim.AdamW:
 *   step = -learningRate weightDecay p + Adam's step on the bare gradient.
 */
import { z } from 'zod';
import { axpby } from '../linalg/index.js';
import { nonNegative, parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { adamMoment, adamOptions, initAdam, type AdamState } from './adam.js';
import { needsGradientOnly } from './needs.js';
import { rateAt, rateSchema, requireRatePerLayer } from './rate.js';

export const adamwSchema = z.strictObject({
  ...adamOptions,
  learningRate: rateSchema.default(0.001),
  weightDecay: nonNegative().default(0.01),
});
export type AdamwOptions = z.input<typeof adamwSchema>;

/** @throws OptionsError naming the field, the value and what is allowed */
export function adamw(options: AdamwOptions = {}): Optimizer<AdamState> {
  const o = parseOptions(adamwSchema, options, 'adamw');
  return {
    name: 'adamw',
    needs: needsGradientOnly,
    init(params) {
      requireRatePerLayer('adamw', 'learningRate', o.learningRate, params);
      return initAdam(params, o.amsgrad);
    },
    update(context, state, steps, which) {
      const { step: t, params, gradients } = context;
      for (const i of which) {
        const rate = rateAt(o.learningRate, params[i].layer, t);
        adamMoment(o, context, state, i, gradients[i], rate, steps[i]);
        if (o.weightDecay > 0) axpby(-rate * o.weightDecay, params[i].value, 1, steps[i]);
      }
    },
  };
}
