/** Runs what a plan has and the store has not: hands trials to an executor, and keeps what comes back. */
import { setImmediate } from 'node:timers/promises';
import type { Executor, Job, JobSource, Outcome, Rungs, TrialLimits } from '../executors/executor.js';
import type { EncodedRecord } from '../store/encode.js';
import type { Role } from '../store/plans.js';
import type { Verdict } from '../store/results.js';
import type { Store } from '../store/store.js';
import type { Budget } from './budget.js';
import { LiveFile } from './live.js';
import { Forecast, type Progress } from './progress.js';

export interface RunnerOptions extends TrialLimits {
  readonly store: Store;
  /** Its plan is run. */
  readonly sweep: number;
  /** Only trials of this role. */
  readonly role?: Role | undefined;
  readonly executor: Executor;
  readonly modules?: readonly string[];
  readonly rungs?: Rungs | undefined;
  /** Whether a pruned record counts as one. */
  readonly pruned?: boolean;
  /** How often a trial is run again that was lost with its process. */
  readonly retries?: number;
  readonly failFast?: boolean;
  readonly budget?: Budget | undefined;
  /** Shown the first record that ended well, once it is kept. What it throws ends the run. */
  readonly require?: ((record: EncodedRecord) => void) | undefined;
  /** Ends at once; what runs is dropped. */
  readonly signal?: AbortSignal | undefined;
  /** Ends in order: what runs is finished and kept. */
  readonly stopping?: AbortSignal | undefined;
  /** Called once with what is there, then whenever something is on the disk. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called with every outcome that is on the disk, but for those of trials that run again. */
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
}

export interface RunSummary extends Progress {
  /** complete: all trials have ended, in one way or another; stopped: asked to; budget: it is used up; failed: at the first failure;
   *  detached: they go on elsewhere. */
  readonly ending: 'complete' | 'stopped' | 'budget' | 'failed' | 'detached';
}

/** Endings written together: at most so many, and none waits longer (milliseconds). */
const GROUP = { size: 50, wait: 100 };
const SECOND = 1000;

/** @throws FileError when results cannot be kept; nothing acknowledged is lost then */
export async function runPlan(options: RunnerOptions): Promise<RunSummary> {
  const run = new Run(options);
  return run.whole();
}

class Run implements JobSource {
  readonly #o: RunnerOptions;
  readonly #queue: readonly { readonly row: number; readonly cost: number }[];
  #at = 0;
  readonly #again: Job[] = [];
  readonly #lost = new Map<number, number>();
  readonly #live: LiveFile;
  readonly #forecast: Forecast;
  readonly #total: number;
  #done: number;
  #failed = 0;
  /** Handed out and not heard of yet. */
  #out = 0;
  /** Seconds that count already, of trials that are still on their way, by row. */
  readonly #counted = new Map<number, number>();
  #pending: Outcome[] = [];
  #timer: NodeJS.Timeout | undefined;
  #broken: Error | undefined;
  #required = false;
  #ending: RunSummary['ending'] = 'complete';
  readonly #abort = new AbortController();

  constructor(options: RunnerOptions) {
    this.#o = options;
    const { store, sweep, role, pruned = false } = options;
    this.#queue = store.missing(sweep, { pruned, role });
    this.#total = store.status(sweep).planned;
    const others = role === undefined ? [] : store.missing(sweep, { pruned: true, role: role === 'tuning' ? 'evaluation' : 'tuning' });
    this.#done = this.#total - this.#queue.length - others.length;
    this.#live = new LiveFile(store.folder);
    this.#forecast = new Forecast(store.database, sweep);
  }

