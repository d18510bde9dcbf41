/** Sweeps from a script: one call that runs, tells of results as they come, and can be stopped. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import type { ExperimentName, ExperimentRecord, Experiments, ParsedConfig } from '../experiments/index.js';
import { parseOptions, size } from '../options.js';
import type { Outcome } from './executors/executor.js';
import { localExecutor } from './executors/local.js';
import type { Progress } from './run/progress.js';
import { runSpec, type ExecutorChoice, type Settled, type SweepSummary } from './run/stages.js';
import { parseSpec, type Spec, type SpecInput } from './spec/schema.js';
import type { Failure, TrialState } from './states.js';
import { decodeRecord } from './store/encode.js';

/** A trial that has ended, once it is on the disk. */
export interface Result<C = ParsedConfig> {
  readonly id: string;
  readonly config: C;
  readonly state: TrialState;
  readonly seconds: number;
  /** Of a trial without a record. */
  readonly failure?: Failure;
  /** Curves and all; undefined for a trial without one. */
  readonly record?: ExperimentRecord & { readonly config: C };
}

/** The specification of a sweep over one experiment, as its own configuration is typed. */
export type SweepSpec<E extends ExperimentName = ExperimentName> = Omit<SpecInput, 'experiment' | 'base'> & {
  readonly experiment?: E;
  readonly base?: Partial<Omit<Experiments[E]['input'], 'experiment' | 'seed'>>;
};
/** Configurations that its results have. */
export type ConfigOf<E extends ExperimentName> = Experiments[E]['config'] & ParsedConfig;

const optionsSchema = z.strictObject({
  /** Folder of the store, made where it is not there. */
  store: z.string().min(1),
  /** Trials at a time; one a core unless given. */
  jobs: size().max(1024).optional(),
  /** BLAS threads a trial; results repeat to the bit at 1. */
  threads: size().max(1024).default(1),
  /** What relative `modules` are relative to; the working directory unless given. */
  folder: z.string().optional(),
  /** Look over every row of the store before anything is run. */
  verify: z.boolean().default(true),
});

export interface SweepOptions extends z.input<typeof optionsSchema> {
  /** What runs the trials; children of this process unless given. */
  readonly executor?: ExecutorChoice;
  /** Ends the sweep at once: what runs is dropped. `stop()` lets it finish. */
  readonly signal?: AbortSignal | undefined;
  /** Called once with what is there, and whenever something is on the disk. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A sweep that runs. Iterating over it gives each result once it is on the disk; leaving the loop stops the sweep in order. */
export interface SweepRun<C = ParsedConfig> extends AsyncIterable<Result<C>> {
  /** Ends in order: what runs is finished and kept. */
  stop(): void;
  /** How it ended. @throws FileError, OptionsError */
  readonly done: Promise<SweepSummary>;
}

/** Runs what the store does not hold yet of a sweep. The same call again goes on where it was.
 *  @throws OptionsError at once, when specification or options are wrong; what is found later rejects `done` */
export function sweep<E extends ExperimentName = 'linear-representation'>(
  spec: SweepSpec<E>,
  options: SweepOptions,
): SweepRun<ConfigOf<E>> {
  const parsed = parseSpec(spec);
  const { executor, signal, onProgress, ...plain } = (options as SweepOptions | undefined) ?? ({} as SweepOptions);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new OptionsError('sweep', [{ path: 'signal', value: inspect(signal, { depth: 0 }), message: 'must be an AbortSignal' }]);
  const own = parseOptions(optionsSchema, plain, 'sweep');
  if (own.store.trim() === '') throw new OptionsError('sweep', [{ path: 'store', value: '', message: 'must name a folder' }]);
  const { jobs = availableParallelism(), threads } = own;
  const run = new Running(parsed, {
    ...own,
    folder: resolve(own.folder ?? '.'),
    executor: executor ?? localExecutor({ jobs, threads }),
    signal,
    onProgress,
  });
  return run as unknown as SweepRun<ConfigOf<E>>;
}

class Running implements SweepRun {
  readonly done: Promise<SweepSummary>;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<Listener>();
  #ended = false;

  constructor(spec: Spec, options: Settled) {
    const onOutcome = (outcome: Outcome): void => {
      if (this.#listeners.size === 0) return;
      const result = resultOf(outcome);
      for (const listener of this.#listeners) listener.push(result);
    };
    // Not at once: who iterates from the beginning misses nothing.
    this.done = Promise.resolve().then(() => runSpec(spec, { ...options, stopping: this.#stopping.signal, onOutcome }));
    const close = (error?: unknown): void => {
      this.#ended = true;
      for (const listener of this.#listeners) listener.close(error);
    };
    this.done.then(
      () => close(),
      (error: unknown) => close(error),
    );
  }

  stop(): void {
    this.#stopping.abort();
  }

  [Symbol.asyncIterator](): AsyncIterator<Result> {
    this.done.catch(() => undefined); // the loop throws it
    const listener = new Listener(() => this.stop());
    this.#listeners.add(listener);
    if (this.#ended) listener.close(undefined); // nothing more is to come
    return listener;
  }
}

function resultOf(outcome: Outcome): Result {
  const { job, attempt } = outcome;
  const about = { id: job.id, config: job.config, seconds: attempt.seconds };
  if ('failure' in outcome) return { ...about, state: outcome.failure.state, failure: outcome.failure };
  return { ...about, state: outcome.record.state, record: decodeRecord(outcome.record, job.config) };
}

/** Results for one loop over them, in order. */
class Listener implements AsyncIterator<Result> {
  readonly #queue: Result[] = [];
  readonly #onReturn: () => void;
  #ended = false;
  #error: unknown;
  #waiting: (() => void)[] = [];

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(result: Result): void {
    if (!this.#ended) this.#queue.push(result);
    this.#wake();
  }

  close(error: unknown): void {
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async next(): Promise<IteratorResult<Result>> {
    for (;;) {
      const value = this.#queue.shift();
      if (value !== undefined) return { value, done: false };
      if (this.#error !== undefined) throw this.#error as Error;
      if (this.#ended) return { value: undefined, done: true };
      await new Promise<void>((done) => this.#waiting.push(done));
    }
  }

  return(): Promise<IteratorResult<Result>> {
    this.#ended = true;
    this.#queue.length = 0;
    this.#wake();
    this.#onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }
}
