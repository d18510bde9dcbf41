/**
 * A submission: trials packed into tasks of some minutes each, in files that the tasks read.
 *   DIR/plan.json           how they are run
 *   DIR/tasks/K.jsonl       the trials of task K
 *   DIR/shards/*.jsonl      what came of them, one file a process that ran a task: two may run the same one
 *   DIR/logs/*.out          what the tasks said
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '../../../files.js';
import type { CheckpointFolder } from '../checkpoints.js';
import type { Job } from '../executor.js';
import { ShardReader, type ShardEntry } from './shard.js';

export interface TaskPlan {
  readonly modules: readonly string[];
  readonly jobs: number;
  readonly threads: number;
  readonly timeout?: number | undefined;
  readonly memory?: number | undefined;
  /** Where all its trials end, for now. */
  readonly rungs?: { readonly metric: string; readonly steps: readonly number[]; readonly checkpoints: CheckpointFolder } | undefined;
}

/** Cuts a list into tasks of about so many seconds of work each, by predicted cost. */
export function pack(jobs: readonly Job[], seconds: number): Job[][] {
  const tasks: Job[][] = [];
  let room = 0;
  for (const job of jobs) {
    if (room <= 0) {
      tasks.push([]);
      room = seconds;
    }
    tasks.at(-1)!.push(job);
    room -= job.cost;
  }
  return tasks;
}

export function writeSubmission(folder: string, plan: TaskPlan, tasks: readonly (readonly Job[])[]): void {
  for (const part of ['tasks', 'shards', 'logs']) makeFolder(join(folder, part));
  writeFileAtomic(join(folder, 'plan.json'), JSON.stringify(plan));
  tasks.forEach((jobs, k) => writeFileAtomic(taskFile(folder, k), jobs.map((job) => `${JSON.stringify(job)}\n`).join('')));
}

const taskFile = (folder: string, k: number): string => join(folder, 'tasks', `${k}.jsonl`);

export const readPlan = (folder: string): TaskPlan => JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as TaskPlan;

export const readTask = (folder: string, k: number): Job[] => parseJobs(readFileSync(taskFile(folder, k), 'utf8'));

/** Every trial of a submission. */
export function readJobs(folder: string): Job[] {
  const files = readdirSync(join(folder, 'tasks')).filter((name) => name.endsWith('.jsonl'));
  return files.flatMap((name) => parseJobs(readFileSync(join(folder, 'tasks', name), 'utf8')));
}

const parseJobs = (text: string): Job[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Job);

/** Reads on in all shards of a submission, those that come later too. */
export class Shards {
  readonly #folder: string;
  readonly #readers = new Map<string, ShardReader>();

  constructor(folder: string) {
    this.#folder = join(folder, 'shards');
  }

  read(): ShardEntry[] {
    if (!existsSync(this.#folder)) return [];
    for (const name of readdirSync(this.#folder).sort())
      if (name.endsWith('.jsonl') && !this.#readers.has(name)) this.#readers.set(name, new ShardReader(join(this.#folder, name)));
    return [...this.#readers.values()].flatMap((reader) => reader.read());
  }

  get damaged(): number {
    return [...this.#readers.values()].reduce((sum, { damaged }) => sum + damaged, 0);
  }
}
