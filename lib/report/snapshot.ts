/** The newest state of a store for any number of readers: built anew when its files have changed, and not too often. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { LayerwiseError } from '../errors.js';
import { stringify } from '../json.js';
import { openStore, readLive } from '../sweep/index.js';
import { reportData, type ReportData } from './data/reportData.js';
import { running, trouble } from './page/live.js';
import { contentOf } from './page/page.js';

/** Milliseconds between two looks at what runs, and between two readings of the store. */
const LOOK = 1000;
const READ = 2000;
/** Reading takes at most one part in so many of the time. */
const SHARE = 4;

export interface Answer {
  /** JSON of what runs and what the page shows. */
  readonly body: string;
  readonly tag: string;
}

export class Snapshot {
  readonly #folder: string;
  readonly #sweep: number | undefined;
  /** What the store held when it could last be read. */
  #data: ReportData;
  #content: string;
  #message: string | null = null;
  #stamp = '';
  #nextRead = 0;
  #nextLook = 0;
  #answer: Answer | undefined;

  /** @throws FileError, OptionsError when the store cannot be read, or has no such sweep */
  constructor(folder: string, sweep: number | undefined) {
    this.#folder = folder;
    this.#sweep = sweep;
    this.#stamp = this.#stampOf();
    this.#data = this.#read();
    this.#content = stringify(contentOf(this.#data));
  }

  get data(): ReportData {
    this.#renew();
    return this.#data;
  }

  get answer(): Answer {
    const now = Date.now();
    if (this.#answer !== undefined && now < this.#nextLook) return this.#answer;
    this.#nextLook = now + LOOK;
    this.#renew();
    const state =
      this.#message === null ? running(readLive(this.#folder), this.#data.status.states.planned, now / 1000) : trouble(this.#message);
    const body = `{"running":${stringify(state.text)},"content":${this.#content}}`;
    this.#answer = { body, tag: `"${createHash('sha256').update(body).digest('base64url')}"` };
    return this.#answer;
  }

  #renew(): void {
    const started = Date.now();
    if (started < this.#nextRead) return;
    this.#nextRead = started + READ;
    const stamp = this.#stampOf();
    if (stamp === this.#stamp) return;
    try {
      this.#data = this.#read();
      this.#content = stringify(contentOf(this.#data));
      this.#message = null;
      this.#stamp = stamp;
    } catch (error) {
      this.#message = error instanceof LayerwiseError ? error.message : `the store cannot be read: ${String(error)}`;
    }
    this.#nextRead = Math.max(this.#nextRead, Date.now() + SHARE * (Date.now() - started));
  }

  #read(): ReportData {
    const store = openStore(this.#folder);
    try {
      return reportData(store, { sweep: this.#sweep });
    } finally {
      store.close();
    }
  }

  /** Differs once something was written. */
  #stampOf(): string {
    return ['store.sqlite', 'store.sqlite-wal']
      .map((name) => {
        const found = statSync(join(this.#folder, name), { throwIfNoEntry: false });
        return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`;
      })
      .join(', ');
  }
}
