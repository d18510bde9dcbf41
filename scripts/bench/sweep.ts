/**
 * 2,000 trials of about 50 ms on two cores: ours through `sweep` and its store, NumPy's through multiprocessing and joblib (which keep
 * nothing), in turn. Trials a second; what the wall clock is over the sum of the trials' own seconds, halved; and our coordinator's share of
 * a core.
 *
 *   npm run build && env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE node --import tsx scripts/bench/sweep.ts [--trials 2000] [--steps 50] [--rounds 2]
 *
 * Runs on the compiled library (through tsx where that is preferred): children start as users' do.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../../lib/metrics/index.js';
import { ROOT } from './contender.js';
import { writeProblem } from './problem.js';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '2000' },
    steps: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '2' },
  },
});
const [trials, steps, rounds] = [values.trials, values.steps, values.rounds].map(Number);
const EVERY = 10;
const PYTHON = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };

interface Outcome {
  readonly wall: number;
  /** Sum of the trials' own seconds. */
  readonly own: number;
  /** Share of a core. */
  readonly coordinator?: number;
}

// The compiled library, as a user's script would have it.
const { openStore, sweep } = (await import(`${ROOT}dist/index.js`)) as typeof import('../../lib/index.js');

async function ours(folder: string): Promise<Outcome> {
  const store = join(folder, 'store');
  rmSync(store, { recursive: true, force: true });
  const [began, used] = [performance.now(), process.cpuUsage()];
  const run = sweep(
    {
      base: {
        task: { inputs: 100, outputs: 15, rank: 8, noise: 0.1, covariance: { family: 'log', condition: 100 } },
        train: { batch: 1024, steps, every: EVERY },
      },
      axes: [
        { path: 'optimizer', values: [{ name: 'sgd' }, { name: 'layerwise' }] },
        { path: 'optimizer.learningRate', log: { from: 0.01, to: 0.1, count: 20 } },
        { path: 'train.order', values: ['alternating'], when: { 'optimizer.name': 'layerwise' } },
      ],
      seeds: trials / 40,
    },
    { store, jobs: 2 },
  );
  const { done, failed } = await run.done;
  const wall = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  if (done !== trials || failed > 0) throw new Error(`${done} of ${trials} trials are done`);
  const open = openStore(store);
  const { seconds } = open.status();
  open.close();
  return { wall, own: seconds, coordinator: (user + system) / 1e6 / wall };
}

function peer(way: string, form: string, problem: string): Outcome | { readonly absent: string } {
  const script = join(ROOT, 'scripts/bench/sweep.py');
  const args = [script, problem, String(trials), String(steps), String(EVERY), way, form];
  return JSON.parse(execFileSync('python3', args, { env: PYTHON, encoding: 'utf8' })) as Outcome | { absent: string };
}

const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'));
try {
  writeProblem(folder, 'small');
  const problem = join(folder, 'small.f64');
  const all: Record<string, Outcome[]> = { ours: [] };
  for (const way of ['multiprocessing', 'joblib']) for (const form of ['plain', 'factored']) all[`${way} ${form}`] = [];
  for (let round = 0; round < rounds; round++)
    for (const name of Object.keys(all)) {
      const [way, form] = name.split(' ');
      const outcome = name === 'ours' ? await ours(folder) : peer(way, form, problem);
      if ('absent' in outcome) {
        if (round === 0) console.log(`${name}: absent (${outcome.absent})`);
        continue;
      }
      all[name].push(outcome);
      console.log(`${name}: ${(trials / outcome.wall).toFixed(1)} trials a second`);
    }
  console.log(`\n${trials} trials of ${steps} steps, two processes, medians of ${rounds} rounds:`);
  for (const [name, outcomes] of Object.entries(all)) {
    if (outcomes.length === 0) continue;
    const of = (value: (o: Outcome) => number): number => median(outcomes.map(value));
    const share = outcomes[0].coordinator === undefined ? '' : `, coordinator ${(100 * of((o) => o.coordinator!)).toFixed(1)}% of a core`;
    console.log(
      `  ${name.padEnd(24)} ${of((o) => trials / o.wall).toFixed(1)} trials a second; ${((1000 * of((o) => o.own)) / trials).toFixed(1)} ms a trial; wall / (sum / 2) = ${of((o) => (2 * o.wall) / o.own).toFixed(3)}${share}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
