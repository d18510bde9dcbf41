/** What SQLite says, for people. */
import { FileError, LayerwiseError } from '../../errors.js';

const REASONS: readonly (readonly [code: RegExp, message: string])[] = [
  [/^SQLITE_FULL/, 'the disk is full; results that were acknowledged are kept. Free some space and run the same command again'],
  [/^SQLITE_READONLY/, 'it cannot be written to (read-only files or file system); results that were acknowledged are kept'],
  [/^SQLITE_(PERM|AUTH)/, 'permission denied'],
  [/^SQLITE_CANTOPEN/, 'it cannot be opened; does the folder exist, and may you write to it?'],
  [/^SQLITE_BUSY/, 'another process holds it; try again in a moment'],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'the store is damaged; restore it from a copy, or move it away and begin anew'],
  [
    /^SQLITE_IOERR/,
    'reading or writing it failed (disk full, a limit on file sizes, or a failing disk); results that were acknowledged are kept',
  ],
];

/** @param path  the file that the error is about */
export function asStoreError(path: string, cause: unknown): Error {
  if (cause instanceof LayerwiseError) return cause;
  const { code, message } = cause as { code?: string; message: string };
  if (cause instanceof TypeError && /database connection is not open/.test(message))
    return new FileError(path, 'this store has been closed', { cause });
  if (code === undefined || !code.startsWith('SQLITE')) return cause as Error;
  const reason = REASONS.find(([pattern]) => pattern.test(code))?.[1];
  return new FileError(path, reason === undefined ? `${message} (${code})` : `${reason} (${code})`, { cause });
}

/** Does a part of the work on a store; what SQLite complains of is said for people. */
export function speaking<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw asStoreError(path, cause);
  }
}
