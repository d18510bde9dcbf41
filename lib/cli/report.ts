/** Commands that show a sweep as a page: report writes it, watch serves it while the sweep runs. */
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { makeFolder, writeFileAtomic } from '../files.js';
import { stringify } from '../json.js';
import { integerIn } from './arguments.js';

export function registerReport(program: Command): void {
  program
    .command('report')
    .description('write a sweep as one page that opens in any browser: best settings, what each axis does, curves, failures')
    .argument('<store>', 'folder of the store')
    .option('--out <file>', 'file to write; STORE/report.html unless given')
    .option('--sweep <n>', 'number of the sweep, from 1 on; the last one planned unless given', integerIn(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'print what the page shows as JSON instead')
    .addHelpText(
      'after',
      '\nThe page is one file that holds its data and makes no request to anywhere. It may be written while the sweep runs.\nExit codes: 0 written, 1 no store, or a damaged one, 2 bad usage.',
    )
    .action(reportCommand);
  program
    .command('watch')
    .description('serve that page to this machine alone, kept up to date while the sweep runs')
    .argument('<store>', 'folder of the store')
    .option('--port <n>', 'port of 127.0.0.1; 0 takes any that is free', integerIn(0, 65_535), 0)
    .option('--sweep <n>', 'number of the sweep, from 1 on; the last one planned unless given', integerIn(1, Number.MAX_SAFE_INTEGER))
    .addHelpText(
      'after',
      '\nPrints an address that only who has it can open. To look from another machine, forward the port: ssh -L PORT:127.0.0.1:PORT HOST.\nCtrl-C ends it; the sweep goes on.\nExit codes: 0 ended by Ctrl-C, 1 no store, or a damaged one, or the port is taken, 2 bad usage.',
    )
    .action(watchCommand);
}

interface ReportOptions {
  readonly out?: string;
  readonly sweep?: number;
  readonly json?: boolean;
}

async function reportCommand(folder: string, { out = join(folder, 'report.html'), sweep, json = false }: ReportOptions): Promise<void> {
  const [{ openStore }, { page, reportData }] = await Promise.all([import('../sweep/index.js'), import('../report/index.js')]);
  const store = openStore(folder);
  try {
    const data = reportData(store, { sweep });
    if (json) {
      process.stdout.write(`${stringify(data, 1)}\n`);
      return;
    }
    makeFolder(dirname(resolve(out)));
    writeFileAtomic(out, page(data));
    process.stdout.write(`${out}\n`);
  } finally {
    store.close();
  }
}

interface WatchOptions {
  readonly port: number;
  readonly sweep?: number;
}

async function watchCommand(folder: string, { port, sweep }: WatchOptions): Promise<void> {
  const [{ watch }, { catchInterrupt }] = await Promise.all([import('../report/index.js'), import('./interrupt.js')]);
  const { signal, release } = catchInterrupt();
  try {
    const served = await watch(folder, { port, sweep });
    process.stdout.write(`${served.url}\n`);
    process.stderr.write('Ctrl-C ends it\n');
    if (!signal.aborted) await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
    await served.close();
  } finally {
    release();
  }
}
