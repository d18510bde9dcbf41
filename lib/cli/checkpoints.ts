/** Checkpoint files of runs: one is FILE, one of a list FILE.1, FILE.2, ... */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, parse as parsePath } from 'node:path';
import { ArgumentError, FileError, OptionsError } from '../errors.js';
import type { ParsedConfig } from '../experiments/index.js';
import { readBytes, requireWritable, writeFileAtomic } from '../files.js';
import { canonical } from '../canonical.js';
import { parse, stringify } from '../json.js';
import type { Checkpoint, Training } from '../train/index.js';

export interface Saver {
  readonly path: string;
  readonly resume: Checkpoint | undefined;
  readonly onProgress: (training: Training) => void;
}

/** A checkpoint holds the configuration it belongs to; only the length of the run may differ when it is continued. */
export async function saverOf(path: string, config: ParsedConfig, every: number): Promise<Saver> {
  requireWritable(path);
  if (!existsSync(path)) return saver(path, config, every, undefined);
  const resume = await readCheckpoint(path);
  const [theirs, mine] = [String(resume.about['config']), identityOf(config)];
  if (theirs === mine) return saver(path, config, every, resume);
  const message = `this checkpoint is of another configuration (${difference(theirs, mine)}); name another file, or delete this one`;
  throw new OptionsError(path, [{ path: '', value: '', message }]);
}

/** One a configuration: the numbered file that belongs to it, wherever it now is in the list, else the first free number. */
export async function saversOf(path: string, configs: readonly ParsedConfig[], every: number): Promise<readonly Saver[]> {
  const identities = configs.map(identityOf);
  const resumes = new Map<number, { readonly file: string; readonly resume: Checkpoint }>();
  const strange: string[] = [];
  const taken = numbersTaken(path);
  for (const n of taken) {
    const file = numbered(path, n);
    const resume = await readCheckpoint(file);
    const i = identities.findIndex((mine, at) => !resumes.has(at) && mine === resume.about['config']);
    if (i < 0) strange.push(file);
    else resumes.set(i, { file, resume });
  }
  if (strange.length > 0)
    process.stderr.write(`note: left alone, as of none of these optimisers under this configuration: ${strange.join(', ')}\n`);
  let n = 0;
  const free = (): string => {
    do n++;
    while (taken.includes(n));
    return numbered(path, n);
  };
  const places = configs.map((_, i) => resumes.get(i) ?? { file: free(), resume: undefined });
  for (const { file } of places) requireWritable(file);
  return Promise.all(places.map(({ file, resume }, i) => saver(file, configs[i], every, resume)));
}

async function saver(path: string, config: ParsedConfig, every: number, resume: Checkpoint | undefined): Promise<Saver> {
  const { encodeCheckpoint } = await import('../train/index.js');
  const identity = identityOf(config);
  let saved = resume === undefined ? 0 : NaN;
  return {
    path,
    resume,
    onProgress: (training) => {
      if (Number.isNaN(saved)) saved = training.step;
      if (!training.finished && training.step - saved < every) return;
      const { arrays, about } = training.checkpoint();
      writeFileAtomic(path, encodeCheckpoint({ arrays, about: { ...about, config: identity } }));
      saved = training.step;
    },
  };
}

/** @throws FileError, also where it is not a checkpoint, or damaged */
async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { decodeCheckpoint } = await import('../train/index.js');
  const bytes = readBytes(path);
  try {
    return decodeCheckpoint(bytes);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    throw new FileError(path, `it is not a checkpoint of layerwise (${cause.message}); name another file, or delete this one`, { cause });
  }
}

/** runs/a.npz becomes runs/a.2.npz: a file for each of several runs. */
function numbered(path: string, n: number): string {
  const { dir, name, ext } = parsePath(path);
  return join(dir, `${name}.${n}${ext}`);
}

/** The numbers of which there are files, in order. */
function numbersTaken(path: string): readonly number[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  const { name, ext } = parsePath(path);
  const files = readdirSync(folder);
  const numbers = files.map((file) => Number(file.slice(name.length + 1, file.length - ext.length)));
  const own = (n: number): boolean => Number.isInteger(n) && n > 0 && files.includes(basename(numbered(path, n)));
  return [...new Set(numbers)].filter(own).sort((a, b) => a - b);
}

/** What must be equal for a run to continue a checkpoint: all but its length, which a schedule over all steps depends on. */
function identityOf(config: ParsedConfig): string {
  const train: Record<string, unknown> = { ...(config['train'] as object) };
  delete train['seconds'];
  if ((config['schedule'] as { kind: string }).kind !== 'cosine') {
    delete train['steps'];
    delete train['epochs'];
  }
  return canonical({ ...config, train });
}

/** The first top-level part in which two configurations differ. */
function difference(theirs: string, mine: string): string {
  try {
    const [a, b] = [parse(theirs), parse(mine)] as Record<string, unknown>[];
    const key = Object.keys(b).find((k) => stringify(a[k]) !== stringify(b[k])) ?? 'unknown';
    return `${key} differs`;
  } catch {
    return 'its configuration cannot be read';
  }
}
