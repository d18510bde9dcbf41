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
import { isProgram, markdown, ROOT, type Table } from './contender.js';
import { writeProblem } from './problem.js';

const EVERY = 10;
const PYTHON = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };

interface Plan {
  readonly trials: number;
  readonly steps: number;
}

interface Outcome {
  readonly wall: number;
  /** Sum of the trials' own seconds. */
  readonly own: number;
  /** Share of a core. */
  readonly coordinator?: number;
}

const OURS = 'layerwise';

async function ours(folder: string, { trials, steps }: Plan): Promise<Outcome> {
  // The compiled library, as a user's script would have it.
  const { openStore, sweep } = (await import(`${ROOT}dist/index.js`)) as typeof import('../../lib/index.js');
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

function peer(way: string, form: string, problem: string, { trials, steps }: Plan): Outcome | { readonly absent: string } {
  const script = join(ROOT, 'scripts/bench/sweep.py');
  const args = [script, problem, String(trials), String(steps), String(EVERY), way, form];
  return JSON.parse(execFileSync('python3', args, { env: PYTHON, encoding: 'utf8' })) as Outcome | { absent: string };
}

export interface SweepResult extends Plan {
  readonly rounds: number;
  /** By runner; the absent have none. */
  readonly outcomes: Readonly<Record<string, readonly Outcome[]>>;
}

async function measure(plan: Plan, rounds: number): Promise<SweepResult> {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'));
  try {
    writeProblem(folder, 'small');
    const problem = join(folder, 'small.f64');
    const outcomes: Record<string, Outcome[]> = { [OURS]: [] };
    for (const way of ['multiprocessing', 'joblib']) for (const form of ['plain', 'factored']) outcomes[`${way}, ${form}`] = [];
    for (let round = 0; round < rounds; round++)
      for (const name of Object.keys(outcomes)) {
        const [way, form] = name.split(', ');
        const outcome = name === OURS ? await ours(folder, plan) : peer(way, form, problem, plan);
        if ('absent' in outcome) console.error(`${name}: absent (${outcome.absent})`);
        else outcomes[name].push(outcome);
      }
    return { ...plan, rounds, outcomes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A line a runner; peers by what our trials a second are over theirs. */
export function sweepTable({ trials, outcomes }: SweepResult): Table {
  const rate = (list: readonly Outcome[]): number => median(list.map((o) => trials / o.wall));
  const present = Object.entries(outcomes).filter(([, list]) => list.length > 0);
  return {
    header: ['runner', 'trials a second', 'ms a trial', 'wall over (sum / 2)', 'coordinator', 'ours over it'],
    rows: present.map(([name, list]) => [
      name,
      rate(list).toFixed(1),
      ((1000 * median(list.map((o) => o.own))) / trials).toFixed(1),
      median(list.map((o) => (2 * o.wall) / o.own)).toFixed(2),
      list[0].coordinator === undefined ? '' : `${(100 * median(list.map((o) => o.coordinator!))).toFixed(1)}%`,
      name === OURS ? '' : (rate(outcomes[OURS]) / rate(list)).toFixed(2),
    ]),
    words: 1,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      trials: { type: 'string', default: '2000' },
      steps: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
    },
  });
  const result = await measure({ trials: Number(values.trials), steps: Number(values.steps) }, Number(values.rounds));
  console.log(values.json ? JSON.stringify(result, null, 1) : `${markdown(sweepTable(result))}\n`);
}

if (isProgram(import.meta.url)) await main();
