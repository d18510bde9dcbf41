/** Runs a list of trials that somebody else has planned (a study, a script) through a store. */
import { canonical } from '../canonical.js';
import { predictSeconds, type ExperimentRecord } from '../experiments/index.js';
import { localExecutor } from './executors/local.js';
import { runPlan, type RunnerOptions, type RunSummary } from './run/runner.js';
import { Pricing } from './run/pricing.js';
import { settingOf, type Trial } from './spec/trial.js';
import type { FailureReport } from './store/query.js';
import type { Store } from './store/store.js';

export interface TrialsOptions extends Pick<RunnerOptions, 'signal' | 'stopping' | 'onProgress'> {
  readonly store: Store;
  /** Of the sweep in the store that these trials make. */
  readonly name: string;
  readonly jobs: number;
  readonly threads: number;
}

export interface TrialsResult {
  readonly summary: RunSummary;
  /** Trials without a record, with the reason and the log. Divergence is a record. */
  readonly failures: readonly FailureReport[];
  /** The record of a trial; undefined where it has none. */
  readonly lookup: (trial: Trial) => ExperimentRecord | undefined;
}

/** Seconds that trials will take on one core. @throws OptionsError, ArgumentError or FileError when one that is looked at cannot run */
export function priceOf(trials: readonly Trial[]): number {
  const pricing = new Pricing();
  for (const { config } of trials) pricing.add(config);
  return pricing.price().seconds;
}

/** Every distinct trial runs once, those with a record in the store not at all. The same name again adds to its plan. */
export async function runTrials(trials: readonly Trial[], options: TrialsOptions): Promise<TrialsResult> {
  const { store, name, jobs, threads, ...rest } = options;
  const spec = canonical({ name });
  const sweep = store.begin(
    { name, spec, folder: '', identity: spec },
    trials.map(({ config }) => ({ setting: settingOf(config), seed: config.seed, role: 'evaluation', cost: predictSeconds(config) })),
  );
  const summary = await runPlan({ store, sweep, executor: localExecutor({ jobs, threads }), ...rest });
  return { summary, failures: store.failures({ sweep }), lookup: ({ id }) => store.record(id) };
}
