/** Commands that look at a store: status and export. */
import type { Command } from 'commander';
import type { Coordinator, Format, Status, Store } from '../sweep/index.js';
import { collected, oneOf } from './arguments.js';
import { UsageError } from './failure.js';
import { writeOut } from './output.js';
import { duration } from './progress.js';
import { queueText } from './slurm.js';
import { stateLine } from './sweepTables.js';

export function registerStores(program: Command): void {
  program
    .command('status')
    .description('how far a sweep is, also while another process runs it')
    .argument('<store>', 'folder of the store')
    .option('--failures', 'also print the trials without a record, with their logs')
    .option('--verify', 'look over every row of the store')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExit codes: 0 read, 1 no store, or a damaged one.')
    .action(statusCommand);
  program
    .command('export')
    .description('write the results as a table: one row a trial, with its configuration and the last value of every metric')
    .argument('<store>', 'folder of the store')
    .option('--format <format>', 'csv, parquet or json', oneOf('csv', 'parquet', 'json'), 'csv')
    .option('--out <file>', 'file to write; to the standard output unless given')
    .option('--curves', 'every point of every curve instead (json: beside the rest)')
    .option('--provenance', 'also when and where a trial ran, which differs from run to run')
    .option(
      '--where <path=value>',
      'only trials of which this is so (may be repeated: another value of the same path is allowed too, another path must be met too)',
      collected,
    )
    .addHelpText(
      'after',
      '\nEqual results give equal bytes, whatever ran them.\nExit codes: 0 written, 1 no store, or a damaged one, 2 bad usage.',
    )
    .action(exportCommand);
}

interface StatusOptions {
  readonly failures?: boolean;
  readonly verify?: boolean;
  readonly json?: boolean;
}

async function statusCommand(folder: string, { failures: withLogs = false, verify = false, json = false }: StatusOptions): Promise<void> {
  const { openStore, openSubmissions, readLive, tasksOf } = await import('../sweep/index.js');
  const store = openStore(folder, { verify });
  try {
    const live = readLive(store.folder);
    const all = store.sweeps().map(({ id }) => store.status(id));
    const failures = withLogs ? store.failures() : [];
    const out = await Promise.all(openSubmissions(store).map(async (submission) => ({ submission, queue: await tasksOf(submission) })));
    if (json)
      process.stdout.write(`${JSON.stringify({ sweeps: all, live, submissions: out, ...(withLogs ? { failures } : {}) }, null, 1)}\n`);
    else {
      process.stdout.write(statusText(all, live));
      for (const { submission, queue } of out)
        process.stdout.write(
          `${submission.name}: ${submission.tasks} tasks submitted; ${queueText(queue)}; to read what has come: layerwise collect ${folder}\n`,
        );
      for (const { id, state, message, log, attempts, config } of failures)
        process.stdout.write(
          `\ntrial ${id}\n${state} after ${attempts} attempt${attempts === 1 ? '' : 's'}: ${message}\n${JSON.stringify(config)}\n${log === '' ? '' : `${log.replace(/^/gm, '  | ')}\n`}`,
        );
    }
  } finally {
    store.close();
  }
}

function statusText(all: readonly Status[], live: Coordinator | null): string {
  const lines = all.map(({ name, planned, states, differing }) => {
    const warning = differing === 0 ? '' : `\n  ${differing} results came again and differed: something does not repeat`;
    return `${name}: ${planned} trials: ${stateLine(states)}${warning}`;
  });
  if (all.length === 0) lines.push('nothing has been planned here');
  if (live === null) lines.push('nothing runs');
  else {
    const { holder, executor, running, eta, trials } = live;
    const left = eta === undefined ? '' : `, about ${duration(eta)} left`;
    lines.push(`process ${holder.pid} on ${holder.host} runs ${running} (${executor === '' ? 'starting' : executor})${left}`);
    for (const { id, since, config } of trials.slice(0, 16))
      lines.push(`  ${id.slice(0, 12)} seed ${config.seed}, for ${duration(Date.now() / 1000 - since)}`);
  }
  return `${lines.join('\n')}\n`;
}

interface ExportCommandOptions {
  readonly format: Format;
  readonly out?: string;
  readonly curves?: boolean;
  readonly provenance?: boolean;
  readonly where?: readonly string[];
}

async function exportCommand(
  folder: string,
  { format, out, curves = false, provenance = false, where = [] }: ExportCommandOptions,
): Promise<void> {
  if (out === undefined && format === 'parquet' && process.stdout.isTTY) throw new UsageError('parquet is no text; give --out FILE');
  const { openStore } = await import('../sweep/index.js');
  const conditions: Record<string, unknown[]> = {};
  for (const [path, value] of where.map(conditionOf))
    conditions[path] = [...(conditions[path] ?? []), ...(Array.isArray(value) ? (value as unknown[]) : [value])];
  const store: Store = openStore(folder, { verify: true });
  try {
    store.exportTo(out ?? writeOut, { format, curves, provenance, where: conditions });
  } finally {
    store.close();
  }
}

/** 'optimizer.name=adam': values are read as JSON where they are JSON. */
function conditionOf(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--where takes PATH=VALUE, got '${text}'`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}
