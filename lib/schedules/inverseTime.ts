import { z } from 'zod';
import { nonNegative, parseOptions, positive } from '../options.js';
import type { Schedule } from '../types.js';

const schema = z.strictObject({
  initial: nonNegative(),
  /** Steps after which the value has halved. */
  halfLife: positive(),
});

/** initial / (1 + (t - 1) / halfLife): the classical decay of stochastic approximation (Robbins & Monro 1951).
 *  @throws OptionsError naming the field, the value and what is allowed */
export function inverseTime(options: z.input<typeof schema>): Schedule {
  const { initial, halfLife } = parseOptions(schema, options, 'inverseTime');
  return { at: (t) => initial / (1 + (t - 1) / halfLife) };
}
