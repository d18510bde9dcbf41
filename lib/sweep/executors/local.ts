/** Runs trials in persistent child processes, one BLAS thread each unless told otherwise (OpenBLAS is process-global). */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ExperimentRecord } from '../../experiments/index.js';
import type { Trial } from '../trial.js';
import type { Reply } from './worker.js';

export type Outcome = { readonly trial: Trial } & ({ readonly record: ExperimentRecord } | { readonly error: string });

export interface LocalOptions {
  /** Child processes. */
  readonly jobs: number;
  /** BLAS threads in each. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

interface Child {
  readonly process: ChildProcess;
  trial: Trial | undefined;
  /** The end of what it wrote to stderr. */
  log: string;
}

/** Yields each trial's outcome as it comes. A child that dies fails its own trial alone and is replaced; an abort ends all children and
 *  drops what they were at. */
export async function* runLocally(trials: readonly Trial[], { jobs, threads, signal }: LocalOptions): AsyncGenerator<Outcome> {
  const queue = [...trials];
  const outcomes: Outcome[] = [];
  const children = new Set<Child>();
  let wake: () => void = () => undefined;
  const emit = (outcome: Outcome): void => {
    outcomes.push(outcome);
    wake();
  };

  const assign = (child: Child): void => {
    child.trial = signal?.aborted === true ? undefined : queue.shift();
    if (child.trial === undefined) child.process.disconnect();
    else child.process.send({ id: child.trial.id, config: child.trial.config });
  };
  const start = (): void => {
    const child: Child = { process: spawn(threads), trial: undefined, log: '' };
    children.add(child);
    child.process.stderr?.on('data', (text: Buffer) => (child.log = (child.log + text.toString()).slice(-2000)));
    child.process.on('message', (reply: Reply) => {
      const { trial } = child;
      if (trial === undefined) return;
      child.trial = undefined;
      emit('record' in reply ? { trial, record: reply.record } : { trial, error: reply.error });
      assign(child);
    });
    void ended(child.process).then((how) => {
      children.delete(child);
      if (child.trial !== undefined && signal?.aborted !== true)
        emit({ trial: child.trial, error: `its process ended early (${how})${child.log === '' ? '' : `: ${child.log.trim()}`}` });
      if (queue.length > 0 && signal?.aborted !== true && children.size < jobs) start();
      wake();
    });
    assign(child);
  };
  const abort = (): void => {
    for (const { process } of children) process.kill('SIGKILL');
    wake();
  };

  signal?.addEventListener('abort', abort, { once: true });
  try {
    for (let i = 0; i < Math.min(jobs, trials.length); i++) start();
    for (;;) {
      const next = outcomes.shift();
      if (next !== undefined) yield next;
      else if (children.size === 0 || signal?.aborted === true) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    queue.length = 0; // whoever stopped listening wants no more of it, and no replacement children
    signal?.removeEventListener('abort', abort);
    for (const { process } of children) process.kill('SIGKILL');
  }
}

/** The worker beside this file: compiled, or through tsx where the sources run as they are (tests). */
function spawn(threads: number): ChildProcess {
  const here = import.meta.url;
  const source = here.endsWith('.ts');
  return fork(fileURLToPath(new URL(source ? './worker.ts' : './worker.js', here)), {
    env: { ...process.env, OPENBLAS_NUM_THREADS: String(threads) },
    execArgv: source ? ['--import', 'tsx'] : [],
    serialization: 'advanced', // structured clone: JSON would lose NaN and the infinities
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/** How a child ended, once its output is read to the end. Node's 'close' event would say so too, but is not emitted after a
 *  disconnect made while a message is being handled. */
function ended(child: ChildProcess): Promise<string> {
  const exit = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${String(code)}`));
    child.once('error', (error) => resolve(error.message));
  });
  const drained = new Promise<void>((resolve) => child.stderr?.once('close', resolve) ?? resolve());
  return Promise.all([exit, drained]).then(([how]) => how);
}
