/** Opening the database of a store: DIR/store.sqlite, write-ahead log, every commit flushed to the disk. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { FileError } from '../../errors.js';
import { makeFolder } from '../../files.js';
import { asStoreError } from './failures.js';
import { lockStore } from './lock.js';
import { APPLICATION_ID, migrate, VERSION } from './schema.js';

export const MODES = ['read', 'write'] as const;
export type Mode = (typeof MODES)[number];

export interface OpenDatabase {
  readonly db: Database.Database;
  readonly path: string;
  readonly close: () => void;
  /** @throws FileError where the file is no longer the one that was opened: what is written to it then is lost */
  readonly requireInPlace: () => void;
}

export const databaseOf = (folder: string): string => join(folder, 'store.sqlite');

/** @throws FileError when there is no store to read, another process writes to it, or it is damaged or newer than this package */
export function openDatabase(folder: string, mode: Mode): OpenDatabase {
  const path = databaseOf(folder);
  if (mode === 'read') {
    if (!existsSync(path)) throw new FileError(folder, existsSync(folder) ? 'there is no store in this folder' : 'no such store');
    const db = opening(path, () => reader(path));
    return { db, path, close: () => void db.close(), requireInPlace: () => undefined };
  }
  makeFolder(folder);
  const unlock = lockStore(folder);
  try {
    const fresh = !existsSync(path) || statSync(path).size === 0;
    const db = opening(path, () => writer(path, fresh));
    const opened = statSync(path).ino;
    return {
      db,
      path,
      requireInPlace: () => {
        if (statSync(path, { throwIfNoEntry: false })?.ino !== opened)
          throw new FileError(path, 'the store was moved, removed or replaced while it was written to; put it back, or begin anew');
      },
      close: () => {
        closeWriter(db);
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

function opening(path: string, open: () => Database.Database): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = open();
    requireOurs(db, path);
    return db;
  } catch (cause) {
    db?.close();
    throw asStoreError(path, cause);
  }
}

function writer(path: string, fresh: boolean): Database.Database {
  const db = new Database(path, { timeout: 10_000 });
  try {
    if (!fresh) requireOurs(db, path);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('cache_size = -65536');
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Where the folder cannot be written to, a store that was closed in order is read as a whole: its log has nothing more. */
function reader(path: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 10_000 });
  try {
    db.pragma('schema_version');
    return db;
  } catch (error) {
    db.close();
    const { code } = error as { code?: string };
    if (code !== 'SQLITE_CANTOPEN' && code?.startsWith('SQLITE_READONLY') !== true) throw error;
    if (existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0)
      throw new FileError(
        path,
        'it was not closed in order, and cannot be mended where it is read-only; copy the folder and read the copy',
        { cause: error },
      );
    const bytes = readFileSync(path);
    bytes.fill(1, 18, 20); // no write-ahead log in memory
    return new Database(bytes, { readonly: true });
  }
}

/** @throws FileError unless it is a store of this version or an older one */
function requireOurs(db: Database.Database, path: string): void {
  const id = db.pragma('application_id', { simple: true });
  if (id !== APPLICATION_ID) throw new FileError(path, 'it is a database of something else, not a store of layerwise');
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > VERSION)
    throw new FileError(
      path,
      `it was written by a newer version of layerwise (store version ${version}, this one reads up to ${VERSION}); update layerwise`,
    );
  if (version < VERSION && db.readonly)
    throw new FileError(
      path,
      `it is of an older version (${version}, this one reads ${VERSION}); open it once for writing, by resuming its sweep, to bring it up`,
    );
}

/** Leaves one plain file behind, which can be copied, and read where nothing can be written. */
function closeWriter(db: Database.Database): void {
  try {
    db.pragma('busy_timeout = 0');
    db.pragma('journal_mode = DELETE');
  } catch {
    // somebody is reading: the log stays, and loses nothing
  }
  db.close();
}
