/** Questions to a store: which trials, how they ended, what they measured. */
import { canonical } from '../../canonical.js';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { ParsedConfig, Provenance } from '../../experiments/index.js';
import { OptionsError } from '../../errors.js';
import { valueAt } from '../../paths.js';
import { configOf } from '../spec/trial.js';
import { FAILURE_STATES, RESULT_STATES, TRIAL_STATES, type FailureState, type ResultState, type TrialState } from '../states.js';
import { numbersOf } from './encode.js';
import { ROLES, type Role } from './plans.js';
import { bytesOfHex, hexOf } from './seal.js';

export interface Query {
  /** Dotted path of the complete configuration -> value, or list of values. */
  readonly where?: Readonly<Record<string, unknown>>;
  readonly state?: TrialState | readonly TrialState[];
  readonly role?: Role;
  /** Trials of this sweep alone, by its number; else all of the store. */
  readonly sweep?: number;
}

export const querySchema = z.strictObject({
  where: z.record(z.string(), z.json()).optional(),
  state: z.union([z.enum(TRIAL_STATES), z.array(z.enum(TRIAL_STATES))]).optional(),
  role: z.enum(ROLES).optional(),
  sweep: z.int().min(1).optional(),
});

export interface StoredTrial<C = ParsedConfig> {
  /** sha256 of experiment, configuration, seed and semantics. */
  readonly id: string;
  /** The same for trials that differ by their seeds alone. */
  readonly setting: number;
  readonly config: C;
  readonly seed: number;
  readonly role: Role;
  readonly state: TrialState;
  /** Why it is not done. */
  readonly reason: string | null;
  /** Steps completed; 0 without a record. */
  readonly steps: number;
  /** Last value of every metric; empty without a record. */
  readonly final: Readonly<Record<string, number>>;
  /** Seconds of its last attempt; NaN where there was none. */
  readonly seconds: number;
}

export interface StoredCurve<C = ParsedConfig> {
  readonly id: string;
  readonly setting: number;
  readonly config: C;
  readonly seed: number;
  readonly role: Role;
  readonly state: ResultState;
  readonly steps: Float64Array;
  readonly values: Float64Array;
}

/** Settings that meet the conditions, with their configurations (without seed); null where all do. */
function settingsMeeting(db: Database, where: NonNullable<Query['where']>): Set<number> | null {
  if (Object.keys(where).length === 0) return null;
  const parts = Object.entries(where).map(([path, value]) => {
    const allowed = Array.isArray(value) ? [...(value as unknown[]), value] : [value];
    return [path, new Set(allowed.map(canonical))] as const;
  });
  const met = new Set<number>();
  const strange = new Set(parts.filter(([, allowed]) => !allowed.has('null')).map(([path]) => path));
  const settings = allSettings(db);
  for (const { id, experiment, config } of settings) {
    const whole = configOf({ experiment, text: config }, 0);
    for (const path of strange) if (valueAt(whole, path) !== undefined) strange.delete(path);
    if (parts.every(([path, allowed]) => allowed.has(canonical(valueAt(whole, path) ?? null)))) met.add(id);
  }
  const [path] = strange;
  if (path !== undefined && settings.length > 0)
    throw new OptionsError('store', [
      { path: `where.${path}`, value: JSON.stringify(where[path]), message: 'no configuration has this path' },
    ]);
  return met;
}

const allSettings = (db: Database): { id: number; experiment: string; config: string }[] =>
  db.prepare<[], { id: number; experiment: string; config: string }>('SELECT id, experiment, config FROM settings').all();

interface Row {
  readonly row: number;
  readonly digest: Uint8Array;
  readonly setting: number;
  readonly seed: number;
  readonly role: Role;
  readonly state: ResultState | null;
  readonly reason: string | null;
  readonly steps: number | null;
  readonly outcome: string | null;
  readonly message: string | null;
  readonly seconds: number | null;
}

