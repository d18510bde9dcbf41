/**
 * A store: a folder with a database that keeps every result by trial identity, so that no trial is run twice and none is lost.
 * Any number of processes may read it while one writes.
 */
import { resolve } from 'node:path';
import { ArgumentError, FileError, OptionsError } from '../../errors.js';
import { writeFileAtomic } from '../../files.js';
import type { ExperimentRecord, ParsedConfig } from '../../experiments/index.js';
import { valueAt } from '../../paths.js';
import { DEFAULT_COMPARISON, objectiveSchema } from '../spec/schema.js';
import { parseOptions } from '../../options.js';
import { z } from 'zod';
import { bestOf, scores, type Best, type Scored } from './best.js';
import { MODES, openDatabase, type Mode, type OpenDatabase } from './database.js';
import { exportSchema, exportTable, type ExportOptions } from './export/export.js';
import { asStoreError, speaking } from './failures.js';
import { lockHolder, type Holder } from './lock.js';
import { Plans, readTrial, type Role, type SweepRow, type TrialRow } from './plans.js';
import * as query from './query.js';
import { readRecord, Results, type Ending, type Verdict } from './results.js';
import { bytesOfHex } from './seal.js';
import { status, type Status } from './status.js';
import { verify } from './verify.js';

export type ObjectiveInput = z.input<typeof objectiveSchema>;

export interface StoreOptions {
  /** 'read' (the default) or 'write': one process at a time. */
  readonly mode?: Mode;
  /** Look over every row before anything is done with it. */
  readonly verify?: boolean;
}

const optionsSchema = z.strictObject({ mode: z.enum(MODES).default('read'), verify: z.boolean().default(false) });

/** @throws FileError when there is no store to read, another process writes to it, or it is damaged or newer than this package;
 *  OptionsError, ArgumentError */
