import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { ExperimentName, ExperimentRecord, ParsedConfig } from '../experiments/index.js';
import { stringify } from '../json.js';
import { integerIn } from './arguments.js';
import { saverOf, saversOf, type Saver } from './checkpoints.js';
import { configText, readConfigs } from './config.js';
import { messageOf, UsageError } from './failure.js';
import { catchInterrupt, command, INTERRUPTED } from './interrupt.js';
import { comparison, nameOf, summary } from './records.js';

interface Options {
  readonly json?: boolean;
  readonly checkpoint?: string;
  readonly checkpointEvery?: number;
  readonly threads: number;
  readonly defaults?: boolean;
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run one experiment from a YAML file and print its record; a list of optimisers runs each and compares them')
    .argument('[config]', 'YAML file (an empty one runs the defaults); with --defaults also the name of an experiment')
    .option('--json', 'print the whole record as JSON')
    .option(
      '--checkpoint <file>',
      'save the run to FILE (.npz) now and then and when interrupted; continue from it where it exists (a list: FILE.1.npz, FILE.2.npz, ..., each found again wherever its optimiser moves)',
    )
    .option('--checkpoint-every <steps>', 'steps between two saves (default: 1000)', integerIn(1, 2 ** 31 - 1))
    .option('--threads <n>', 'BLAS threads; results repeat to the bit at 1', integerIn(1, 1024), 1)
    .option(
      '--defaults',
      'run nothing: print the configuration of the file with every default filled in, or one to start from for an experiment',
    )
    .addHelpText('after', '\nExit codes: 0 done, 1 failed work (a diverged run included), 2 bad usage or configuration, 130 interrupted.')
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  if (options.defaults === true) {
    process.stdout.write(configText(await startingFrom(path)));
    return;
  }
  const { experimentNames } = await import('../experiments/index.js');
  if (path === undefined)
    throw new UsageError('which configuration? layerwise run CONFIG.yaml; layerwise run --defaults prints one to start from');
  if (isOneOf(experimentNames, path) && !existsSync(path))
    throw new UsageError(`${path} is an experiment, not a file; layerwise run ${path} --defaults prints a configuration to start from`);
  if (options.checkpointEvery !== undefined && options.checkpoint === undefined)
    throw new UsageError('--checkpoint-every says how often --checkpoint FILE is saved; give both');
  const { setThreads } = await import('../linalg/index.js');
  const configs = await readConfigs(path);
  setThreads(options.threads);
  const { checkpoint, checkpointEvery = 1000 } = options;
  const { gibibytes, memoryOf } = await import('../experiments/index.js');
  for (const config of configs) {
    const bytes = memoryOf(config);
    if (bytes === null) continue;
    if (checkpoint !== undefined)
      throw new UsageError(`${config.experiment} computes in one go and has no checkpoints; leave --checkpoint out`);
    process.stderr.write(`${config.experiment}: needs about ${gibibytes(bytes)} of memory\n`);
  }
  let savers: readonly Saver[] = [];
  if (checkpoint !== undefined)
    savers =
      configs.length === 1
        ? [await saverOf(checkpoint, configs[0], checkpointEvery)]
        : await saversOf(checkpoint, configs, checkpointEvery);
  const records = await runAll(configs, savers, options.json !== true);
  if (configs.length === 1 && records.length === 0) return;
  if (options.json === true) process.stdout.write(`${stringify(configs.length === 1 ? records[0] : records, 1)}\n`);
  else if (configs.length > 1 && records.length > 0) process.stdout.write(`\n${comparison(records)}\n`);
}

/** What --defaults prints: of a file, or of an experiment by its name. */
async function startingFrom(path = 'linear-representation'): Promise<readonly ParsedConfig[]> {
  const { experimentNames, startingPoint } = await import('../experiments/index.js');
  if (isOneOf(experimentNames, path)) return [startingPoint(path)];
  if (!existsSync(path) && !/[./]/.test(path))
    throw new UsageError(`no file and no experiment is named ${path}; experiments: ${experimentNames.join(', ')}`);
  return readConfigs(path);
}

const isOneOf = (names: readonly ExperimentName[], text: string): text is ExperimentName => (names as readonly string[]).includes(text);

/** Runs each in turn until interrupted. One of a list that fails is reported, and the others run.
 *  @param summaries  whether each record is summed up as soon as it is there
 *  @returns the records that came to an end */
async function runAll(configs: readonly ParsedConfig[], savers: readonly Saver[], summaries: boolean): Promise<ExperimentRecord[]> {
  const { memoryOf, runExperiment } = await import('../experiments/index.js');
  const { signal, release } = catchInterrupt();
  const records: ExperimentRecord[] = [];
  for (const [i, config] of configs.entries()) {
    const saver = savers.at(i);
    const place = configs.length === 1 ? '' : ` in optimiser ${i + 1} of ${configs.length} (${nameOf(config)})`;
    await new Promise(setImmediate); // a signal that came meanwhile is heard
    if (signal.aborted) {
      reportInterrupt(`before its first step${place}`, saver, memoryOf(config) !== null);
      break;
    }
    try {
      const record = await runExperiment(config, { resume: saver?.resume, signal, onProgress: saver?.onProgress });
      if (record.status === 'stopped') {
        reportInterrupt(`at step ${record.steps}${place}`, saver, memoryOf(config) !== null);
        break;
      }
      records.push(record);
      if (summaries) process.stdout.write(summary(record));
      if (record.status !== 'done') process.exitCode = 1;
    } catch (error) {
      if (configs.length === 1) throw error;
      process.stderr.write(`${messageOf(error).replace(/^error:/, `error${place}:`)}\n`);
      process.exitCode = 1;
    }
  }
  release();
  return records;
}

/** @param inOneGo  whether the experiment has no steps to keep */
function reportInterrupt(where: string, saver: Saver | undefined, inOneGo: boolean): void {
  const kept =
    saver === undefined
      ? inOneGo
        ? 'it computes in one go, and begins anew'
        : 'its steps are not kept; --checkpoint FILE would have kept them'
      : `kept in ${saver.path}. To go on: ${command()}`;
  process.stderr.write(`\ninterrupted ${where}; ${kept}\n`);
  process.exitCode = INTERRUPTED;
}
