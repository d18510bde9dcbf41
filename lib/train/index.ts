import type { RunRecord } from '../types.js';
import { Training, type TrainOptions } from './training.js';

export { Training, trainSchema, type TrainOptions } from './training.js';
export { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from './checkpoint.js';

/** Trains to the end of the budget and returns the record; divergence and numerical failure are statuses, not exceptions.
 *  @throws OptionsError or ArgumentError when options do not fit each other */
export function train(options: TrainOptions): RunRecord {
  const training = new Training(options);
  while (training.advance(Infinity));
  return training.record();
}

/** The same without blocking the event loop for longer than `slice` steps: callers stay responsive, and an AbortSignal ends the run with
 *  status 'stopped'. */
export async function trainAsync(options: TrainOptions & { readonly signal?: AbortSignal; readonly slice?: number }): Promise<RunRecord> {
  const { signal, slice = 20, ...rest } = options;
  const training = new Training(rest);
  while (training.advance(slice)) {
    await new Promise(setImmediate);
    if (signal?.aborted === true) training.stop('asked to stop');
  }
  return training.record();
}
