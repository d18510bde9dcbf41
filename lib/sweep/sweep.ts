/** A sweep from specification to results: plan, run what is missing, choose, run the rest. */
import { canonical } from '../canonical.js';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import type { ExperimentName, Experiments, ParsedConfig } from '../experiments/index.js';
import { parseOptions, size } from '../options.js';
import { localExecutor } from './executors/local.js';
import { byRungs } from './executors/rungs.js';
import { slurmExecutor } from './executors/slurm/executor.js';
import { collect } from './executors/slurm/collect.js';
import type { Executor } from './executors/executor.js';
import { loadExperiments, moduleAddresses } from './modules.js';
import { firstStage, identityOf, inStages, secondStage } from './run/planning.js';
import type { Progress } from './run/progress.js';
import { pruner } from './run/pruning.js';
import { runPlan, type Result, type RunSummary } from './run/runner.js';
import { parseSpec, type Spec, type SpecInput } from './spec/schema.js';
import type { Role } from './store/plans.js';
import { openStore, type Store } from './store/store.js';

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

/** An executor, or what makes one for an open store. */
export type ExecutorChoice = Executor | ((store: Store, spec: Spec) => Executor);

export interface SweepOptions extends z.input<typeof optionsSchema> {
  /** What runs the trials; children of this process unless given. */
  readonly executor?: ExecutorChoice;
  /** Ends the sweep at once: what runs is dropped. `stop()` lets it finish. */
  readonly signal?: AbortSignal | undefined;
  /** Called once with what is there, and whenever something is on the disk. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface SweepSummary extends RunSummary {
  /** The sweep's number in its store. */
  readonly sweep: number;
  readonly store: string;
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
  const { executor, signal, onProgress, ...plain } = options;
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

/** Everything that was left open, settled. */
export interface Settled {
  readonly store: string;
  readonly folder: string;
  readonly verify: boolean;
  readonly executor: ExecutorChoice;
  readonly signal?: AbortSignal | undefined;
  readonly stopping?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onResult?: ((result: Result) => void) | undefined;
}

class Running implements SweepRun {
  readonly done: Promise<SweepSummary>;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<Listener>();

  constructor(spec: Spec, options: Settled) {
    const onResult = (result: Result): void => {
      for (const listener of this.#listeners) listener.push(result);
    };
    this.done = Promise.resolve() // not before listeners are there
      .then(() =>
        runSpec(spec, { ...options, stopping: this.#stopping.signal, onResult: this.#listeners.size === 0 ? undefined : onResult }),
      );
    const close = (error?: unknown): void => {
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
    return listener;
  }
}

/** Runs what the store does not hold yet: first what can be planned at once, then what depends on it. */
export async function runSpec(spec: Spec, { store: place, folder, verify, executor: choice, ...how }: Settled): Promise<SweepSummary> {
  const modules = moduleAddresses(spec.modules, folder);
  await loadExperiments(modules);
  const store = openStore(place, { mode: 'write', verify });
  try {
    const chosen = typeof choice === 'function' ? choice(store, spec) : choice;
    if (chosen.name === 'local') await collect(store); // what a cluster has left, before it is run again
    const id = planInto(store, spec, folder);
    const waits = spec.pruning !== undefined && (spec.pruning.synchronous || !chosen.dynamic);
    const executor = waits ? byRungs(chosen, join(store.folder, 'checkpoints')) : chosen;
    const { timeout, memory, retries, failFast, budget, pruning } = spec;
    const stage = (role?: Role): Promise<RunSummary> => {
      const rungs = pruning === undefined || role === 'evaluation' ? undefined : pruner(pruning, spec.objective!, store, id);
      return runPlan({
        ...how,
        executor,
        store,
        sweep: id,
        role,
        modules,
        rungs,
        pruned: pruning !== undefined,
        timeout,
        memory,
        retries,
        failFast,
        budget,
      });
    };
    let summary = await stage(inStages(spec) ? 'tuning' : undefined);
    if (summary.ending === 'complete' && inStages(spec)) {
      store.extend(id, secondStage(spec, store, id));
      const { failed } = summary;
      summary = await stage('evaluation');
      summary = { ...summary, failed: summary.failed + failed };
    }
    return { ...summary, sweep: id, store: store.folder };
  } finally {
    store.close();
  }
}

/** Writes a specification and what can be planned of it. @returns its number */
export function planInto(store: Store, spec: Spec, folder: string): number {
  const id = store.sweep({ name: spec.name, spec: canonical(spec) ?? '', folder, identity: identityOf(spec) });
  store.extend(id, firstStage(spec));
  return id;
}

/** Results for one loop over them, in order. */
class Listener implements AsyncIterator<Result> {
  readonly #queue: Result[] = [];
  readonly #onReturn: () => void;
  #ended = false;
  #error: unknown;
  #wake: () => void = () => undefined;

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

  async next(): Promise<IteratorResult<Result>> {
    for (;;) {
      const value = this.#queue.shift();
      if (value !== undefined) return { value, done: false };
      if (this.#error !== undefined) throw this.#error as Error;
      if (this.#ended) return { value: undefined, done: true };
      await new Promise<void>((done) => (this.#wake = done));
    }
  }

  return(): Promise<IteratorResult<Result>> {
    this.#ended = true;
    this.#queue.length = 0;
    this.#onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }
}

/** Runs a sweep's trials as Slurm arrays; for `executor`. @param own  over the specification's `slurm` */
export const slurm =
  (own: Partial<Spec['slurm']> & { readonly threads?: number; readonly detach?: boolean; readonly onNote?: (text: string) => void } = {}) =>
  (store: Store, spec: Spec): Executor => {
    const { threads = 1, detach = false, onNote, ...rest } = own;
    return slurmExecutor({ store, slurm: { ...spec.slurm, ...rest }, threads, detach, onNote });
  };
