/** Reads what Slurm tasks have left into the store, without running anything. */
import { LayerwiseError } from '../../../errors.js';
import type { Store } from '../../store/store.js';
import { cancel, queued, type QueuedTask } from './commands.js';
import { closeSubmission, openSubmissions, type Submission } from './ledger.js';
import type { ShardEntry } from './shard.js';
import { readJobs, readPlan, Shards } from './submission.js';

export interface Collected {
  readonly submission: Submission;
  /** Trials it was given, and those of them that have come to an end. */
  readonly trials: number;
  readonly ended: number;
  /** Its tasks in the queue; null where Slurm does not answer. */
  readonly queue: readonly QueuedTask[] | null;
}

/** @param store  opened for writing; submissions of which nothing more is to come are closed */
export async function collect(store: Store): Promise<Collected[]> {
  const all: Collected[] = [];
  for (const submission of openSubmissions(store)) {
    const queue = await tasksOf(submission);
    const jobs = readJobs(submission.folder);
    const entries = new Shards(submission.folder).read();
    const pauses = readPlan(submission.folder).rungs !== undefined;
    const rows = entries.filter((entry) => !(pauses && waits(entry))).map(({ id, ...ending }) => ({ row: store.rowOf(id), ...ending }));
    store.put(rows.filter((ending): ending is typeof ending & { row: number } => ending.row !== undefined));
    const ended = new Set(entries.map(({ id }) => id)).size;
    if (ended >= jobs.length || queue?.length === 0) closeSubmission(store, submission);
    all.push({ submission, trials: jobs.length, ended, queue });
  }
  return all;
}

/** Whether it waits at a rung: no result, but a checkpoint to go on from. */
const waits = (entry: ShardEntry): boolean => 'record' in entry && entry.record.state === 'pruned';

/** Takes all tasks of a store out of the queue, and ends those that run. What they have left can be collected. */
export async function cancelAll(store: Store): Promise<Submission[]> {
  const open = openSubmissions(store);
  for (const { name } of open) await cancel(name);
  return open;
}

export async function tasksOf({ name }: Submission): Promise<readonly QueuedTask[] | null> {
  try {
    return await queued(name);
  } catch (error) {
    if (error instanceof LayerwiseError) return null;
    throw error;
  }
}
