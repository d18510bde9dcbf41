/** The store's list of what was handed to Slurm, so that a coordinator that died, or let go of it, finds it again. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Store } from '../../store/store.js';
import { sealOf } from '../../store/seal.js';

export interface Submission {
  readonly id: number;
  /** Of its arrays, and of no other job: the store's folder is in it. */
  readonly name: string;
  readonly folder: string;
  /** Numbers of its arrays, as sbatch told. */
  readonly jobs: readonly string[];
  readonly tasks: number;
  /** Seconds since 1970. */
  readonly submitted: number;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly folder: string;
  readonly jobs: string;
  readonly tasks: number;
  readonly submitted: number;
}

/** A place for the next submission; nothing is submitted yet. */
export function openSubmission(store: Store, tasks: number): Submission {
  const id = store.database.prepare<[], number>('SELECT coalesce(max(id), 0) + 1 FROM submissions').pluck().get()!;
  const place = createHash('sha256').update(store.folder).digest('hex').slice(0, 8);
  const own = { id, name: `layerwise-${place}-${id}`, folder: join('slurm', String(id)), jobs: [], tasks, submitted: Date.now() / 1000 };
  write(store, own, false);
  return { ...own, folder: join(store.folder, own.folder) };
}

/** Says which arrays it became. */
export function submitted(store: Store, submission: Submission, jobs: readonly string[]): Submission {
  write(store, { ...submission, jobs }, false);
  return { ...submission, jobs };
}

/** Nothing more is to come of it. */
export function closeSubmission(store: Store, submission: Submission): void {
  write(store, submission, true);
}

function write(store: Store, { id, name, jobs, tasks, submitted: at }: Submission, closed: boolean): void {
  const cells = [id, 'slurm', JSON.stringify(jobs), name, join('slurm', String(id)), tasks, at, closed ? 1 : 0] as const;
  store.database
    .prepare(
      'INSERT OR REPLACE INTO submissions (id, engine, jobs, name, folder, tasks, submitted, closed, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(...cells, sealOf(...cells));
}

/** Those of which something may still come. */
export function openSubmissions(store: Store): Submission[] {
  const rows = store.database
    .prepare<[], Row>('SELECT id, name, folder, jobs, tasks, submitted FROM submissions WHERE closed = 0 ORDER BY id')
    .all();
  return rows.map((row) => ({ ...row, folder: join(store.folder, row.folder), jobs: JSON.parse(row.jobs) as string[] }));
}
