#!/usr/bin/env node
/** The command line. Results go to stdout; progress and messages to stderr. Exit codes: 0 done, 1 failed work, 2 bad usage or
 *  configuration, 130 interrupted. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../experiments/version.js';
import { exitCodeOf, messageOf } from './failure.js';
import { registerDoctor } from './doctor.js';
import { registerFigures } from './figures.js';
import { registerReport } from './report.js';
import { registerRun } from './run.js';
import { registerSlurm } from './slurm.js';
import { registerStores } from './stores.js';
import { registerSweep } from './sweep.js';

const program = new Command('layerwise')
  .description('Layer-wise preconditioned optimisation and the statistics of feature learning')
  .version(packageVersion())
  .showHelpAfterError('(layerwise --help shows what there is)')
  .exitOverride();
registerDoctor(program);
registerFigures(program);
registerRun(program);
registerSweep(program);
registerStores(program);
registerReport(program);
registerSlurm(program);
for (const command of program.commands) command.exitOverride().showHelpAfterError(`(layerwise ${command.name()} --help shows the options)`);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader, `head` say, has seen enough
  process.stderr.write(`error: cannot write the results: ${error.message}\n`);
  process.exit(1);
});
process.stderr.on('error', () => undefined); // nobody reads the progress: the work goes on

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
