/**
 * Who writes to a store: one process at a time. The lock is the operating system's (held through SQLite on DIR/lock), so that it ends
 * with its process however that ends, and cannot be stale; DIR/coordinator.json says who holds it, for people.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { FileError } from '../../errors.js';
import { writeFileAtomic } from '../../files.js';
import { asStoreError } from './failures.js';

export interface Holder {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
}

/** Milliseconds that a look at the lock by another process (`status`) may hold it. */
const PATIENCE = 1000;

/** @returns what lets go of the lock
 *  @throws FileError naming who holds it */
export function lockStore(folder: string): () => void {
  const path = join(folder, 'lock');
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: PATIENCE });
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db?.close();
    if (!isBusy(cause)) throw asStoreError(path, cause);
    const holder = holderOf(folder);
    const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}, since ${holder.since},`;
    throw new FileError(folder, `${who} is writing to this store; wait for it, or end it, then run the same command again`, { cause });
  }
  const held = db;
  try {
    writeFileAtomic(
      join(folder, 'coordinator.json'),
      JSON.stringify({ host: hostname(), pid: process.pid, since: new Date().toISOString() }),
    );
  } catch (error) {
    held.close();
    throw error;
  }
  return () => void held.close(); // rolls back, and lets go
}

/** Who holds the lock now; null where nobody does. Reading only. */
export function lockHolder(folder: string): Holder | null {
  let db: Database.Database | undefined;
  try {
    db = new Database(join(folder, 'lock'), { readonly: true, fileMustExist: true, timeout: 0 });
    db.pragma('user_version'); // needs a shared lock for a moment
    return null;
  } catch (error) {
    return isBusy(error) ? (holderOf(folder) ?? { host: 'unknown', pid: 0, since: '' }) : null;
  } finally {
    db?.close();
  }
}

const isBusy = (error: unknown): boolean => (error as { code?: string }).code?.startsWith('SQLITE_BUSY') === true;

function holderOf(folder: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'coordinator.json'), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
