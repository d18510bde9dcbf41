import { availableParallelism } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Forecasted, Spec, SweepSummary } from '../sweep/index.js';
import { collected, integerIn, oneOf } from './arguments.js';
import { readSpec } from './config.js';
import { UsageError } from './failure.js';
import { catchInterrupt, command, INTERRUPTED } from './interrupt.js';
import { duration, progressView, sayFinishing } from './progress.js';
import { bestTable, failureLines, stateLine } from './sweepTables.js';

interface Options {
  readonly store?: string;
  readonly jobs: number;
  readonly threads: number;
  readonly dryRun?: boolean;
  readonly verify: boolean;
  readonly json?: boolean;
  readonly executor: 'local' | 'slurm';
  readonly detach?: boolean;
  readonly sbatch?: readonly string[];
}

export function registerSweep(program: Command): void {
  program
    .command('sweep')
    .description('run the trials of a specification that its store does not hold yet; the same command again goes on where it was')
    .argument('<spec>', 'YAML file: experiment, base, axes, seeds, objective (examples/ has some)')
    .option('--store <dir>', 'folder of the store; SPEC.store beside the specification unless given')
    .option('--jobs <n>', 'trials at a time; one a core unless given', integerIn(1, 1024), availableParallelism())
    .option('--threads <n>', 'BLAS threads a trial; results repeat to the bit at 1', integerIn(1, 1024), 1)
    .option('--executor <name>', 'local (processes of this machine) or slurm', oneOf('local', 'slurm'), 'local')
    .option('--detach', 'with slurm: submit and end; `layerwise status` and `collect` see to the rest')
    .option('--sbatch <option>', 'with slurm: passed to sbatch as it is, --sbatch=--partition=long (may be repeated)', collected)
    .option('--dry-run', 'run nothing: print how many trials there are, and what they will take')
    .option('--no-verify', 'do not look over every row of the store first')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      '\nCtrl-C finishes the trials that run and keeps them; Ctrl-C again drops them. Trials that failed run again with the same command.\nExit codes: 0 done, 1 a trial failed or the budget is used up, 2 bad usage or specification, 130 interrupted.',
    )
    .action(sweepCommand);
}

const storeBeside = (path: string): string => join(dirname(path), `${basename(path, extname(path))}.store`);

async function sweepCommand(path: string, options: Options): Promise<void> {
  const { spec, saying } = await readSpec(path);
  if (options.executor === 'local' && (options.detach === true || options.sbatch !== undefined))
    throw new UsageError('--detach and --sbatch are for --executor slurm');
  const folder = dirname(resolve(path));
  const { store = storeBeside(path), jobs } = options;
  if (options.dryRun === true) {
    const { forecast, loadExperiments, moduleAddresses } = await import('../sweep/index.js');
    await loadExperiments(moduleAddresses(spec.modules, folder));
    const forecasted = saying(() => forecast(spec));
    process.stdout.write(options.json === true ? `${JSON.stringify(forecasted, null, 1)}\n` : await forecastText(forecasted, jobs));
    return;
  }
  const { loadExperiments, moduleAddresses, settingsOf } = await import('../sweep/index.js');
  await loadExperiments(moduleAddresses(spec.modules, folder));
  saying(() => settingsOf(spec).next()); // what is wrong with the first is wrong with all, and is said with its line
  await run(spec, { ...options, store, folder });
}

async function run(spec: Spec, options: Options & { store: string; folder: string }): Promise<void> {
  const { localExecutor, openStore, pathsOf, runSpec, slurm } = await import('../sweep/index.js');
  const { store: place, folder, jobs, threads, verify } = options;
  const view = progressView(spec.name);
  const { signal: stopping, atOnce: signal, listen, release } = catchInterrupt({ grace: 2000, onFirst: sayFinishing, later: true });
  const note = (text: string): void => void process.stderr.write(`${text}\n`);
  const { detach = false, sbatch = [] } = options;
  const executor =
    options.executor === 'local'
      ? localExecutor({ jobs, threads })
      : slurm({ threads, detach, onNote: note, options: [...spec.slurm.options, ...sbatch] });
  const how = {
    store: place,
    folder,
    verify,
    executor,
    signal,
    stopping,
    onPlanned: listen,
    onProgress: view.update.bind(view),
  };
  let summary: SweepSummary;
  try {
    summary = await runSpec(spec, how);
  } finally {
    view.stop();
    release();
  }
  const store = openStore(place);
  try {
    const { states } = store.status(summary.sweep);
    const best = spec.objective === undefined ? [] : store.best(spec.objective, { sweep: summary.sweep });
    const failures = store.failures({ sweep: summary.sweep });
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...summary, states, best }, null, 1)}\n`);
    else {
      process.stdout.write(`${spec.name}: ${stateLine(states)} (${place})\n`);
      if (best.length > 0) process.stdout.write(`${bestTable(best, spec.objective!, pathsOf(spec.axes))}\n`);
    }
    if (failures.length > 0) process.stderr.write(failureLines(failures, place));
  } finally {
    store.close();
  }
  if (summary.ending === 'stopped') {
    process.stderr.write(`interrupted; what is done is kept in ${place}. To go on: ${command()}\n`);
    process.exitCode = INTERRUPTED;
  } else if (summary.ending === 'detached') {
    process.stderr.write(`submitted. To see how far it is: layerwise status ${place}; to read what has come: layerwise collect ${place}\n`);
  } else if (summary.ending !== 'complete') {
    const why = summary.ending === 'budget' ? 'the budget is used up' : 'a trial failed (failFast)';
    process.stderr.write(`${why}; what is done is kept in ${place}. To go on: ${command()}\n`);
    process.exitCode = 1;
  } else if (summary.failed > 0) process.exitCode = 1;
  else if (options.json !== true) process.stderr.write(`To look at it: layerwise report ${place}\n`);
}

async function forecastText({ name, settings, trials, later, seconds, memory }: Forecasted, jobs: number): Promise<string> {
  const { memoryText } = await import('../experiments/index.js');
  const more = later === 0 ? '' : `, and ${later} more on the evaluation seeds of the best settings`;
  return [
    `${name}: ${settings} settings, ${trials} trials${more}`,
    `  predicted: ${duration(seconds)} of one core, about ${duration(seconds / jobs)} with ${jobs} at a time`,
    `  memory:    ${memory === null ? 'not known' : `${memoryText(memory)} of matrices in the largest trial`}`,
    '',
  ].join('\n');
}
