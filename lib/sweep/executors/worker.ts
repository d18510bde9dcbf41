/** A child process: takes trials one after another, sends each one's record back, and ends with its parent. */
import { writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { runExperiment, type ExperimentRecord } from '../../experiments/index.js';
import type { Training } from '../../train/index.js';
import { endWithParent } from '../../linalg/index.js';
import type { ResultState } from '../states.js';
import { encodeRecord } from '../store/encode.js';
import { loadExperiments } from '../modules.js';
import { Checkpoints } from './checkpoints.js';
import { LOG, MODULES, type FromChild, type RunMessage, type ToChild } from './protocol.js';

/** Of this child: where memory runs out, the system ends it and not the coordinator. */
const FIRST_TO_GO = '1000';

/** The end of what the running trial has written. */
let said = '';
for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  stream.write = (chunk: unknown, ...rest: unknown[]): boolean => {
    said = (said + (typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString())).slice(-LOG);
    return write(chunk, ...rest);
  };
}

process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole terminal group; the parent decides
process.on('disconnect', () => process.exit(0));
endWithParent();

const queue: RunMessage[] = [];
/** Or not ready yet: trials wait for the experiments. */
let running = true;
let answer: (reason: string | undefined) => void = () => undefined;

process.on('message', (message: ToChild) => {
  if (message.kind === 'verdict') answer(message.reason);
  else {
    queue.push(message);
    void work();
  }
});

try {
  writeFileSync('/proc/self/oom_score_adj', FIRST_TO_GO);
} catch {
  // a system without it
}
await loadExperiments(JSON.parse(process.env[MODULES] ?? '[]') as string[]);
send({ kind: 'ready' });
running = false;
void work();

async function work(): Promise<void> {
  if (running) return;
  running = true;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) await runOne(next);
  running = false;
}

async function runOne({ row, id, config, rungs, checkpoints }: RunMessage): Promise<void> {
  send({ kind: 'started', row });
  said = '';
  const started = Date.now() / 1000;
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  try {
    const own = checkpoints === undefined ? undefined : new Checkpoints(checkpoints, id);
    const resume = own?.upTo(Math.min(...(rungs?.steps ?? [])));
    const stops = rungs === undefined ? {} : { rungs: rungs.steps, atRung: atRung(row, rungs.metric, own) };
    const record = await runExperiment(config, { resume, ...stops });
    if (record.status !== 'stopped') own?.remove();
    const encoded = encodeRecord(record, stateOf(record));
    send({ kind: 'record', row, started, seconds: seconds(), record: encoded });
  } catch (error) {
    // Anything can be thrown.
    const { message, stack } = error instanceof Error ? error : new Error(typeof error === 'string' ? error : inspect(error));
    const words = typeof message === 'string' ? message : (JSON.stringify(message) ?? 'an error without a message');
    send({ kind: 'error', row, started, seconds: seconds(), message: words, stack: typeof stack === 'string' ? stack : words, log: said });
  }
  await setImmediate(); // what came meanwhile is heard
}

/** Asks the coordinator whether a trial goes on. */
const atRung =
  (row: number, metric: string, checkpoints: Checkpoints | undefined) =>
  async (training: Training): Promise<string | undefined> => {
    const { metrics } = training.record();
    const curve = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
    const value = curve?.values[curve.steps.indexOf(training.step)];
    if (value === undefined) return undefined;
    const verdict = new Promise<string | undefined>((resolve) => (answer = resolve));
    send({ kind: 'rung', row, step: training.step, value });
    const reason = await verdict;
    if (reason !== undefined) checkpoints?.leave(training.step, training.checkpoint());
    return reason;
  };

const stateOf = ({ status }: ExperimentRecord): ResultState => (status === 'stopped' ? 'pruned' : status);

function send(message: FromChild): void {
  process.send?.(message);
}
