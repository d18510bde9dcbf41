/** The tables of a store, and the way from each version of them to the next. */
import type { Database } from 'better-sqlite3';

/** 'lwst': what tells a store from another SQLite database. */
export const APPLICATION_ID = 0x6c777374;

/**
 * settings   a configuration without its seed, canonical JSON
 * trials     a setting with a seed; digest = the trial's identity; their order is that of planning
 * sweeps     a specification, canonical JSON; digest of that
 * plans      which trials a sweep has, in order, why (tuning, evaluation), and their weight in predicted seconds; digest of the ids
 * results    one record a trial; digest over what must repeat, seal over the whole row
 * grids      steps of curves, float64, each list once
 * curves     values of a metric, float64; final = the last of them (NULL for NaN)
 * columns    columns of a record's tables, float64
 * attempts   every end of a trial's process that was heard of, once, with its log where it failed
 * submissions  what was handed to a cluster; closed once nothing more is to come of it
 */
const FIRST = `
CREATE TABLE settings (
  id INTEGER PRIMARY KEY, experiment TEXT NOT NULL, semantics INTEGER NOT NULL, config TEXT NOT NULL) STRICT;
CREATE TABLE trials (
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, setting INTEGER NOT NULL REFERENCES settings, seed INTEGER NOT NULL) STRICT;
CREATE INDEX trials_of_setting ON trials (setting);
CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, name TEXT NOT NULL, spec TEXT NOT NULL, folder TEXT NOT NULL, seal BLOB NOT NULL) STRICT;
CREATE TABLE plans (
  sweep INTEGER NOT NULL REFERENCES sweeps, position INTEGER NOT NULL, trial INTEGER NOT NULL REFERENCES trials, role TEXT NOT NULL,
  cost REAL NOT NULL, PRIMARY KEY (sweep, trial)) STRICT, WITHOUT ROWID;
CREATE TABLE provenances (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE results (
  trial INTEGER PRIMARY KEY REFERENCES trials, state TEXT NOT NULL, reason TEXT, steps INTEGER NOT NULL, events TEXT, digest BLOB NOT NULL,
  timing TEXT NOT NULL, at BLOB NOT NULL, provenance INTEGER NOT NULL REFERENCES provenances, seal BLOB NOT NULL) STRICT;
CREATE TABLE grids (id INTEGER PRIMARY KEY, steps BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE curves (
  trial INTEGER NOT NULL REFERENCES results, position INTEGER NOT NULL, name TEXT NOT NULL, grid INTEGER NOT NULL REFERENCES grids,
  points BLOB NOT NULL, final REAL, PRIMARY KEY (trial, position)) STRICT, WITHOUT ROWID;
CREATE TABLE columns (
  trial INTEGER NOT NULL REFERENCES results, position INTEGER NOT NULL, "table" TEXT NOT NULL, name TEXT NOT NULL, points BLOB NOT NULL,
  PRIMARY KEY (trial, position)) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trials, outcome TEXT NOT NULL, message TEXT NOT NULL, log TEXT NOT NULL,
  engine TEXT NOT NULL, host TEXT NOT NULL, started REAL NOT NULL, seconds REAL NOT NULL, seal BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX attempts_of_trial ON attempts (trial, started, host);
CREATE TABLE submissions (
  id INTEGER PRIMARY KEY, engine TEXT NOT NULL, jobs TEXT NOT NULL, name TEXT NOT NULL, folder TEXT NOT NULL, tasks INTEGER NOT NULL,
  submitted REAL NOT NULL, closed INTEGER NOT NULL, seal BLOB NOT NULL) STRICT;
`;

/** Step i leads from version i to version i + 1. Steps that were released are never changed. */
const MIGRATIONS: readonly ((db: Database) => void)[] = [(db) => void db.exec(FIRST)];

export const VERSION = MIGRATIONS.length;

/** Brings the tables to this version, all of it or nothing. */
export function migrate(db: Database, steps = MIGRATIONS): void {
  db.transaction(() => {
    const version = db.pragma('user_version', { simple: true }) as number;
    for (const step of steps.slice(version)) step(db);
    db.pragma(`user_version = ${steps.length}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
  }).immediate();
}
