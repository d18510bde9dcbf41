/** What runs trials: in children of this process, or on a cluster. States it tells of are hints; the store is the truth. */
import type { ParsedConfig } from '../../experiments/index.js';
import type { Failure } from '../states.js';
import type { EncodedRecord } from '../store/encode.js';
import type { Attempt } from '../store/results.js';
import type { CheckpointFolder } from './checkpoints.js';

export interface Job {
  /** Row of the trial in its store. */
  readonly row: number;
  readonly id: string;
  readonly config: ParsedConfig;
  /** Weight, in predicted seconds. */
  readonly cost: number;
}

export type Outcome = { readonly job: Job; readonly attempt: Attempt } & (
  { readonly record: EncodedRecord } | { readonly failure: Failure }
);

/** Trials to run, handed out one by one: more may come while others run. */
export interface JobSource {
  /** The next one; undefined while there is none. */
  next(): Job | undefined;
  /** Whether nothing more is to begin, not even what waits at a rung. */
  readonly ended: boolean;
}

export interface Rungs {
  readonly metric: string;
  readonly steps: readonly number[];
  /** Decides at a rung whether a trial goes on, by those seen there so far. @returns why it ends there; undefined to go on */
  readonly decide: (job: Job, step: number, value: number) => string | undefined;
  /** Decides for all that have come to a rung together. @returns those that go on */
  readonly promote: (step: number, candidates: readonly Candidate[]) => ReadonlySet<Job>;
  /** Where trials that end at a rung leave a checkpoint, and go on from it. */
  readonly checkpoints?: CheckpointFolder;
}

export interface Candidate {
  readonly job: Job;
  readonly value: number;
}

export interface TrialLimits {
  /** Seconds. */
  readonly timeout?: number | undefined;
  /** Bytes of resident memory. */
  readonly memory?: number | undefined;
}

export interface ExecutorOptions extends TrialLimits {
  /** Addresses of modules with experiments of one's own. */
  readonly modules: readonly string[];
  readonly rungs?: Rungs | undefined;
  /** Asked to end in order: no more trials will come. */
  readonly stopping?: AbortSignal | undefined;
  /** Ends everything at once; what runs is dropped. */
  readonly signal?: AbortSignal | undefined;
  /** Told when a trial begins. */
  readonly onStart?: ((job: Job) => void) | undefined;
  /** Told when a trial waits at a rung, and of its seconds since it began or went on. */
  readonly onPause?: ((job: Job, seconds: number) => void) | undefined;
}

export interface Executor {
  readonly name: string;
  /** Whether trials that run can ask at a rung whether they go on. */
  readonly dynamic: boolean;
  /** Trials that run at a time, for forecasts. */
  readonly width: number;
  /** Runs all that the source hands out, and tells of each trial's end. */
  run(source: JobSource, options: ExecutorOptions): AsyncIterable<Outcome>;
}
