/** Whether a store is what was written to it: its structure (SQLite's own check), and every row against its digest or seal. */
import type { Database } from 'better-sqlite3';
import { FileError } from '../../errors.js';
import { trialId } from '../spec/trial.js';
import { digestOf } from './encode.js';
import { sealOfSweep } from './plans.js';
import { recordReader } from './results.js';
import { bytesOfHex, hexOf, same, sealOf, type Cell } from './seal.js';
import { speaking } from './failures.js';

/** @throws FileError naming the first thing that is not as it was written */
export function verify(db: Database, path: string): void {
  // One transaction: whoever plans or writes meanwhile changes nothing of what is looked at.
  const all = db.transaction(() => {
    const [structure] = db.pragma('integrity_check(1)') as { integrity_check: string }[];
    if (structure?.integrity_check !== 'ok') refuse(path, structure?.integrity_check ?? 'no answer');
    trialsAreThemselves(db, path);
    recordsAreWhole(db, path);
    attemptsAreWhole(db, path);
    for (const [id, name, seal] of db.prepare<[], [number, string, Uint8Array]>('SELECT id, name, seal FROM sweeps').raw().all())
      if (!same(seal, sealOfSweep(db, id))) refuse(path, `the plan of sweep ${name} is not what was written`);
  });
  speaking(path, () => all.deferred());
}

const refuse = (path: string, what: string): never => {
  throw new FileError(path, `the store is damaged: ${what}. Restore it from a copy, or move it away and begin anew`);
};

function trialsAreThemselves(db: Database, path: string): void {
  const settings = db.prepare<[], { id: number; experiment: string; semantics: number; text: string }>(
    'SELECT id, experiment, semantics, config AS text FROM settings',
  );
  const trials = db.prepare<[number], [Uint8Array, number]>('SELECT digest, seed FROM trials WHERE setting = ?').raw();
  for (const { id, ...setting } of settings.iterate())
    for (const [digest, seed] of trials.iterate(id))
      if (!same(digest, bytesOfHex(trialId(setting, seed)))) refuse(path, `trial ${hexOf(digest).slice(0, 12)} is not what was written`);
}

function recordsAreWhole(db: Database, path: string): void {
  const read = recordReader(db);
  const rows = db.prepare<[], [number, Uint8Array]>('SELECT r.trial, t.digest FROM results r LEFT JOIN trials t ON t.id = r.trial').raw();
  for (const [row, id] of rows.iterate()) {
    const name = id === null ? `row ${row}` : hexOf(id).slice(0, 12);
    const record = read(row);
    if (record === undefined) return refuse(path, `the record of trial ${name} cannot be read`);
    const { state, reason, steps, events, digest, timing, at, provenance, seal } = record;
    if (!same(digest, digestOf(record)) || !same(seal, sealOf(row, state, reason, steps, events, digest, timing, at, provenance)))
      refuse(path, `the record of trial ${name} is not what was written`);
  }
  const finals = db.prepare<[], [number, number | null, Uint8Array]>('SELECT trial, final, points FROM curves').raw();
  for (const [row, final, points] of finals.iterate()) {
    const last = points.byteLength < 8 ? NaN : Buffer.from(points).readDoubleLE(points.byteLength - 8);
    if (!Object.is(final ?? NaN, Number.isNaN(last) ? NaN : last) && final !== last)
      refuse(path, `a final value of row ${row} is not what was written`);
  }
}

function attemptsAreWhole(db: Database, path: string): void {
  const cells = 'trial, outcome, message, log, engine, host, started, seconds';
  const attempts = db.prepare<[], [...Cell[]]>(`SELECT ${cells}, seal FROM attempts`).raw();
  for (const row of attempts.iterate()) {
    const seal = row.at(-1) as Uint8Array;
    if (!same(seal, sealOf(...row.slice(0, -1)))) refuse(path, `an attempt at row ${String(row[0])} is not what was written`);
  }
}
