/** One child process and what it is at. */
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Failure } from '../states.js';
import type { Job } from './executor.js';
import { LOG, MODULES, type FromChild, type RunMessage, type ToChild } from './protocol.js';

/** Milliseconds that the rest of its output may take once it has ended. */
const DRAIN = 1000;

/** Children fill the cores: what V8 collects on threads beside the main one it takes from another trial (15% of small ones). */
const ALONE = ['--single-threaded-gc'];

/** Seconds that a process may take to load the experiments before it is given up. */
const LOADING = 600;

export interface ChildOptions {
  readonly threads: number;
  readonly modules: readonly string[];
  /** Seconds that it may take to begin with a trial that is its next: a former one may have left it busy. */
  readonly patience: number;
}

export interface ChildEvents {
  readonly onMessage: (child: Child, message: FromChild) => void;
  /** Once it is gone and its output is read to the end. */
  readonly onEnd: (child: Child, how: Ended) => void;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  readonly #process: ChildProcess;
  /** What it has been given, the running one first. */
  readonly jobs: Job[] = [];
  /** Seconds since 1970 when the running one began; undefined while none runs. */
  started: number | undefined;
  /** Whether it was given up because it did not begin. */
  stuck = false;
  readonly #patience: number;
  #ready = false;
  #gone = false;
  /** Why we ended it ourselves. */
  ended: Pick<Failure, 'state' | 'message'> | undefined;
  #log = '';
  /** Until the running one must have ended, or the next one must have begun. */
  #timer: NodeJS.Timeout | undefined;

  constructor({ threads, modules, patience }: ChildOptions, events: ChildEvents) {
    this.#patience = patience;
    // Compiled, or through tsx where the sources run as they are (tests).
    const source = import.meta.url.endsWith('.ts');
    this.#process = fork(fileURLToPath(new URL(source ? './worker.ts' : './worker.js', import.meta.url)), {
      env: {
        ...process.env,
        OPENBLAS_NUM_THREADS: String(threads),
        OMP_NUM_THREADS: String(threads),
        [MODULES]: JSON.stringify(modules),
      },
      execArgv: [...ALONE, ...(source ? ['--import', 'tsx'] : [])],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on('data', (text: Buffer) => (this.#log = (this.#log + text.toString()).slice(-LOG)));
    this.#process.on('message', (message: FromChild) => events.onMessage(this, message));
    void this.#end().then((how) => events.onEnd(this, how));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** It has loaded the experiments. */
  loaded(): void {
    this.#ready = true;
    this.#expect();
  }

  give(job: Job, message: RunMessage): void {
    this.jobs.push(job);
    this.send(message);
    if (this.jobs.length === 1) this.#expect();
  }

  /** The next one must begin, and soon. */
  #expect(): void {
    clearTimeout(this.#timer);
    if (this.#gone || this.jobs.length === 0 || this.started !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.stuck = true;
        this.kill();
      },
      1000 * (this.#ready ? this.#patience : LOADING),
    );
  }

  send(message: ToChild): void {
    if (this.#process.connected) this.#process.send(message, () => undefined); // one that is gone ends by itself
  }

  /** The running trial begins: what was written before is not its own. @param timeout  seconds */
  begin(timeout: number | undefined): void {
    this.started = Date.now() / 1000;
    this.#log = '';
    clearTimeout(this.#timer);
    if (timeout === undefined) return;
    this.#timer = setTimeout(() => this.kill({ state: 'timeout', message: `took longer than ${timeout} s (the timeout)` }), 1000 * timeout);
  }

  /** The running trial is over. */
  finish(): Job | undefined {
    this.started = undefined;
    const job = this.jobs.shift();
    this.#expect();
    return job;
  }

  /** Ends it at once. @param why  of its trial, where that is to be blamed */
  kill(why?: Pick<Failure, 'state' | 'message'>): void {
    this.ended ??= why;
    clearTimeout(this.#timer);
    this.#process.kill('SIGKILL');
  }

  /** Lets it end by itself, for so many milliseconds. */
  dismiss(grace: number): void {
    clearTimeout(this.#timer);
    if (this.#process.connected) this.#process.disconnect();
    setTimeout(() => this.#process.kill('SIGKILL'), grace).unref();
  }

  get log(): string {
    return this.#log.trim();
  }

  /** Bytes of resident memory; 0 once it is gone. */
  memory(): number {
    try {
      return Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
    } catch {
      return 0;
    }
  }

  /** How it ended, once its output is read to the end. Node's 'close' event would say so too, but is not emitted after a disconnect
   *  made while a message is being handled. */
  #end(): Promise<Ended> {
    const child = this.#process;
    const exit = new Promise<Ended>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => {
        this.#log += error.message;
        resolve({ code: 1, signal: null });
      });
    });
    const drained = [child.stdout, child.stderr].map(
      (stream) => new Promise<void>((resolve) => (stream === null ? resolve() : stream.once('close', resolve))),
    );
    // A process that it has started itself may hold its output open for ever.
    return exit.then(async (how) => {
      this.#gone = true;
      clearTimeout(this.#timer);
      await Promise.race([Promise.all(drained), sleep(DRAIN, undefined, { ref: false })]);
      return how;
    });
  }
}

const OUT_OF_MEMORY = /heap out of memory|allocation failed|std::bad_alloc|cannot allocate memory/i;
/** Ended from outside: nothing that the trial did. */
const FROM_OUTSIDE: readonly string[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'];

/** What the end of a process says of the trial it was at.
 *  @param starved  whether the system has ended a process for want of memory meanwhile */
export function failureOf({ code, signal }: Ended, log: string, ended: Child['ended'], starved: boolean): Failure {
  if (ended !== undefined) return { ...ended, log };
  if (OUT_OF_MEMORY.test(log)) return { state: 'memory', message: 'its process ran out of memory', log };
  if (signal === 'SIGKILL' && starved) return { state: 'memory', message: 'the system ended its process for want of memory', log };
  if (signal !== null && FROM_OUTSIDE.includes(signal))
    return { state: 'lost', message: `its process was ended from outside (${signal})`, log };
  return { state: 'crashed', message: `its process ended with ${signal ?? `exit code ${String(code)}`}`, log };
}

/** The same of an error that was thrown. */
export const thrown = (message: string, log: string): Failure => ({
  state: OUT_OF_MEMORY.test(message) ? 'memory' : 'error',
  message,
  log,
});

/** Processes that the system has ended for want of memory since it started; 0 where it does not tell. */
export function starvedSoFar(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
