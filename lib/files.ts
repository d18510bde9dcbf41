/** Files that are either whole or not there: written beside their place, flushed to the disk, then renamed over it. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join, basename } from 'node:path';
import { FileError, LayerwiseError } from './errors.js';

type Bytes = string | Uint8Array;

/** @param content  all of it, or what writes it part by part
 *  @throws FileError saying what to do; the old file, if any, is untouched then */
export function writeFileAtomic(path: string, content: Bytes | ((write: (part: Bytes) => void) => void)): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, 'w', 0o644);
    try {
      const write = (part: Bytes): void => writeAll(file, part);
      if (typeof content === 'function') content(write);
      else write(content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    discard(temporary);
    throw cause instanceof LayerwiseError ? cause : asFileError(path, 'write', cause);
  }
}

function writeAll(file: number, content: Bytes): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

/** Finds out before hours of work whether a file can be written in its place. @throws FileError */
export function requireWritable(path: string): void {
  const probe = join(dirname(path), `.${basename(path)}.${process.pid}.probe`);
  try {
    closeSync(openSync(probe, 'w', 0o644));
  } catch (cause) {
    throw asFileError(path, 'write', cause);
  } finally {
    discard(probe);
  }
}

/** Removes a file of ours if it is there; what went wrong before it is the error to report. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // its folder is not one
  }
}

/** A rename is durable once its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** @throws FileError */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw asFileError(path, 'create', cause);
  }
}

/** @throws FileError */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw asFileError(path, 'read', cause);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full; free some space and run the same command again',
  EFBIG: 'it would be larger than the file system or a limit (ulimit -f) allows',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a file of that name is in the way',
};

function asFileError(path: string, verb: string, cause: unknown): FileError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  return new FileError(path, `cannot ${verb} it: ${REASONS[code] ?? (cause as Error).message}`, { cause });
}
