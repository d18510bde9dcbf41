import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { duration } from '../duration.js';
import { makeFolder } from '../files.js';
import type { Claim } from '../figures/index.js';
import type { forecastStudies, Scale, StudyForecast } from '../studies/index.js';
import { integerIn, oneOf } from './arguments.js';
import { UsageError } from './failure.js';
import { catchInterrupt, command, INTERRUPTED } from './interrupt.js';
import { progressView, sayFinishing } from './progress.js';

interface Options {
  readonly scale: Scale;
  readonly out: string;
  readonly seed: number;
  readonly jobs: number;
  readonly threads: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function registerFigures(program: Command): void {
  program
    .command('figures')
    .description('reproduce figures: run their trials, draw them, and judge the claims')
    .argument('[names...]', 'figures to make (default: all)')
    .option('--scale <scale>', 'quick (minutes) or full (more seeds)', oneOf('quick', 'full'), 'quick')
    .option('--out <dir>', 'folder for DIR/NAME/{data.json, data.csv, figure.svg, figure.png, claims.json, timings.json}', 'figures')
    .option('--seed <n>', 'first seed; all others follow from it', integerIn(0, 1_000_000), 0)
    .option('--jobs <n>', 'trials at a time; one a core unless given', integerIn(1, 1024), availableParallelism())
    .option('--threads <n>', 'BLAS threads a trial; results repeat to the bit at 1', integerIn(1, 1024), 1)
    .option('--dry-run', 'run nothing: print how many trials are left, and what they will take')
    .option('--json', 'print the claims as JSON; with --dry-run the forecast')
    .addHelpText(
      'after',
      '\nAn interrupted command keeps the trials it has done; the same command goes on from there.\nExit codes: 0 done, 1 failed work, 2 bad usage, 130 interrupted.',
    )
    .action(figures);
}

/** Before hours of work: what they will be. */
function forecastText({ each, all }: ReturnType<typeof forecastStudies>, jobs: number): string {
  const time = ({ trials, seconds, less }: StudyForecast): string =>
    trials === 0
      ? 'nothing left to run'
      : `${trials} trials, about ${duration(seconds / jobs)}${less ? ', less where runs reach their target early' : ''}`;
  const lines = Object.entries(each).map(([name, forecast]) => `  ${name.padEnd(16)} ${time(forecast)}\n`);
  return `predicted, ${jobs} at a time: ${time(all)}\n${lines.length > 1 ? lines.join('') : ''}`;
}

async function figures(names: readonly string[], options: Options): Promise<void> {
  const { studies, forecastStudies: forecast, runStudy } = await import('../studies/index.js');
  const { claimsTable, edgeText, writePage } = await import('../figures/index.js');
  const { openStore } = await import('../sweep/index.js');
  for (const name of names)
    if (!Object.hasOwn(studies, name)) throw new UsageError(`unknown figure '${name}'; there are: ${Object.keys(studies).join(', ')}`);
  const named = names.length > 0 ? [...new Set(names)] : Object.keys(studies);
  const leftOut = named.flatMap((name) => {
    const why = studies[name].lacks?.();
    return why === undefined ? [] : [{ name, why }];
  });
  if (names.length > 0 && leftOut.length > 0) throw new UsageError(`${leftOut[0].name} cannot be made here: ${leftOut[0].why}`);
  for (const { name, why } of leftOut) process.stderr.write(`${name} is left out: ${why}\n`);
  const wanted = named.filter((name) => !leftOut.some((l) => l.name === name));
  const place = join(options.out, 'store');
  const asked = wanted.map((name) => studies[name]);
  if (options.dryRun === true) {
    const store = existsSync(join(place, 'store.sqlite')) ? openStore(place) : undefined;
    try {
      const found = forecast(asked, options, store);
      process.stdout.write(options.json === true ? `${JSON.stringify(found, null, 1)}\n` : forecastText(found, options.jobs));
    } finally {
      store?.close();
    }
    return;
  }
  makeFolder(options.out);
  const store = openStore(place, { mode: 'write' });
  const { signal: stopping, atOnce: signal, release } = catchInterrupt({ grace: 2000, onFirst: sayFinishing });
  const claims: Record<string, readonly Claim[]> = {};
  try {
    if (options.scale === 'full') process.stderr.write(forecastText(forecast(asked, options, store), options.jobs));
    for (const name of wanted) {
      const view = progressView(name);
      const { scale, out, seed, jobs, threads } = options;
      const onProgress = view.update.bind(view);
      const how = { scale, out, store, seed, jobs, threads, signal, stopping, onProgress };
      const run = await runStudy(studies[name], how).finally(() => view.stop());
      if (run.status === 'interrupted') {
        process.stderr.write(`\ninterrupted; what is done is kept in ${out}. To go on: ${command()}\n`);
        process.exitCode = INTERRUPTED;
        return;
      }
      if (run.status === 'failed') {
        for (const { id, message } of run.failures.slice(0, 10)) process.stderr.write(`trial ${id.slice(0, 12)} failed: ${message}\n`);
        process.stderr.write(`${run.failures.length} trials of ${name} failed; the others are kept. To try them again: ${command()}\n`);
        process.exitCode = 1;
        return;
      }
      claims[name] = run.claims;
      if (options.json === true) continue;
      const table = claimsTable(run.claims, Math.min(process.stdout.columns ?? 110, 140));
      process.stdout.write(`\n${studies[name].title} (${relative('.', run.folder) || '.'})\n${table}\n`);
      const edges = edgeText(run.searches);
      if (edges !== '') process.stdout.write(`best at the edge of what was searched: ${edges}\n`);
    }
  } finally {
    store.close();
  }
  const page = writePage(options.out, Object.keys(studies), leftOut);
  release();
  if (options.json === true) process.stdout.write(`${JSON.stringify(claims, null, 1)}\n`);
  else process.stdout.write(`All figures in ${options.out} on one page: ${page}\n`);
}
