import { existsSync } from 'node:fs';
import { join, parse as parsePath } from 'node:path';
import canonicalize from 'canonicalize';
import type { Command } from 'commander';
import { ArgumentError, FileError, OptionsError } from '../errors.js';
import type { ExperimentRecord, ParsedConfig } from '../experiments/index.js';
import { readBytes, requireWritable, writeFileAtomic } from '../files.js';
import { parse, stringify } from '../json.js';
import type { Checkpoint, Training } from '../train/index.js';
import { integerIn } from './arguments.js';
import { comparison, summary } from './records.js';
import { configText, readConfigs } from './config.js';
import { UsageError } from './failure.js';
import { catchInterrupt, command, INTERRUPTED } from './interrupt.js';

interface Options {
  readonly json?: boolean;
  readonly checkpoint?: string;
  readonly checkpointEvery: number;
  readonly threads: number;
  readonly defaults?: boolean;
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run one experiment from a YAML file and print its record; a list of optimisers runs each and compares them')
    .argument('[config]', 'YAML file; an empty one runs the defaults')
    .option('--json', 'print the whole record as JSON')
    .option(
      '--checkpoint <file>',
      'save the run to FILE (.npz) now and then and when interrupted; continue from it where it exists (a list: FILE.1.npz, FILE.2.npz, ...)',
    )
    .option('--checkpoint-every <steps>', 'steps between two saves', integerIn(1, 2 ** 31 - 1), 1000)
    .option('--threads <n>', 'BLAS threads; results repeat to the bit at 1', integerIn(1, 1024), 1)
    .option('--defaults', 'print the configuration with every default filled in, and run nothing')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed work (a diverged run included), 2 bad usage or configuration, 130 interrupted.')
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const { parseConfig } = await import('../experiments/index.js');
  const { setThreads } = await import('../linalg/index.js');
  if (path === undefined && options.defaults !== true)
    throw new UsageError('which configuration? layerwise run CONFIG.yaml; layerwise run --defaults prints one to start from');
  const configs = path === undefined ? [parseConfig({})] : await readConfigs(path);
  if (options.defaults === true) {
    process.stdout.write(configs.map(configText).join('---\n'));
    return;
  }
  setThreads(options.threads);
  const savers: (Saver | undefined)[] = [];
  for (const [i, config] of configs.entries()) {
    const { checkpoint, checkpointEvery } = options;
    if (checkpoint === undefined) savers.push(undefined);
    else savers.push(await checkpointFile(configs.length === 1 ? checkpoint : numbered(checkpoint, i + 1), config, checkpointEvery));
  }
  const records: ExperimentRecord[] = [];
  for (const [i, config] of configs.entries()) {
    const record = await runOne(config, savers[i], options);
    if (record === null) return;
    records.push(record);
    if (options.json !== true) process.stdout.write(summary(record));
    if (record.status !== 'done') process.exitCode = 1;
  }
  if (options.json === true) process.stdout.write(`${stringify(configs.length === 1 ? records[0] : records, 1)}\n`);
  else if (records.length > 1) process.stdout.write(`\n${comparison(records)}\n`);
}

/** @returns null when interrupted */
async function runOne(config: ParsedConfig, saver: Saver | undefined, { checkpoint }: Options): Promise<ExperimentRecord | null> {
  const { runExperiment } = await import('../experiments/index.js');
  const { signal, release } = catchInterrupt();
  const record = await runExperiment(config, { resume: saver?.resume, signal, onProgress: saver?.onProgress });
  release();
  if (record.status !== 'stopped') return record;
  const kept =
    checkpoint === undefined
      ? 'nothing is kept; --checkpoint FILE would have kept it'
      : `kept in ${saver?.path ?? checkpoint}. To go on: ${command()}`;
  process.stderr.write(`\ninterrupted at step ${record.steps}; ${kept}\n`);
  process.exitCode = INTERRUPTED;
  return null;
}

/** runs/a.npz becomes runs/a.2.npz: a file for each of several runs. */
function numbered(path: string, n: number): string {
  const { dir, name, ext } = parsePath(path);
  return join(dir, `${name}.${n}${ext}`);
}

interface Saver {
  readonly path: string;
  readonly resume: Checkpoint | undefined;
  readonly onProgress: (training: Training) => void;
}

/** A checkpoint holds the configuration it belongs to; only the length of the run may differ when it is continued. */
async function checkpointFile(path: string, config: ParsedConfig, every: number): Promise<Saver> {
  const { decodeCheckpoint, encodeCheckpoint } = await import('../train/index.js');
  const identity = identityOf(config);
  requireWritable(path);
  let resume: Checkpoint | undefined;
  if (existsSync(path)) {
    try {
      resume = decodeCheckpoint(readBytes(path));
    } catch (cause) {
      if (cause instanceof ArgumentError)
        throw new FileError(path, `it is not a checkpoint of layerwise (${cause.message}); name another file, or delete this one`, {
          cause,
        });
      throw cause;
    }
    if (resume.about['config'] !== identity)
      throw new OptionsError(path, [
        {
          path: '',
          value: '',
          message: `this checkpoint is of another configuration (${difference(String(resume.about['config']), identity)}); name another file, or delete this one`,
        },
      ]);
  }
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

/** What must be equal for a run to continue a checkpoint: all but its length, which a schedule over all steps depends on. */
function identityOf(config: ParsedConfig): string {
  const train: Record<string, unknown> = { ...(config['train'] as object) };
  delete train['seconds'];
  if ((config['schedule'] as { kind: string }).kind !== 'cosine') delete train['steps'];
  return canonicalize({ ...config, train }) ?? '';
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
