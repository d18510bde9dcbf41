import { z } from 'zod';
import { nonNegative, parseOptions, size } from '../options.js';
import type { Schedule } from '../types.js';

const schema = z.strictObject({
  initial: nonNegative(),
  /** Steps until `final` is reached; it stays there afterwards. */
  steps: size(),
  final: nonNegative().default(0),
});

/** Half a cosine wave, final + (initial - final) (1 + cos(pi (t - 1) / steps)) / 2 (Loshchilov & Hutter 2017, no restarts).
 *  @throws OptionsError naming the field, the value and what is allowed */
export function cosine(options: z.input<typeof schema>): Schedule {
  const { initial, steps, final } = parseOptions(schema, options, 'cosine');
  return { at: (t) => final + ((initial - final) * (1 + Math.cos((Math.PI * Math.min(t - 1, steps)) / steps))) / 2 };
}
