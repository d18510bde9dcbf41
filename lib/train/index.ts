import type { RunRecord } from '../types.js';
import { Training, type TrainOptions } from './training.js';

export { Evaluation, type EvaluationParts } from './evaluation.js';
export { Training, trainSchema, type TrainOptions } from './training.js';
export { decodeCheckpoint, encodeCheckpoint, encodeState, restoreState, type Checkpoint } from './checkpoint.js';

/** Trains to the end of the budget and returns the record; divergence and numerical failure are statuses, not exceptions.
 *  @throws OptionsError or ArgumentError when options do not fit each other */
export function train(options: TrainOptions): RunRecord {
  const training = new Training(options);
  while (training.advance(Infinity));
  return training.record();
}

export interface TrainAsyncOptions extends TrainOptions {
  /** Ends the run with status 'stopped'. */
  readonly signal?: AbortSignal | undefined;
  /** Called between slices of steps, and once at the end. */
  readonly onProgress?: ((training: Training) => void) | undefined;
  /** Steps, ascending, at which `atRung` decides whether the run goes on. */
  readonly rungs?: readonly number[] | undefined;
  /** @returns why the run ends here, as stopped; undefined to go on */
  readonly atRung?: ((training: Training) => Promise<string | undefined>) | undefined;
}

/** Milliseconds between two looks at the event loop: signals, messages and timers are served in between. */
const SLICE = 50;

/** The same without blocking the event loop for long: callers stay responsive, and an AbortSignal ends the run early. */
export async function trainAsync({ signal, onProgress, rungs = [], atRung, ...options }: TrainAsyncOptions): Promise<RunRecord> {
  const training = new Training(options);
  const slice = (): boolean => {
    const end = performance.now() + SLICE;
    while (training.advance(1)) if (performance.now() >= end || rungs.includes(training.step)) return true;
    return false;
  };
  const judge = async (): Promise<void> => {
    if (training.finished || !rungs.includes(training.step)) return;
    const reason = await atRung?.(training);
    if (reason !== undefined) training.stop(reason);
  };
  await judge(); // a run may be resumed at a rung
  while (slice()) {
    onProgress?.(training);
    await new Promise(setImmediate);
    if (signal?.aborted === true) training.stop('asked to stop');
    else await judge();
  }
  onProgress?.(training);
  return training.record();
}
