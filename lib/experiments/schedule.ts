import { z } from 'zod';
import { nonNegative, positive } from '../options.js';
import { constant, cosine, inverseTime, warmup } from '../schedules/index.js';
import type { Schedule } from '../types.js';

/** Steps of linear warm-up before the schedule proper. */
const common = { warmup: z.int().min(0).default(0) };

/** A factor on the learning rate, 1 at its largest. */
export const scheduleConfig = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), ...common }),
  z.strictObject({ kind: z.literal('cosine'), final: nonNegative().default(0), ...common }),
  z.strictObject({ kind: z.literal('inverse-time'), halfLife: positive().default(100), ...common }),
]);
export type ScheduleConfig = z.output<typeof scheduleConfig>;

/** The schedule of a learning rate over a run of `steps`; a plain number where it is constant. */
export function scheduled(rate: number, config: ScheduleConfig, steps: number): number | Schedule {
  const body = (): Schedule => {
    switch (config.kind) {
      case 'constant':
        return constant(rate);
      case 'cosine':
        return cosine({ initial: rate, steps, final: rate * config.final });
      case 'inverse-time':
        return inverseTime({ initial: rate, halfLife: config.halfLife });
    }
  };
  if (config.warmup > 0) return warmup(config.warmup, body());
  return config.kind === 'constant' ? rate : body();
}
