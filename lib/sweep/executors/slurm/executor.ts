/** Runs trials as Slurm arrays, many trials a task. The coordinator only submits, reads shards, and submits again what was lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../../files.js';
import { canonical } from '../../../canonical.js';
import { LayerwiseError } from '../../../errors.js';
import type { Spec } from '../../spec/schema.js';
import type { Store } from '../../store/store.js';
import type { Executor, ExecutorOptions, Job, JobSource, Outcome } from '../executor.js';
import { arrayLimit, cancel, queued, sbatch, type QueuedTask } from './commands.js';
import { closeSubmission, openSubmission, openSubmissions, submitted, type Submission } from './ledger.js';
import { scriptOf } from './script.js';
import { pack, readJobs, readPlan, Shards, writeSubmission } from './submission.js';

export interface SlurmOptions {
  /** Opened for writing. */
  readonly store: Store;
  readonly slurm: Spec['slurm'];
  /** BLAS threads a trial. */
  readonly threads: number;
  /** Submit, and end: `collect` reads what comes of it. */
  readonly detach?: boolean;
  /** What is worth telling. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** Seconds, and three looks at the queue, that a submission must be gone from it before its missing trials count as lost: a controller that comes back may find
 *  its tasks again. */
const GRACE = 5;
/** Seconds during which a controller that does not answer is asked again. */
const PATIENCE = 300;

/** Why tasks wait where all is well. */
const USUAL = /^(None|Resources|Priority|BeginTime|JobArrayTaskLimit|QOS.*|Assoc.*)$/;

export function slurmExecutor(options: SlurmOptions): Executor {
  let latest: SlurmRun | undefined;
  return {
    name: 'slurm',
    dynamic: false,
    get width() {
      return latest?.width ?? options.slurm.jobs;
    },
    run(source, how) {
      latest = new SlurmRun(options, how);
      return latest.outcomes(source);
    },
  };
}

interface Flight {
  readonly submission: Submission;
  readonly shards: Shards;
  /** Trials not heard of yet, by identity. */
  readonly missing: Map<string, Job>;
  /** Whether anything has come of it. */
  landed: boolean;
  /** Since when the queue has not known it, in milliseconds; undefined while it does. */
  goneSince: number | undefined;
}

class SlurmRun {
  readonly #o: SlurmOptions;
  readonly #how: ExecutorOptions;
  #flights: Flight[] = [];
  #lastAsked = 0;
  #runningTasks = 0;
  /** Last told. */
  #why = '';

  constructor(options: SlurmOptions, how: ExecutorOptions) {
    this.#o = options;
    this.#how = how;
  }