/** Of the trials in a sweep's plan, or in any: a trial in several has the role of the first. */
const ROWS = (sweep: boolean): string => `
SELECT t.id AS row, t.digest, t.setting, t.seed, p.role, r.state, r.reason, r.steps, a.outcome, a.message, a.seconds
FROM ${
  sweep
    ? '(SELECT trial, role, position FROM plans WHERE sweep = ?)'
    : '(SELECT trial, role, trial AS position FROM plans GROUP BY trial HAVING sweep = min(sweep))'
} p
JOIN trials t ON t.id = p.trial
LEFT JOIN results r ON r.trial = p.trial
LEFT JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE trial = p.trial)
ORDER BY p.position`;

const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] | undefined =>
  value === undefined ? undefined : Array.isArray(value) ? (value as readonly T[]) : [value as T];

function* rowsOf(db: Database, { where, state, role, sweep }: Query): Generator<Row & { trialState: TrialState }> {
  const { seed, ...rest } = where ?? {};
  const settings = settingsMeeting(db, rest);
  const seeds = listOf(seed as number | number[] | undefined);
  const states = listOf(state);
  const statement = db.prepare<unknown[], Row>(ROWS(sweep !== undefined));
  for (const row of sweep === undefined ? statement.all() : statement.all(sweep)) {
    if (settings !== null && !settings.has(row.setting)) continue;
    if (seeds?.includes(row.seed) === false || (role !== undefined && row.role !== role)) continue;
    const trialState = stateOf(row);
    if (states !== undefined && !states.includes(trialState)) continue;
    yield { ...row, trialState };
  }
}

const stateOf = ({ state, outcome }: Pick<Row, 'state' | 'outcome'>): TrialState =>
  state ?? ((FAILURE_STATES as readonly string[]).includes(outcome ?? '') ? (outcome as FailureState) : 'planned');

/** Reads configurations by setting, each parsed once as long as a trial of it follows another. */
export function configReader(db: Database): (setting: number, seed: number) => ParsedConfig {
  const read = db.prepare<[number], { experiment: string; text: string }>('SELECT experiment, config AS text FROM settings WHERE id = ?');
  let last: { setting: number; rest: { experiment: string; text: string } } | undefined;
  return (setting, seed) => {
    if (last?.setting !== setting) last = { setting, rest: read.get(setting)! };
    return configOf(last.rest, seed);
  };
}

export type Outcome = Pick<StoredTrial, 'id' | 'setting' | 'seed' | 'role' | 'state'>;

/** How trials ended: `trials` without what they measured, in a fraction of the time. */
export function* outcomes(db: Database, query: Query = {}): Generator<Outcome> {
  for (const { digest, setting, seed, role, trialState } of rowsOf(db, query))
    yield { id: hexOf(digest), setting, seed, role, state: trialState };
}

/** Trials in the order of planning. */
export function* trials(db: Database, query: Query = {}): Generator<StoredTrial> {
  const config = configReader(db);
  const finals = db.prepare<[number], [string, number | null]>('SELECT name, final FROM curves WHERE trial = ? ORDER BY position').raw();
  for (const { row, digest, setting, seed, role, trialState, reason, steps, message, seconds } of rowsOf(db, query))
    yield {
      id: hexOf(digest),
      setting,
      config: config(setting, seed),
      seed,
      role,
      state: trialState,
      reason: reason ?? (trialState === 'planned' || trialState === 'done' ? null : message),
      steps: steps ?? 0,
      final: steps === null ? {} : Object.fromEntries(finals.all(row).map(([name, value]) => [name, value ?? NaN])),
      seconds: seconds ?? NaN,
    };
}

