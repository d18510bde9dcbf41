/**
 * AdamW (Loshchilov & Hutter 2019): Adam with decoupled weight decay, as torch.optim.AdamW:
 *   step = -learningRate weightDecay p + Adam's step on the bare gradient.
 */
import { z } from 'zod';
import { axpby } from '../linalg/index.js';
import { parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { adamMoment, adamOptions, initAdam, type AdamState } from './adam.js';
import { gradientOnly } from './needs.js';
import { mayBePositive, rateAt, rateSchema, requireRatesPerLayer } from './rate.js';

export const adamwSchema = z.strictObject({
  ...adamOptions,
  learningRate: rateSchema.default(0.001),
  weightDecay: rateSchema.default(0.01),
});
export type AdamwOptions = z.input<typeof adamwSchema>;

/** @throws OptionsError naming the field, the value and what is allowed */
export function adamw(options: AdamwOptions = {}): Optimizer<AdamState> {
  const o = parseOptions(adamwSchema, options, 'adamw');
  const decays = mayBePositive(o.weightDecay);
  return {
    name: 'adamw',
    needs: gradientOnly,
    init(params) {
      requireRatesPerLayer('adamw', o, params);
      return initAdam(params, o.amsgrad);
    },
    update(context, state, steps, which) {
      const { step: t, params, gradients } = context;
      for (const i of which) {
        const { value: p, layer } = params[i];
        adamMoment(o, layer, t, state, i, gradients[i], steps[i]);
        if (decays) axpby(-rateAt(o.learningRate, layer, t) * rateAt(o.weightDecay, layer, t), p, 1, steps[i]);
      }
    },
  };
}
