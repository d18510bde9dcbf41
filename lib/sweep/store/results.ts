/** Results and attempts: written once each, in groups, and read back bit for bit. */
import type { Database, Statement } from 'better-sqlite3';
import type { ExperimentRecord } from '../../experiments/index.js';
import { configOf } from '../spec/trial.js';
import type { Failure, ResultState } from '../states.js';
import { decodeRecord, numbersOf, wellFormed, type Bytes, type EncodedColumn, type EncodedCurve, type EncodedRecord } from './encode.js';
import { same, sealOf } from './seal.js';

/** What is known of how a trial's process ended. */
export interface Attempt {
  readonly engine: string;
  readonly host: string;
  /** Seconds since 1970. */
  readonly started: number;
  readonly seconds: number;
}

export type Ending = {
  /** Row of the trial. */
  readonly row: number;
  readonly attempt: Attempt;
} & ({ readonly record: EncodedRecord } | { readonly failure: Failure });

/** Whether a result is new, was there already and is the same, or is there and differs: then something does not repeat. */
export type Verdict = 'new' | 'same' | 'differs' | 'failure';

const CELLS_OF_RESULT = 'state, reason, steps, events, digest, timing, at, provenance, seal';

export class Results {
  readonly #db: Database;
  readonly #sql: ReturnType<typeof prepare>;

  constructor(db: Database) {
    this.#db = db;
    this.#sql = prepare(db);
  }

  /** All of the endings, or none: when it returns they are on the disk. @returns a verdict each */
  put(endings: readonly Ending[]): readonly Verdict[] {
    return this.#db.transaction(() => endings.map((e) => this.#putOne(e))).immediate();
  }

  #putOne(ending: Ending): Verdict {
    const { row, attempt } = ending;
    if (this.#sql.heard.get(row, attempt.started, attempt.host) !== undefined) return 'same'; // of this very attempt, from a shard read twice
    if ('failure' in ending) {
      const { state, message, log } = ending.failure;
      this.#attempt(row, state, message, log, attempt);
      return 'failure';
    }
    const { record } = ending;
    const known = this.#sql.digest.get(row) as { state: ResultState; digest: Bytes } | undefined;
    let verdict: Verdict = 'new';
    if (known !== undefined) {
      const replaces = known.state === 'pruned' && record.state !== 'pruned';
      if (replaces) this.#forget(row);
      else verdict = same(known.digest, record.digest) || record.state === 'pruned' ? 'same' : 'differs';
    }
    if (verdict === 'new') this.#insert(row, record);
    const message = verdict === 'differs' ? 'gave another result than the one that is kept' : (record.reason ?? '');
    this.#attempt(row, verdict === 'new' ? record.state : `repeated, ${verdict}`, message, '', attempt);
    return verdict;
  }

  #insert(row: number, record: EncodedRecord): void {
    const sql = this.#sql;
    const { state, reason, steps, events, digest, timing, at, provenance } = record;
    const place = this.#idOf(sql.addProvenance, sql.provenance, provenance);
    const seal = sealOf(row, state, reason, steps, events, digest, timing, at, provenance);
    sql.result.run(row, state, reason, steps, events, digest, timing, at, place, seal);
    record.curves.forEach(({ name, steps: grid, values }, position) => {
      const final = numbersOf(values.subarray(values.byteLength - 8))[0] ?? NaN;
      sql.curve.run(row, position, name, this.#idOf(sql.addGrid, sql.grid, grid), values, Number.isNaN(final) ? null : final);
    });
    record.columns.forEach(({ table, name, values }, position) => sql.column.run(row, position, table, name, values));
  }

  #idOf(insert: Statement, find: Statement, value: string | Bytes): number {
    return (find.get(value) as number | undefined) ?? Number(insert.run(value).lastInsertRowid);
  }

  #attempt(row: number, outcome: string, message: string, log: string, { engine, host, started, seconds }: Attempt): void {
    const cells = [row, outcome, wellFormed(message), wellFormed(log), engine, host, started, seconds] as const;
    this.#sql.attempt.run(...cells, sealOf(...cells));
  }

  /** A pruned record makes place for a whole one. */
  #forget(row: number): void {
    for (const table of ['curves', 'columns', 'results']) this.#db.prepare(`DELETE FROM ${table} WHERE trial = ?`).run(row);
  }
}

const prepare = (db: Database) => ({
  heard: db.prepare('SELECT 1 FROM attempts WHERE trial = ? AND started = ? AND host = ?'),
  digest: db.prepare('SELECT state, digest FROM results WHERE trial = ?'),
  result: db.prepare(`INSERT INTO results (trial, ${CELLS_OF_RESULT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
  curve: db.prepare('INSERT INTO curves (trial, position, name, grid, points, final) VALUES (?, ?, ?, ?, ?, ?)'),
  column: db.prepare('INSERT INTO columns (trial, position, "table", name, points) VALUES (?, ?, ?, ?, ?)'),
  attempt: db.prepare(
    'INSERT INTO attempts (trial, outcome, message, log, engine, host, started, seconds, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ),
  grid: db.prepare('SELECT id FROM grids WHERE steps = ?').pluck(),
  addGrid: db.prepare('INSERT INTO grids (steps) VALUES (?)'),
  provenance: db.prepare('SELECT id FROM provenances WHERE text = ?').pluck(),
  addProvenance: db.prepare('INSERT INTO provenances (text) VALUES (?)'),
});

export interface StoredRecord extends EncodedRecord {
  readonly seal: Bytes;
}

/** Reads encoded records by row. */
export function recordReader(db: Database): (row: number) => StoredRecord | undefined {
  const result = db.prepare<[number], Omit<StoredRecord, 'curves' | 'columns'>>(
    `SELECT r.state, r.reason, r.steps, r.events, r.digest, r.timing, r.at, r.seal, p.text AS provenance
     FROM results r JOIN provenances p ON p.id = r.provenance WHERE r.trial = ?`,
  );
  const curves = db.prepare<[number], EncodedCurve>(
    'SELECT c.name, g.steps, c.points AS "values" FROM curves c JOIN grids g ON g.id = c.grid WHERE c.trial = ? ORDER BY c.position',
  );
  const columns = db.prepare<[number], EncodedColumn>(
    'SELECT "table", name, points AS "values" FROM columns WHERE trial = ? ORDER BY position',
  );
  return (row) => {
    const found = result.get(row);
    return found === undefined ? undefined : { ...found, curves: curves.all(row), columns: columns.all(row) };
  };
}

export function readRecord(db: Database, row: number): ExperimentRecord | undefined {
  const stored = recordReader(db)(row);
  if (stored === undefined) return undefined;
  const [experiment, text, seed] = db
    .prepare<[number], [string, string, number]>(
      'SELECT s.experiment, s.config, t.seed FROM trials t JOIN settings s ON s.id = t.setting WHERE t.id = ?',
    )
    .raw()
    .get(row)!;
  return decodeRecord(stored, configOf({ experiment, text }, seed));
}