export function openStore(folder: string, options: StoreOptions = {}): Store {
  if (typeof folder !== 'string' || folder === '') throw new ArgumentError('openStore: takes the folder of a store');
  const { mode, verify: check } = parseOptions(optionsSchema, options, 'openStore');
  const store = new Store(resolve(folder), openDatabase(resolve(folder), mode), mode);
  if (!check) return store;
  try {
    store.verify();
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

const queryOf = (subject: string, given: query.Query): query.Query => parseOptions(query.querySchema, given, subject) as query.Query;

interface Missing {
  readonly row: number;
  readonly cost: number;
}

export class Store {
  readonly folder: string;
  readonly mode: Mode;
  readonly #open: OpenDatabase;
  readonly #plans: Plans;
  #results: Results | undefined;

  /** Use `openStore`. */
  constructor(folder: string, open: OpenDatabase, mode: Mode) {
    this.folder = folder;
    this.mode = mode;
    this.#open = open;
    this.#plans = new Plans(open.db);
  }

  // ---- Reading ----

  /** Specifications that were planned here, the first one first. */
  sweeps(): SweepRow[] {
    return this.#do((db) => db.prepare<[], SweepRow>('SELECT id, name, spec, folder FROM sweeps ORDER BY id').all());
  }

  /** Counts by state of one sweep's trials. @param sweep  its number; the last one unless given */
  status(sweep?: number): Status {
    this.#requireSweep('status', sweep);
    return this.#do((db) => status(db, sweep));
  }

  /** Trials in the order of planning, with their state and the last value of every metric. */
  query<C = ParsedConfig>(given: query.Query = {}): Generator<query.StoredTrial<C>> {
    const q = queryOf('query', given);
    return this.#each((db) => query.trials(db, q) as Generator<query.StoredTrial<C>>);
  }

  /** One metric against steps, of every trial that has it. */
  curves<C = ParsedConfig>(metric: string, given: query.Query = {}): Generator<query.StoredCurve<C>> {
    if (typeof metric !== 'string') throw new ArgumentError('curves: takes the name of a metric');
    const q = queryOf('curves', given);
    return this.#each((db) => query.curves(db, metric, q) as Generator<query.StoredCurve<C>>);
  }

  /** Names of the metrics that any record has. */
  metrics(): string[] {
    return this.#do(query.metricNames);
  }

  /** The best setting of each comparison, with a bootstrap interval over its evaluation seeds.
   *  @throws OptionsError */
  best(objective: ObjectiveInput, given: query.Query = {}): Best[] {
    return bestOf(this.#scores('best', objective, given));
  }

  /** Every setting of which something ran, the best first. @throws OptionsError */
  scores(objective: ObjectiveInput, given: query.Query = {}): Scored[] {
    return this.#scores('scores', objective, given);
  }

  #scores(subject: string, objective: ObjectiveInput, given: query.Query): Scored[] {
    const q = queryOf(subject, given);
    const parsed = parseOptions(objectiveSchema, objective, subject);
    const metrics = this.metrics();
    if (metrics.length > 0 && !metrics.includes(parsed.metric))
      throw new OptionsError(subject, [
        { path: 'metric', value: JSON.stringify(parsed.metric), message: `no record has this metric; there are ${metrics.join(', ')}` },
      ]);
    const all = this.#do((db) => scores(db, parsed, q));
    const refuse = (path: string, value: unknown, message: string): never => {
      throw new OptionsError(subject, [{ path, value: JSON.stringify(value), message }]);
    };
    const absent = parsed.per.find((p) => !DEFAULT_COMPARISON.includes(p) && all.every(({ config }) => valueAt(config, p) === undefined));
    if (absent !== undefined && all.length > 0) refuse('per', absent, `no configuration has '${absent}'`);
    const { at } = parsed;
    if (typeof at === 'number' && metrics.length > 0 && ![...this.curves(parsed.metric, q)].some(({ steps }) => steps.includes(at)))
      refuse('at', at, 'no curve has a point there');
    return all;
  }

  /** The last failure of every trial without a record, with its log. */
  failures(q: query.FailureQuery = {}): query.FailureReport[] {
    parseOptions(query.failureQuerySchema, q, 'failures');
    return this.#do((db) => query.failures(db, q));
  }

  /** Versions, commits and machines that results come from. @param sweep  of this one alone */
  provenances(sweep?: number): query.Origin[] {
    this.#requireSweep('provenances', sweep);
    return this.#do((db) => query.provenances(db, sweep));
  }

  /** The whole record of a trial; undefined where it has none. */
  record(id: string): ExperimentRecord | undefined {
    if (typeof id !== 'string') throw new ArgumentError('record: takes the identity of a trial');
    return this.#do((db) => {
      const row = db.prepare<[Uint8Array], number>('SELECT id FROM trials WHERE digest = ?').pluck().get(bytesOfHex(id));
      return row === undefined ? undefined : readRecord(db, row);
    });
  }

  /** Whether a trial has a record. */
  has(id: string): boolean {
    if (typeof id !== 'string') throw new ArgumentError('has: takes the identity of a trial');
    return this.#do((db) => {
      const found = db.prepare<[Uint8Array]>('SELECT 1 FROM results r JOIN trials t ON t.id = r.trial WHERE t.digest = ?');
      return found.get(bytesOfHex(id)) !== undefined;
    });
  }

  /** A table for other programs, as the bytes of a file. `exportTo` is for large ones. */
  export(options: ExportOptions): Uint8Array {
    const parts: Uint8Array[] = [];
    this.exportTo((part) => parts.push(part), options);
    return Buffer.concat(parts);
  }

  /** The same as a file, which is there whole or not at all, or part by part. Never holds the whole of it.
   *  @throws FileError */
  exportTo(to: string | ((part: Uint8Array) => void), options: ExportOptions): void {
    parseOptions(exportSchema, options, 'export');
    if (typeof to !== 'string' && typeof to !== 'function') throw new ArgumentError('exportTo: takes a path, or a function for each part');
    if (typeof to === 'string') writeFileAtomic(to, (write) => this.exportTo(write, options));
    else this.#do((db) => exportTable(db, options, to));
  }

  /** @throws FileError naming the first thing that is not as it was written */
  verify(): void {
    this.#do((db) => verify(db, this.#open.path));
  }

  /** Who writes to it now; null where nobody does. */
  writer(): Holder | null {
    return lockHolder(this.folder);
  }

  // ---- Writing: for the runner ----

  /** A sweep with its first trials, all of it or nothing: made, or brought up to date. @returns its number */
  begin(...planned: Parameters<Plans['begin']>): number {
    return this.#do(() => this.#writing().begin(...planned));
  }

  /** Adds to the end of a sweep's plan what it does not have yet. */
  extend(...planned: Parameters<Plans['extend']>): void {
    this.#do(() => this.#writing().extend(...planned));
  }

  /** Rows and weights of a sweep's trials that have no record, the heaviest first.
   *  @param pruned  whether a pruned record counts as one; @param role  trials of this one alone */
  missing(sweep: number, { pruned, role }: { readonly pruned: boolean; readonly role?: Role | undefined }): Missing[] {
    return this.#do((db) =>
      db
        .prepare<[number, number, string | null], Missing>(
          `SELECT p.trial AS row, p.cost FROM plans p LEFT JOIN results r ON r.trial = p.trial
           WHERE p.sweep = ? AND (r.trial IS NULL OR (r.state = 'pruned' AND NOT ?)) AND p.role = coalesce(?, p.role)
           ORDER BY p.cost DESC, p.position`,
        )
        .all(sweep, pruned ? 1 : 0, role ?? null),
    );
  }

  trial(row: number): TrialRow {
    return this.#do((db) => readTrial(db, row));
  }

  /** Row of a trial by identity. */
  rowOf(id: string): number | undefined {
    return this.#do((db) => db.prepare<[Uint8Array], number>('SELECT id FROM trials WHERE digest = ?').pluck().get(bytesOfHex(id)));
  }

  /** Keeps all of the endings, or none. They are on the disk when it returns. @throws FileError */
  put(endings: readonly Ending[]): readonly Verdict[] {
    this.#writing();
    this.#open.requireInPlace();
    const verdicts = this.#do((db) => (this.#results ??= new Results(db)).put(endings));
    this.#open.requireInPlace(); // as it was when they were written
    return verdicts;
  }

  /** For the executors that keep a list of their own in it. */
  get database(): OpenDatabase['db'] {
    return this.#open.db;
  }

  close(): void {
    this.#open.close();
  }

  #writing(): Plans {
    if (this.mode !== 'write') throw new FileError(this.folder, 'this store was opened for reading');
    return this.#plans;
  }

  #requireSweep(subject: string, sweep: number | undefined): void {
    if (sweep === undefined || this.sweeps().some(({ id }) => id === sweep)) return;
    throw new ArgumentError(`${subject}: there is no sweep ${JSON.stringify(sweep)} in this store; it has ${this.sweeps().length}`);
  }

  *#each<T>(rows: (db: OpenDatabase['db']) => Generator<T>): Generator<T> {
    try {
      yield* rows(this.#open.db);
    } catch (error) {
      throw asStoreError(this.#open.path, error);
    }
  }

  #do<T>(work: (db: OpenDatabase['db']) => T): T {
    return speaking(this.#open.path, () => work(this.#open.db));
  }
}
