import { ArgumentError } from '../errors.js';
import type { Schedule } from '../types.js';

/** Linear warm-up over the first `steps` steps, t / steps times `then`, which starts counting with the run.
 *  @throws ArgumentError unless steps is a positive integer and `then` a schedule */
export function warmup(steps: number, then: Schedule): Schedule {
  if (!Number.isSafeInteger(steps) || steps < 1) throw new ArgumentError(`warmup: steps must be a positive integer, got ${steps}`);
  if (typeof (then as Partial<Schedule> | null)?.at !== 'function')
    throw new ArgumentError(`warmup: the second argument must be a schedule, such as constant(0.1); got ${JSON.stringify(then)}`);
  return { at: (t) => then.at(t) * Math.min(1, t / steps) };
}
