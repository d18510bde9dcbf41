/**
 * What a Slurm task runs: `node task.js FOLDER K`. Runs the trials of task K that no shard has yet, in children of its own, and appends
 * what comes of them to a shard of its own. USR1, which Slurm sends before the time limit, lets the running ones end and takes no more.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { endedAt } from '../../run/pruning.js';
import type { Job, Outcome, Rungs } from '../executor.js';
import { localExecutor } from '../local.js';
import { ShardWriter, type ShardEntry } from './shard.js';
import { readPlan, readTask, Shards, type TaskPlan } from './submission.js';

/** Entries written together: at most so many, and none waits longer (milliseconds). */
const GROUP = { size: 50, wait: 1000 };

const [folder, number] = process.argv.slice(2);
const stopping = new AbortController();
const ending = new AbortController();
process.on('SIGUSR1', () => stopping.abort());
process.on('SIGTERM', () => ending.abort());

const plan = readPlan(folder);
const heard = new Set(new Shards(folder).read().map(({ id }) => id));
const queue = readTask(folder, Number(number)).filter(({ id }) => !heard.has(id));
const { SLURM_JOB_ID: job = 'none', SLURM_RESTART_COUNT: restart = '0' } = process.env;
const shard = new ShardWriter(join(folder, 'shards', `${number}-${job}-${restart}-${hostname()}-${process.pid}.jsonl`));

let pending: ShardEntry[] = [];
const flush = (): void => {
  const entries = pending;
  pending = [];
  if (entries.length > 0) shard.append(entries);
};
const timer = setInterval(flush, GROUP.wait);

console.log(`task ${number}: ${queue.length} trials`);
const { jobs, threads, modules, timeout, memory } = plan;
const outcomes = localExecutor({ jobs, threads }).run(
  { next: () => (stopping.signal.aborted ? undefined : queue.shift()), ended: false },
  { modules, timeout, memory, rungs: rungsOf(plan), signal: ending.signal },
);
for await (const outcome of outcomes) {
  pending.push(entryOf(outcome));
  if (pending.length >= GROUP.size) flush();
}
clearInterval(timer);
flush();
shard.close();
console.log(queue.length === 0 ? `task ${number}: done` : `task ${number}: ended before ${queue.length} of its trials had begun`);

function entryOf({ job: { id }, attempt, ...how }: Outcome): ShardEntry {
  return { id, ...how, attempt: { ...attempt, engine: 'slurm' } };
}

function rungsOf({ rungs }: TaskPlan): Rungs | undefined {
  if (rungs === undefined) return undefined;
  return { ...rungs, decide: (_: Job, step: number) => endedAt(step), promote: () => new Set() };
}
