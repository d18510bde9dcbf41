/** Runs trials in persistent child processes, one BLAS thread each unless told otherwise (OpenBLAS is process-global). */
import { hostname } from 'node:os';
import { LayerwiseError } from '../../errors.js';
import { Child, failureOf, starvedSoFar, thrown, type Ended } from './child.js';
import type { Executor, ExecutorOptions, Job, JobSource, Outcome } from './executor.js';
import type { FromChild } from './protocol.js';

export interface LocalSize {
  /** Child processes. */
  readonly jobs: number;
  /** BLAS threads in each. */
  readonly threads: number;
  /** Seconds that a process may take to begin with the next trial (30), before another one is started for it. */
  readonly patience?: number;
}
type LocalOptions = ExecutorOptions & Required<LocalSize>;

/** Below so many seconds a trial, a child is given the next one before it has ended its own, so that it never waits. */
const SHORT = 0.5;
const FALSE_STARTS = 5;
/** Seconds: a busy machine, or one that swaps, may take some. */
const PATIENCE = 30;
/** Milliseconds that an idle child has to end by itself: one of its trials may have left it busy. */
const GRACE = 2000;
/** Milliseconds between two looks at the children's memory. */
const WATCH = 50;

/** A child that dies, or is ended for its time or memory, fails its own trial alone and is replaced; an abort ends all children and
 *  drops what they were at. A child that cannot even start ends the run with a LayerwiseError. */
export const localExecutor = (size: LocalSize): Executor => ({
  name: 'local',
  dynamic: true,
  width: size.jobs,
  async *run(source, options) {
    const local = new Local(source, { ...options, ...size, patience: size.patience ?? PATIENCE });
    try {
      yield* local.outcomes();
    } finally {
      local.close();
    }
  },
});

class Local {
  readonly #source: JobSource;
  readonly #o: LocalOptions;
  readonly #children = new Set<Child>();
  /** Given to a child that died before it began with them. */
  readonly #returned: Job[] = [];
  readonly #outcomes: Outcome[] = [];
  readonly #host = hostname();
  #wake: () => void = () => undefined;
  #error: Error | undefined;
  #closed = false;
  /** Children in a row that were ended from outside before they were ready. */
  #falseStarts = 0;
  #starved = starvedSoFar();
  /** Mean seconds a trial, of the last ones. */
  #pace = Infinity;
  readonly #watch: NodeJS.Timeout | undefined;
  readonly #abort = (): void => {
    this.close();
    this.#wake();
  };

  constructor(source: JobSource, options: LocalOptions) {
    this.#source = source;
    this.#o = options;
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    const { memory } = options;
    if (memory !== undefined) this.#watch = setInterval(() => this.#weigh(memory), WATCH);
  }

  async *outcomes(): AsyncGenerator<Outcome> {
    for (;;) {
      if (!this.#closed) this.#assign();
      const next = this.#outcomes.shift();
      if (next !== undefined) yield next;
      else if (this.#error !== undefined) throw this.#error;
      else if (this.#closed || [...this.#children].every(({ jobs }) => jobs.length === 0)) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#o.signal?.removeEventListener('abort', this.#abort);
    for (const child of this.#children)
      if (child.jobs.length === 0) child.dismiss(GRACE);
      else child.kill();
  }

  /** Gives every idle child, or new one, a trial; and then short ones ahead. */
  #assign(): void {
    for (const depth of [1, 2]) {
      if (depth === 2 && this.#pace > SHORT) return;
      for (const child of this.#children) while (child.jobs.length < depth && child.ended === undefined) if (!this.#give(child)) return;
      while (this.#children.size < this.#o.jobs) {
        const job = this.#next();
        if (job === undefined) return;
        this.#give(this.#start(), job);
      }
    }
  }

  #next(): Job | undefined {
    return this.#returned.shift() ?? this.#source.next();
  }

  #give(child: Child, job = this.#next()): boolean {
    if (job === undefined) return false;
    const { rungs } = this.#o;
    child.give(job, {
      kind: 'run',
      row: job.row,
      id: job.id,
      config: job.config,
      ...(rungs === undefined ? {} : { rungs: { metric: rungs.metric, steps: rungs.steps } }),
      checkpoints: rungs?.checkpoints,
    });
    return true;
  }

  #start(): Child {
    const child = new Child(this.#o, {
      onMessage: (from, message) => {
        this.#hear(from, message);
        this.#wake();
      },
      onEnd: (of, how) => {
        this.#bury(of, how);
        this.#wake();
      },
    });
    this.#children.add(child);
    return child;
  }

  #hear(child: Child, message: FromChild): void {
    // A trial may send messages of its own: they are none of ours.
    if (this.#closed || typeof message !== 'object' || (message as unknown) === null) return;
    if (message.kind === 'ready') {
      child.loaded();
      this.#falseStarts = 0;
    } else if (message.kind === 'started') {
      child.begin(this.#o.timeout);
      this.#o.onStart?.(child.jobs[0]);
    } else if (message.kind === 'rung') {
      const reason = this.#o.rungs?.decide(child.jobs[0], message.step, message.value);
      child.send({ kind: 'verdict', reason });
    } else if ((message.kind === 'record' || message.kind === 'error') && message.row === child.jobs[0]?.row) {
      const job = child.finish();
      if (job === undefined) return;
      const { started, seconds } = message;
      this.#pace = Number.isFinite(this.#pace) ? 0.8 * this.#pace + 0.2 * seconds : seconds;
      const attempt = { engine: 'local', host: this.#host, started, seconds };
      if (message.kind === 'record') this.#outcomes.push({ job, attempt, record: message.record });
      else
        this.#outcomes.push({
          job,
          attempt,
          failure: thrown(message.message, [message.log.trim(), message.stack].filter((t) => t !== '').join('\n')),
        });
    }
  }

  #bury(child: Child, how: Ended): void {
    this.#children.delete(child);
    if (this.#closed) return;
    const { started } = child;
    const outside = how.signal === 'SIGKILL' && !child.stuck;
    if (!child.ready && child.ended === undefined && (!outside || ++this.#falseStarts > FALSE_STARTS)) {
      const why = child.stuck ? 'it did not load its experiments in time' : (how.signal ?? `exit code ${String(how.code)}`);
      const what = `a process for trials cannot start (${why})`;
      this.#error = new LayerwiseError('ERR_CHILD', `${what}:\n${child.log}`);
      this.close();
      return;
    }
    if (started !== undefined) {
      const seconds = Date.now() / 1000 - started;
      const job = child.finish();
      const starved = starvedSoFar();
      const failure = failureOf(how, child.log, child.ended, starved > this.#starved);
      this.#starved = starved;
      if (job !== undefined) this.#outcomes.push({ job, attempt: { engine: 'local', host: this.#host, started, seconds }, failure });
    }
    this.#returned.push(...child.jobs);
  }

  #weigh(most: number): void {
    for (const child of this.#children)
      if (child.started !== undefined && child.memory() > most)
        child.kill({ state: 'memory', message: `used more than ${Math.round(most / 2 ** 20)} MiB of memory (the limit)` });
  }
}
