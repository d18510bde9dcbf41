/** Commands for sweeps that run on Slurm without a coordinator: collect and cancel. */
import type { Command } from 'commander';
import type { Collected, QueuedTask } from '../sweep/index.js';

export function registerSlurm(program: Command): void {
  program
    .command('collect')
    .description("read what a sweep's Slurm tasks have left into its store; run it as often as you like")
    .argument('<store>', 'folder of the store')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nTrials that were lost are submitted again by the sweep command itself.\nExit codes: 0 read, 1 no store, or another process writes to it.',
    )
    .action(collectCommand);
  program
    .command('cancel')
    .description("take a sweep's tasks out of Slurm's queue and end those that run; what they have left can still be collected")
    .argument('<store>', 'folder of the store')
    .addHelpText('after', '\nExit codes: 0 cancelled, 1 no store, or no Slurm.')
    .action(cancelCommand);
}

async function collectCommand(folder: string, { json = false }: { json?: boolean }): Promise<void> {
  const { collect, openStore } = await import('../sweep/index.js');
  requireStore(openStore, folder);
  const store = openStore(folder, { mode: 'write' });
  try {
    const all = await collect(store);
    if (json) process.stdout.write(`${JSON.stringify(all, null, 1)}\n`);
    else
      process.stdout.write(
        all.length === 0 ? 'nothing is out: no tasks of this store have been submitted, or all have ended\n' : all.map(line).join(''),
      );
  } finally {
    store.close();
  }
}

/** Reading a store that is not there is an error; opening it for writing would make one. */
function requireStore(openStore: typeof import('../sweep/index.js').openStore, folder: string): void {
  openStore(folder).close();
}

const line = ({ submission, trials, ended, queue }: Collected): string =>
  `${submission.name}: ${ended} of ${trials} trials have ended; ${queueText(queue)}\n`;

/** '3 pending (Resources), 2 running'. */
export function queueText(queue: readonly QueuedTask[] | null): string {
  if (queue === null) return 'Slurm does not answer';
  if (queue.length === 0) return 'no task in the queue';
  const counts = new Map<string, number>();
  for (const { state, reason } of queue) {
    const text = state === 'PENDING' && reason !== 'None' ? `pending (${reason})` : state.toLowerCase();
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return `tasks: ${[...counts].map(([text, count]) => `${count} ${text}`).join(', ')}`;
}

async function cancelCommand(folder: string): Promise<void> {
  const { cancelAll, openStore } = await import('../sweep/index.js');
  const store = openStore(folder);
  try {
    const all = await cancelAll(store);
    process.stdout.write(all.length === 0 ? 'nothing is out\n' : `cancelled: ${all.map(({ name }) => name).join(', ')}\n`);
  } finally {
    store.close();
  }
}
