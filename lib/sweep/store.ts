/** Where results are kept between commands: by trial identity, so that a trial is never run twice and never lost. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import type { ExperimentRecord } from '../experiments/index.js';
import { makeFolder, writeFileAtomic } from '../files.js';
import { parse, stringify } from '../json.js';
import { trial } from './trial.js';

export interface Store {
  get(id: string): ExperimentRecord | undefined;
  /** Durable when it returns. */
  put(id: string, record: ExperimentRecord): void;
}

/** One file a trial, each written whole or not at all.
 *  @throws FileError when the folder cannot be made, or a file in it cannot be read */
export function folderStore(folder: string): Store {
  makeFolder(folder);
  const known = new Set(readdirSync(folder));
  const nameOf = (id: string): string => `${id}.json`;
  return {
    get(id) {
      const path = join(folder, nameOf(id));
      if (!known.has(nameOf(id)) || !existsSync(path)) return undefined;
      try {
        return checked(parse(readFileSync(path, 'utf8')), id);
      } catch (cause) {
        throw new FileError(path, 'this stored result is damaged; delete the file to have the trial run again', { cause });
      }
    },
    put(id, record) {
      writeFileAtomic(join(folder, nameOf(id)), stringify(record));
      known.add(nameOf(id));
    },
  };
}

/** @throws Error when a stored value is not the record of this trial */
function checked(value: unknown, id: string): ExperimentRecord {
  const record = value as Partial<ExperimentRecord> | null;
  if (
    typeof record !== 'object' ||
    record === null ||
    typeof record.status !== 'string' ||
    record.metrics === undefined ||
    record.timing === undefined
  )
    throw new Error('not a record');
  if (trial(record.config).id !== id) throw new Error('the record of another trial');
  return record as ExperimentRecord;
}
