/**
 * FOOF (Benzing 2022): the input side of KFAC alone, S a bias-corrected moving average of A, step = -learningRate M (S + damping I)^-1 with M
 * the momentum of the gradient; see kronecker.ts for the order of a step. Benzing's code sums over the batch where we average:
 * `factorScale: 'sum'` is that, or learningRate and damping divided by the batch size.
 */
import { z } from 'zod';
import { parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { kfacNamed, kfacSchema } from './kfac.js';
import { kroneckerOptions, type KroneckerState } from './kronecker.js';

export const foofSchema = z.strictObject({
  ...kroneckerOptions,
  momentumOn: kroneckerOptions.momentumOn.unwrap().default('gradient'),
});
export type FoofOptions = z.input<typeof foofSchema>;

/** @throws OptionsError naming the field, the value and what is allowed */
export function foof(options: FoofOptions = {}): Optimizer<KroneckerState<unknown>> {
  const o = parseOptions(foofSchema, options, 'foof');
  return kfacNamed('foof', { ...kfacSchema.parse({}), ...o, outputFactor: 'none', dampingKind: 'separate' });
}