  /** Trials that run at a time now. */
  get width(): number {
    return Math.max(1, this.#runningTasks) * this.#o.slurm.jobs;
  }

  async *outcomes(source: JobSource): AsyncGenerator<Outcome> {
    if (this.#o.detach === true && this.#how.rungs !== undefined)
      throw new LayerwiseError(
        'ERR_SLURM',
        'pruning compares trials at every rung, and nobody does once this process ends; leave --detach out',
      );
    await this.#adopt();
    const known = new Map(this.#flights.flatMap(({ missing }) => [...missing]));
    for (;;) {
      yield* this.#land();
      const jobs: Job[] = [];
      for (let job = source.next(); job !== undefined; job = source.next()) if (!known.has(job.id)) jobs.push(job);
      known.clear(); // of this run's beginning: later, a trial that comes again was lost
      if (jobs.length > 0) await this.#submit(jobs);
      if (this.#flights.length === 0) return;
      if (this.#letsGo) {
        this.#o.onNote?.(`tasks go on without this process: layerwise status, collect and cancel see to them`);
        return;
      }
      await sleep(1000 * this.#o.slurm.poll, undefined, { ref: true });
      yield* this.#lost();
    }
  }

  get #letsGo(): boolean {
    return this.#o.detach === true || this.#how.stopping?.aborted === true || this.#how.signal?.aborted === true;
  }

  /** Goes on with what an earlier coordinator has submitted. Trials that end at another rung than these are taken back: they go on
   *  from their checkpoints. */
  async #adopt(): Promise<void> {
    const own = canonical(this.#how.rungs?.steps ?? null);
    for (const submission of openSubmissions(this.#o.store)) {
      if (canonical(readPlan(submission.folder).rungs?.steps ?? null) === own)
        this.#flights.push(this.#flight(submission, readJobs(submission.folder)));
      else {
        await cancel(submission.name);
        closeSubmission(this.#o.store, submission);
      }
    }
  }

  #flight(submission: Submission, jobs: readonly Job[]): Flight {
    return {
      submission,
      shards: new Shards(submission.folder),
      missing: new Map(jobs.map((job) => [job.id, job])),
      landed: false,
      goneSince: undefined,
    };
  }

  /** What has come since the last time. */
  *#land(): Generator<Outcome> {
    for (const flight of this.#flights) {
      for (const { id, attempt, ...how } of flight.shards.read()) {
        const job = flight.missing.get(id);
        if (job === undefined) continue; // of a task that ran twice
        flight.missing.delete(id);
        flight.landed = true;
        yield { job, attempt, ...how };
      }
      if (flight.missing.size === 0) closeSubmission(this.#o.store, flight.submission);
    }
    this.#flights = this.#flights.filter(({ missing }) => missing.size > 0);
  }

  /** Trials whose tasks are gone, after a last look at the shards. Where others of their tasks have ended, their time may just have been
   *  up: they go in again, and nothing is held against them. */
  async *#lost(): AsyncGenerator<Outcome> {
    this.#runningTasks = 0;
    for (const flight of [...this.#flights]) {
      const tasks = await this.#ask(flight.submission.name);
      if (tasks === undefined || tasks > 0) {
        flight.goneSince = undefined;
        continue;
      }
      flight.goneSince ??= performance.now();
      if (performance.now() - flight.goneSince < 1000 * (GRACE + 3 * this.#o.slurm.poll)) continue;
      yield* this.#land();
      closeSubmission(this.#o.store, flight.submission);
      this.#flights = this.#flights.filter((other) => other !== flight);
      if (flight.landed) {
        if (flight.missing.size > 0 && !this.#letsGo) await this.#submit([...flight.missing.values()]);
        continue;
      }
      const damaged = flight.shards.damaged === 0 ? '' : `; ${flight.shards.damaged} lines of its shards are damaged`;
      for (const job of flight.missing.values())
        yield {
          job,
          attempt: { engine: 'slurm', host: '', started: Date.now() / 1000, seconds: 0 },
          failure: { state: 'lost', message: `its task (${flight.submission.name}) left the queue without it${damaged}`, log: '' },
        };
    }
  }

  /** Where nothing of it runs, for a reason that waiting may not mend. */
  #sayWhy(name: string, tasks: readonly QueuedTask[]): void {
    const reasons = new Set(tasks.map(({ state, reason }) => (state === 'PENDING' && !USUAL.test(reason) ? reason : '')));
    const why = tasks.length === 0 || reasons.has('') ? '' : [...reasons].sort().join('; ');
    if (why !== '' && why !== this.#why) this.#o.onNote?.(`${name} waits: ${why}`);
    this.#why = why;
  }

  /** How many of its tasks are in the queue; undefined while the controller does not answer. */
  async #ask(name: string): Promise<number | undefined> {
    try {
      const tasks = await queued(name);
      this.#lastAsked = performance.now();
      this.#runningTasks += tasks.filter(({ state }) => state === 'RUNNING').length;
      this.#sayWhy(name, tasks);
      return tasks.length;
    } catch (error) {
      if (!(error instanceof LayerwiseError) || performance.now() - this.#lastAsked > 1000 * PATIENCE) throw error;
      return undefined;
    }
  }

  async #submit(jobs: readonly Job[]): Promise<void> {
    const { store, slurm, threads } = this.#o;
    const { modules, timeout, memory, rungs } = this.#how;
    const tasks = pack(jobs, slurm.taskSeconds * slurm.jobs);
    const most = Math.min(slurm.arraySize ?? Infinity, await arrayLimit());
    const submission = openSubmission(store, tasks.length);
    const ends = rungs === undefined ? undefined : { metric: rungs.metric, steps: rungs.steps, checkpoints: rungs.checkpoints! };
    writeSubmission(submission.folder, { modules, timeout, memory, rungs: ends, jobs: slurm.jobs, threads }, tasks);
    const numbers: string[] = [];
    try {
      for (let first = 0; first < tasks.length; first += most)
        numbers.push(await this.#array(submission, first, Math.min(tasks.length - first, most) - 1));
    } catch (error) {
      if (numbers.length === 0) closeSubmission(store, submission); // else a part of it runs, and is found again
      throw error;
    }
    this.#lastAsked = performance.now();
    this.#flights.push(this.#flight(submitted(store, submission, numbers), jobs));
    this.#o.onNote?.(`${jobs.length} trials in ${tasks.length} tasks submitted as ${numbers.join(', ')} (${submission.name})`);
  }

  /** One array: tasks first to first + last. Asked again while the controller does not answer. */
  async #array({ name, folder }: Submission, first: number, last: number): Promise<string> {
    const script = join(folder, `array-${first}.sh`);
    writeFileAtomic(script, scriptOf(folder, first, this.#o.slurm.prologue));
    const args = [
      `--job-name=${name}`,
      `--array=0-${last}`,
      '--requeue',
      '--open-mode=append',
      '--signal=B:USR1@60',
      `--output=${join(folder, 'logs', '%a-%A.out')}`,
      ...(this.#o.slurm.jobs > 1 ? [`--cpus-per-task=${this.#o.slurm.jobs}`] : []),
      ...this.#o.slurm.options,
      script,
    ];
    const began = performance.now();
    for (;;)
      try {
        return await sbatch(args, folder);
      } catch (error) {
        const passing = /contact slurm controller|socket timed out|temporarily unable/i.test((error as Error).message);
        if (!passing || performance.now() - began > 1000 * PATIENCE || this.#how.signal?.aborted === true) throw error;
        await sleep(2000);
      }
  }
}

/** Runs a sweep's trials as Slurm arrays; for `executor`. @param own  over the specification's `slurm` */
export const slurm =
  (own: Partial<Spec['slurm']> & { readonly threads?: number; readonly detach?: boolean; readonly onNote?: (text: string) => void } = {}) =>
  (store: Store, spec: Spec): Executor => {
    const { threads = 1, detach = false, onNote, ...rest } = own;
    return slurmExecutor({ store, slurm: { ...spec.slurm, ...rest }, threads, detach, onNote });
  };
