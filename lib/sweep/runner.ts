/** Runs what the store does not hold yet. */
import type { ExperimentRecord } from '../experiments/index.js';
import { runLocally } from './executors/local.js';
import type { Store } from './store.js';
import type { Trial } from './trial.js';

export interface SweepOptions {
  readonly store: Store;
  readonly jobs: number;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once with the trials already stored, then after each trial. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly failed: number;
}

export interface SweepResult {
  readonly records: ReadonlyMap<string, ExperimentRecord>;
  /** Trials that could not be run, with the reason. Divergence is a result, not a failure. */
  readonly failures: readonly { readonly trial: Trial; readonly error: string }[];
  /** True when the signal ended it early. */
  readonly interrupted: boolean;
}

/** Records of all trials, run or stored; duplicates run once. */
export async function runTrials(
  trials: readonly Trial[],
  { store, jobs, threads, signal, onProgress }: SweepOptions,
): Promise<SweepResult> {
  const records = new Map<string, ExperimentRecord>();
  const failures: { trial: Trial; error: string }[] = [];
  const unique = new Map(trials.map((t) => [t.id, t]));
  const missing: Trial[] = [];
  for (const t of unique.values()) {
    const stored = store.get(t.id);
    if (stored === undefined) missing.push(t);
    else records.set(t.id, stored);
  }
  const report = (): void => onProgress?.({ done: records.size, total: unique.size, failed: failures.length });
  report();
  for await (const outcome of runLocally(missing, { jobs, threads, signal })) {
    if ('record' in outcome) {
      store.put(outcome.trial.id, outcome.record);
      records.set(outcome.trial.id, outcome.record);
    } else failures.push(outcome);
    report();
  }
  return { records, failures, interrupted: signal?.aborted === true };
}