/** The curves of one metric, of the trials that have it. */
export function* curves(db: Database, metric: string, query: Query = {}): Generator<StoredCurve> {
  const config = configReader(db);
  const find = db
    .prepare<[number, string], [Uint8Array, Uint8Array]>(
      'SELECT g.steps, c.points FROM curves c JOIN grids g ON g.id = c.grid WHERE c.trial = ? AND c.name = ?',
    )
    .raw();
  for (const { row, digest, setting, seed, role, state } of rowsOf(db, { state: RESULT_STATES, ...query })) {
    const found = find.get(row, metric);
    if (found === undefined || state === null) continue;
    const [steps, values] = found.map(numbersOf);
    yield { id: hexOf(digest), setting, config: config(setting, seed), seed, role, state, steps, values };
  }
}

/** Reads all curves of a trial, by its identity. */
export function trialCurves(db: Database): (id: string) => Record<string, { steps: number[]; values: number[] }> {
  const find = db
    .prepare<[Uint8Array], [string, Uint8Array, Uint8Array]>(
      `SELECT c.name, g.steps, c.points FROM trials t JOIN curves c ON c.trial = t.id JOIN grids g ON g.id = c.grid
       WHERE t.digest = ? ORDER BY c.position`,
    )
    .raw();
  const list = (bytes: Uint8Array): number[] => [...numbersOf(bytes)];
  return (id) =>
    Object.fromEntries(find.all(bytesOfHex(id)).map(([name, steps, values]) => [name, { steps: list(steps), values: list(values) }]));
}

/** Names of all metrics, in the order of their first appearance. */
export const metricNames = (db: Database): string[] =>
  db.prepare<[], string>('SELECT name FROM (SELECT name, min(position) AS p FROM curves GROUP BY name) ORDER BY p, name').pluck().all();

export interface FailureReport {
  readonly id: string;
  readonly config: ParsedConfig;
  readonly state: FailureState;
  readonly message: string;
  readonly log: string;
  readonly host: string;
  /** Seconds since 1970. */
  readonly started: number;
  readonly seconds: number;
  /** Attempts so far that ended without a record. */
  readonly attempts: number;
}

export interface FailureQuery extends Pick<Query, 'where' | 'sweep'> {
  /** How many at most, in the order of planning; all unless given. */
  readonly limit?: number;
}

export const failureQuerySchema = querySchema.omit({ state: true, role: true }).extend({ limit: z.int().min(0).optional() });

/** The last failure of every trial that has no record. */
export function failures(db: Database, { limit = Infinity, ...query }: FailureQuery = {}): FailureReport[] {
  const config = configReader(db);
  const last = db.prepare<[number], Pick<FailureReport, 'message' | 'log' | 'host' | 'started' | 'seconds'>>(
    'SELECT message, log, host, started, seconds FROM attempts WHERE trial = ? ORDER BY id DESC LIMIT 1',
  );
  const count = db.prepare<[number], number>('SELECT count(*) FROM attempts WHERE trial = ?').pluck();
  const found: FailureReport[] = [];
  for (const { row, digest, setting, seed, trialState } of rowsOf(db, { ...query, state: FAILURE_STATES })) {
    if (found.length >= limit) break;
    found.push({
      id: hexOf(digest),
      config: config(setting, seed),
      state: trialState as FailureState,
      ...last.get(row)!,
      attempts: count.get(row)!,
    });
  }
  return found;
}

/** Where results come from, and how many of them. */
export interface Origin {
  readonly provenance: Provenance;
  readonly results: number;
}

/** Every distinct origin of the results of one sweep, or of all, in the order of their first appearance. */
export const provenances = (db: Database, sweep?: number): Origin[] =>
  db
    .prepare<{ sweep: number | null }, { text: string; results: number }>(
      `SELECT p.text, count(*) AS results FROM results r JOIN provenances p ON p.id = r.provenance
       WHERE :sweep IS NULL OR r.trial IN (SELECT trial FROM plans WHERE sweep = :sweep) GROUP BY p.id ORDER BY p.id`,
    )
    .all({ sweep: sweep ?? null })
    .map(({ text, results }) => ({ provenance: JSON.parse(text) as Provenance, results }));
