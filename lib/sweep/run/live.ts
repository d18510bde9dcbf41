/** DIR/live.json: what a coordinator is at, for `status` and `watch` in other processes. A hint, rewritten every second; the store is
 *  the truth. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ParsedConfig } from '../../experiments/index.js';
import { lockHolder, type Holder } from '../store/lock.js';
import type { Job } from '../executors/executor.js';
import type { Progress } from './progress.js';

export interface Running {
  readonly id: string;
  /** Seconds since 1970. */
  readonly since: number;
  readonly config: ParsedConfig;
}

export interface Live extends Progress {
  readonly executor: string;
  readonly sweep: number;
  /** Trials that run now. */
  readonly trials: readonly Running[];
  readonly written: number;
}

const nameOf = (folder: string): string => join(folder, 'live.json');

export class LiveFile {
  readonly #path: string;
  readonly #running = new Map<number, Running>();
  #last = 0;

  constructor(folder: string) {
    this.#path = nameOf(folder);
  }

  begin({ row, id, config }: Job): void {
    this.#running.set(row, { id, config, since: Date.now() / 1000 });
  }

  end({ row }: Job): void {
    this.#running.delete(row);
  }

  get running(): number {
    return this.#running.size;
  }

  /** At most once a second. It holds nothing that is not elsewhere: a failure to write it is none of the sweep. */
  write(progress: Progress, executor: string, sweep: number): void {
    const now = Date.now();
    if (now - this.#last < 1000) return;
    this.#last = now;
    const live: Live = { ...progress, executor, sweep, trials: [...this.#running.values()].slice(0, 256), written: now / 1000 };
    try {
      writeFileSync(`${this.#path}.tmp`, JSON.stringify(live));
      renameSync(`${this.#path}.tmp`, this.#path);
    } catch {
      // the next one may fare better
    }
  }

  remove(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // nobody takes it for the truth
    }
  }
}

export type Coordinator = Live & { readonly holder: Holder };

/** What the coordinator of a store is at; null where there is none, whatever one that died has left behind. */
export function readLive(folder: string): Coordinator | null {
  const holder = lockHolder(folder);
  if (holder === null) return null;
  try {
    return { ...(JSON.parse(readFileSync(nameOf(folder), 'utf8')) as Live), holder };
  } catch {
    return { done: 0, total: 0, failed: 0, running: 0, eta: undefined, executor: '', sweep: 0, trials: [], written: 0, holder };
  }
}
