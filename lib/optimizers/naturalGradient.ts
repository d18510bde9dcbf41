/**
 * Natural gradient (Amari 1998) with the dense Fisher matrix of all parameters: step = -learningRate (Fisher + damping I)^-1 g. For the
 * losses here the exact Fisher matrix is the Gauss-Newton matrix ('ggn', the same step as gaussNewton); 'mc' estimates it with one label a
 * sample drawn from the model; 'empirical' takes the data's labels, which is another matrix (Kunstner, Hennig & Balles 2019).
 */
import { z } from 'zod';
import { parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { denseMethod, type DenseState } from './dense.js';
import { rateSchema, sharedRateSchema } from './rate.js';

export const naturalGradientSchema = z.strictObject({
  learningRate: rateSchema.default(0.1),
  damping: sharedRateSchema.default(1e-3),
  fisher: z.enum(['ggn', 'mc', 'empirical']).default('ggn'),
});
export type NaturalGradientOptions = z.input<typeof naturalGradientSchema>;

/** @throws OptionsError naming the field, the value and what is allowed */
export function naturalGradient(options: NaturalGradientOptions = {}): Optimizer<DenseState> {
  const o = parseOptions(naturalGradientSchema, options, 'naturalGradient');
  return denseMethod('naturalGradient', o, o.fisher);
}
