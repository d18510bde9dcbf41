import { existsSync } from 'node:fs';
import canonicalize from 'canonicalize';
import type { Command } from 'commander';
import { ArgumentError, FileError, OptionsError } from '../errors.js';
import type { ExperimentRecord, ParsedConfig } from '../experiments/index.js';
import { readBytes, requireWritable, writeFileAtomic } from '../files.js';
import { parse, stringify } from '../json.js';
import type { Checkpoint, Training } from '../train/index.js';
import { integerIn } from './arguments.js';
import { configText, readConfig } from './config.js';
import { UsageError } from './failure.js';
import { catchInterrupt, command, INTERRUPTED } from './interrupt.js';
import { colors as pc } from '../terminal.js';

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
    .description('run one experiment from a YAML file and print its record')
    .argument('[config]', 'YAML file; an empty one runs the defaults')
    .option('--json', 'print the whole record as JSON')
    .option('--checkpoint <file>', 'save the run to FILE (.npz) now and then and when interrupted; continue from it where it exists')
    .option('--checkpoint-every <steps>', 'steps between two saves', integerIn(1, 2 ** 31 - 1), 1000)
    .option('--threads <n>', 'BLAS threads; results repeat to the bit at 1', integerIn(1, 1024), 1)
    .option('--defaults', 'print the configuration with every default filled in, and run nothing')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed work (a diverged run included), 2 bad usage or configuration, 130 interrupted.')
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const { parseConfig, runExperiment } = await import('../experiments/index.js');
  const { setThreads } = await import('../linalg/index.js');
  if (path === undefined && options.defaults !== true)
    throw new UsageError('which configuration? layerwise run CONFIG.yaml; layerwise run --defaults prints one to start from');
  const config = path === undefined ? parseConfig({}) : await readConfig(path);
  if (options.defaults === true) {
    process.stdout.write(configText(config));
    return;
  }
  setThreads(options.threads);
  const saver = options.checkpoint === undefined ? undefined : await checkpointFile(options.checkpoint, config, options.checkpointEvery);
  const { signal, release } = catchInterrupt();
  const record = await runExperiment(config, { resume: saver?.resume, signal, onProgress: saver?.onProgress });
  release();
  if (record.status === 'stopped') {
    const kept =
      options.checkpoint === undefined
        ? 'nothing is kept; --checkpoint FILE would have kept it'
        : `kept in ${options.checkpoint}. To go on: ${command()}`;
    process.stderr.write(`\ninterrupted at step ${record.steps}; ${kept}\n`);
    process.exitCode = INTERRUPTED;
    return;
  }
  process.stdout.write(options.json === true ? `${stringify(record, 1)}\n` : summary(record));
  if (record.status !== 'done') process.exitCode = 1;
}

interface Saver {
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

function summary({ status, reason, steps, metrics, timing, config, provenance }: ExperimentRecord): string {
  const rows = Object.entries(metrics).map(
    ([name, { values }]) => `  ${name.padEnd(16)} ${format(values[0]).padStart(12)} -> ${format(values.at(-1) ?? NaN).padStart(12)}`,
  );
  const optimizer = config['optimizer'] as { name: string };
  return [
    `${config.experiment}, ${optimizer.name}, seed ${config.seed}: ${status === 'done' ? pc.green(status) : pc.yellow(status)}${reason === undefined ? '' : ` (${reason})`}`,
    `  ${steps} steps in ${timing.trainingSeconds.toFixed(2)} s (${steps > 0 ? Math.round((timing.trainingSeconds / steps) * 1e6) : 0} us a step), ${provenance.kernel} kernel, ${provenance.threads} thread${provenance.threads === 1 ? '' : 's'}`,
    `  ${'metric'.padEnd(16)} ${'first'.padStart(12)}    ${'last'.padStart(12)}`,
    ...rows,
    '',
  ].join('\n');
}

const format = (x: number): string => (Number.isFinite(x) ? x.toPrecision(5) : String(x));