  async whole(): Promise<RunSummary> {
    const { executor, signal, modules = [], rungs, timeout, memory } = this.#o;
    const end = (): void => this.#abort.abort();
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted === true) end();
    const beat = setInterval(() => this.#tell(), SECOND);
    this.#tell();
    try {
      const outcomes = executor.run(this, {
        modules,
        rungs,
        timeout,
        memory,
        stopping: this.#o.stopping,
        signal: this.#abort.signal,
        onStart: (job) => this.#live.begin(job),
        onPause: (job, seconds) => this.#pause(job, seconds),
      });
      if (!this.#abort.signal.aborted) for await (const outcome of outcomes) this.#take(outcome);
    } finally {
      this.#flush(); // also where the executor has failed: what has come is kept
      clearInterval(beat);
      clearTimeout(this.#timer);
      signal?.removeEventListener('abort', end);
      this.#live.remove();
    }
    if (this.#broken !== undefined) throw this.#broken;
    const { stopping } = this.#o;
    if (signal?.aborted === true || (stopping?.aborted === true && (this.#left || this.#out > 0))) this.#ending = 'stopped';
    else if (this.#out > 0 && this.#ending === 'complete') this.#ending = 'detached';
    await setImmediate(); // what was sent to listeners is heard
    return { ...this.#progress(), ending: this.#ending };
  }

  get #left(): boolean {
    return this.#again.length > 0 || this.#at < this.#queue.length;
  }

  get ended(): boolean {
    const { budget, stopping } = this.#o;
    if (this.#ending === 'failed' || stopping?.aborted === true || this.#abort.signal.aborted || this.#broken !== undefined) return true;
    if (budget?.overtime !== true) return false;
    this.#ending = 'budget';
    return true;
  }

  next(): Job | undefined {
    const { budget, store } = this.#o;
    if (!this.#left || this.#ending !== 'complete' || this.ended) return undefined;
    if (budget?.spent === true) {
      this.#ending = 'budget';
      return undefined;
    }
    if (budget !== undefined) budget.trials++;
    this.#out++;
    const again = this.#again.shift();
    if (again !== undefined) return again;
    const { row, cost } = this.#queue[this.#at++];
    return { ...store.trial(row), cost };
  }

  #take(outcome: Outcome): void {
    this.#live.end(outcome.job);
    this.#out--;
    this.#spend(outcome.job, outcome.attempt.seconds);
    this.#counted.delete(outcome.job.row); // one that was lost begins again
    this.#pending.push(outcome);
    // A trial that failed may have to run again: its executor must not find nothing to do before that is known.
    if (this.#pending.length >= GROUP.size || 'failure' in outcome) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), GROUP.wait);
    if (this.#broken !== undefined) throw this.#broken;
  }

  #pause(job: Job, seconds: number): void {
    this.#live.end(job);
    this.#spend(job, (this.#counted.get(job.row) ?? 0) + seconds);
  }

  /** @param seconds  of the trial so far */
  #spend({ row }: Job, seconds: number): void {
    const { budget } = this.#o;
    if (budget === undefined) return;
    budget.trialSeconds += seconds - (this.#counted.get(row) ?? 0);
    this.#counted.set(row, seconds);
  }

  /** Puts what has come on the disk, and then tells of it. */
  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const taken = this.#pending;
    this.#pending = [];
    if (taken.length === 0 || this.#broken !== undefined) return;
    let verdicts: readonly Verdict[];
    try {
      verdicts = this.#o.store.put(taken.map(({ job, ...ending }) => ({ row: job.row, ...ending })));
    } catch (error) {
      this.#break(error as Error);
      return;
    }
    // What was heard of before, from a shard that is read again, say, counts once.
    taken.forEach((outcome, i) => verdicts[i] === 'same' || this.#count(outcome));
    this.#tell();
  }

  #count(outcome: Outcome): void {
    const { job, attempt } = outcome;
    if ('record' in outcome) {
      this.#done++;
      this.#check(outcome.record);
      this.#forecast.done(job.config, job.cost, attempt.seconds);
    } else {
      const { retries = 2, failFast = false } = this.#o;
      const lost = (this.#lost.get(job.row) ?? 0) + 1;
      if (outcome.failure.state === 'lost' && lost <= retries) {
        this.#lost.set(job.row, lost);
        if (this.#o.budget !== undefined) this.#o.budget.trials--;
        this.#again.push(job);
        return;
      }
      this.#failed++;
      this.#forecast.failed(job.config, job.cost);
      if (failFast) this.#ending = 'failed';
    }
    this.#telling(() => this.#o.onOutcome?.(outcome));
  }

  /** What a listener throws ends the run, wherever it was called from. */
  #telling(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#break(error as Error);
    }
  }

  #check(record: EncodedRecord): void {
    if (this.#required || record.state !== 'done') return;
    this.#required = true;
    try {
      this.#o.require?.(record);
    } catch (error) {
      this.#break(error as Error);
    }
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#abort.abort();
  }

  #progress(): Progress {
    const left = this.#forecast.left;
    const eta = left === undefined ? undefined : left / this.#o.executor.width;
    return { done: this.#done, total: this.#total, failed: this.#failed, running: this.#live.running, eta };
  }

  #tell(): void {
    const progress = this.#progress();
    this.#live.write(progress, this.#o.executor.name, this.#o.sweep);
    this.#telling(() => this.#o.onProgress?.(progress));
  }
}
