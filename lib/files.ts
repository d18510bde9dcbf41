/** Files that are either whole or not there: written beside their place, flushed to the disk, then renamed over it. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError, LayerwiseError } from './errors.js';

type Bytes = string | Uint8Array;

/** @param content  all of it, or what writes it part by part
 *  @throws FileError saying what to do; the old file, if any, is untouched then */
export function writeFileAtomic(path: string, content: Bytes | ((write: (part: Bytes) => void) => void)): void {
  const place = placeOf(path);
  if (place?.isSymbolicLink() === true && existsSync(path)) {
    writeFileAtomic(realpathSync(path), content);
    return;
  }
  if (place !== undefined && !place.isFile() && !place.isDirectory()) {
    writeDirectly(path, content); // a pipe or a device is written to, never replaced
    return;
  }
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, 'w', 0o644);
    try {
      writeContent(file, content);
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

function placeOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw asFileError(path, 'write', cause);
  }
}

type Content = Parameters<typeof writeFileAtomic>[1];

function writeDirectly(path: string, content: Content): void {
  try {
    const file = openSync(path, 'w');
    try {
      writeContent(file, content);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw cause instanceof LayerwiseError ? cause : asFileError(path, 'write', cause);
  }
}

function writeContent(file: number, content: Content): void {
  const write = (part: Bytes): void => writeAll(file, part);
  if (typeof content === 'function') content(write);
  else write(content);
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
    // Not 'recursive' at once: in a file system that makes no folders (/proc) Node 20 would try for ever.
    const missing: string[] = [];
    for (let place = resolve(path); !existsSync(place); place = dirname(place)) missing.push(place);
    for (const place of missing.reverse()) mkdirOnce(place);
    if (!statSync(path).isDirectory()) mkdirSync(path); // says what is in the way
  } catch (cause) {
    throw asFileError(path, 'create', cause);
  }
}

function mkdirOnce(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another process was there first
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
