/** Which trials a sweep has: written once by planning, read by everything else. */
import { createHash } from 'node:crypto';
import { ArgumentError } from '../../errors.js';
import type { Database, Statement } from 'better-sqlite3';
import { configOf, settingId, trialId, type Setting } from '../spec/trial.js';
import type { ParsedConfig } from '../../experiments/index.js';
import { wellFormed } from './encode.js';
import { bytesOfHex, hexOf, sealOf } from './seal.js';

/** Why a trial runs: to choose a setting, or to report one. */
export const ROLES = ['tuning', 'evaluation'] as const;
export type Role = (typeof ROLES)[number];

export interface Planned {
  readonly setting: Setting;
  readonly seed: number;
  readonly role: Role;
  /** Weight, in predicted seconds. */
  readonly cost: number;
}

/** More is a slip of the pen. */
const MOST_TRIALS = 10_000_000;

export interface SweepRow {
  readonly id: number;
  readonly name: string;
  /** Canonical JSON. */
  readonly spec: string;
  /** What relative modules of the specification are relative to. */
  readonly folder: string;
}

interface SweepText {
  readonly name: string;
  readonly spec: string;
  readonly folder: string;
  /** Canonical JSON of what decides the plan. */
  readonly identity: string;
}

export class Plans {
  readonly #db: Database;
  /** Rows of settings by identity, once they are asked for. An index in the database would cost planning a second in five. */
  #settings: Map<string, number> | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** A sweep with its first trials, all of it or nothing: made, or brought up to date. @returns its number */
  begin({ name: title, spec, folder: place, identity }: SweepText, planned: Iterable<Planned>): number {
    const [name, folder] = [wellFormed(title), wellFormed(place)];
    const digest = createHash('sha256').update(identity).digest();
    return this.#whole(() => {
      this.#db
        .prepare(
          `INSERT INTO sweeps (digest, name, spec, folder, seal) VALUES (?, ?, ?, ?, x'')
           ON CONFLICT (digest) DO UPDATE SET name = excluded.name, spec = excluded.spec, folder = excluded.folder`,
        )
        .run(digest, name, spec, folder);
      const sweep = this.#db.prepare<[Uint8Array], number>('SELECT id FROM sweeps WHERE digest = ?').pluck().get(digest)!;
      this.#add(sweep, planned);
      return sweep;
    });
  }

  /** Adds trials to the end of a sweep's plan, all or none; those it has already are passed over. */
  extend(sweep: number, planned: Iterable<Planned>): void {
    this.#whole(() => this.#add(sweep, planned));
  }

  #whole<T>(work: () => T): T {
    try {
      return this.#db.transaction(work).immediate();
    } catch (error) {
      this.#settings = undefined; // some of them were taken back
      throw error;
    }
  }

  #add(sweep: number, planned: Iterable<Planned>): void {
    const plan = this.#db.prepare(
      'INSERT INTO plans (sweep, position, trial, role, cost) VALUES (?, ?, ?, ?, ?) ON CONFLICT (sweep, trial) DO NOTHING',
    );
    let count = this.#db.prepare<[number], number>('SELECT count(*) FROM plans WHERE sweep = ?').pluck().get(sweep)!;
    for (const { setting, seed, role, cost } of planned) {
      count += plan.run(sweep, count, this.trialRow(setting, seed), role, cost).changes;
      if (count > MOST_TRIALS)
        throw new ArgumentError(`a sweep may have ${MOST_TRIALS} trials, and this one has more: fewer values or seeds`);
    }
    this.#db.prepare('UPDATE sweeps SET seal = ? WHERE id = ?').run(sealOfSweep(this.#db, sweep), sweep);
  }

  #sql: { readonly insertTrial: Statement; readonly findTrial: Statement; readonly insertSetting: Statement } | undefined;

  /** The row of a trial, made where it is not there. */
  trialRow(setting: Setting, seed: number): number {
    this.#sql ??= {
      insertTrial: this.#db.prepare('INSERT INTO trials (digest, setting, seed) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING'),
      findTrial: this.#db.prepare('SELECT id FROM trials WHERE digest = ?').pluck(),
      insertSetting: this.#db.prepare('INSERT INTO settings (experiment, semantics, config) VALUES (?, ?, ?)'),
    };
    const digest = bytesOfHex(trialId(setting, seed));
    const { changes, lastInsertRowid } = this.#sql.insertTrial.run(digest, this.#settingRow(setting, this.#sql.insertSetting), seed);
    return changes === 1 ? Number(lastInsertRowid) : (this.#sql.findTrial.get(digest) as number);
  }

  #settingRow({ id, experiment, semantics, text }: Setting, insert: Statement): number {
    this.#settings ??= knownSettings(this.#db);
    const known = this.#settings.get(id);
    if (known !== undefined) return known;
    const row = Number(insert.run(experiment, semantics, text).lastInsertRowid);
    this.#settings.set(id, row);
    return row;
  }
}

function knownSettings(db: Database): Map<string, number> {
  const rows = db.prepare<[], { id: number; experiment: string; semantics: number; text: string }>(
    'SELECT id, experiment, semantics, config AS text FROM settings',
  );
  const known = new Map<string, number>();
  for (const { id, ...setting } of rows.iterate()) known.set(settingId(setting), id);
  return known;
}

/** Over the specification and all trials of the plan in their order. */
export function sealOfSweep(db: Database, sweep: number): Uint8Array {
  const { digest, name, spec, folder } = db
    .prepare<[number], { digest: Uint8Array; name: string; spec: string; folder: string }>(
      'SELECT digest, name, spec, folder FROM sweeps WHERE id = ?',
    )
    .get(sweep)!;
  const hash = createHash('sha256');
  const rows = db
    .prepare<[number], [string, string, number]>(
      'SELECT hex(t.digest), p.role, p.cost FROM plans p JOIN trials t ON t.id = p.trial WHERE p.sweep = ? ORDER BY p.position',
    )
    .raw();
  for (const [trial, role, cost] of rows.iterate(sweep)) hash.update(`${trial} ${role} ${cost}\n`);
  return sealOf(digest, name, spec, folder, hash.digest());
}

/** What is needed to run a trial. */
export interface TrialRow {
  readonly row: number;
  readonly id: string;
  readonly config: ParsedConfig;
}

const TRIAL = 'SELECT t.digest, s.experiment, s.config, t.seed FROM trials t JOIN settings s ON s.id = t.setting WHERE t.id = ?';

export function readTrial(db: Database, row: number): TrialRow {
  const found = db.prepare<[number], [Uint8Array, string, string, number]>(TRIAL).raw().get(row)!;
  const [digest, experiment, text, seed] = found;
  return { row, id: hexOf(digest), config: configOf({ experiment, text }, seed) };
}
