/** Stores full of records that nobody computed: a sweep's shape, at the speed of writing. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonical } from '../../lib/canonical.js';
import type { ExperimentRecord } from '../../lib/experiments/index.js';
import { Stream } from '../../lib/random/index.js';
import { openStore, settingOf, type Store } from '../../lib/sweep/index.js';
import { encodeRecord } from '../../lib/sweep/store/encode.js';

export type PlannedTrial = Parameters<Store['extend']>[1] extends Iterable<infer T> ? T : never;
type Config = Readonly<Record<string, unknown>>;

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'layerwise-report-'));

const ATTEMPT = { engine: 'local', host: 'a-machine', started: 1e9, seconds: 0.5 };

export interface Made {
  readonly config: Config;
  readonly seeds: readonly number[];
  readonly role?: 'tuning' | 'evaluation';
  /** What a seed's trial ends with; planned and never run where it is undefined. */
  readonly end: (seed: number) => Ending | undefined;
}

export type Ending =
  | { readonly curves: Readonly<Record<string, readonly number[]>>; readonly state?: 'done' | 'diverged'; readonly every?: number }
  | { readonly failure: 'error' | 'timeout' | 'crashed'; readonly message: string; readonly log?: string };

export interface Sweep {
  readonly name?: string;
  readonly spec?: Config;
  readonly made: Iterable<Made>;
}

/** Adds a sweep to the store in a folder, which it makes. @returns the sweep's number */
export function writeSweep(folder: string, { name = 'made up', spec = {}, made }: Sweep): number {
  const store = openStore(folder, { mode: 'write' });
  try {
    const text = canonical({ name, ...spec });
    const all = [...made].map((m) => ({
      ...m,
      setting: settingOf({ experiment: 'linear-representation', ...m.config, seed: 0 }),
    }));
    const planned: PlannedTrial[] = all.flatMap(({ setting, seeds, role = 'evaluation' }) =>
      seeds.map((seed) => ({ setting, seed, role, cost: 1 })),
    );
    const sweep = store.begin({ name, spec: text, folder: '', identity: text }, planned);
    put(store, sweep, all);
    return sweep;
  } finally {
    store.close();
  }
}

/** Rows of a sweep's trials, in the order of planning. */
const rowsOf = (store: Store, sweep: number): number[] =>
  store.database.prepare<[number], number>('SELECT trial FROM plans WHERE sweep = ? ORDER BY position').pluck().all(sweep);

const GROUP = 2000;

function put(store: Store, sweep: number, all: readonly Made[]): void {
  const rows = rowsOf(store, sweep);
  const ends = all.flatMap(({ seeds, end }) => seeds.map((seed) => end(seed)));
  const endings = ends.flatMap((end, i) => (end === undefined ? [] : [endingOf(rows[i], end)]));
  for (let at = 0; at < endings.length; at += GROUP) store.put(endings.slice(at, at + GROUP));
}

function endingOf(row: number, end: Ending): Parameters<Store['put']>[0][number] {
  if ('failure' in end) {
    const { failure: state, message, log = '' } = end;
    return { row, attempt: ATTEMPT, failure: { state, message, log } };
  }
  const { curves, state = 'done', every = 10 } = end;
  const metrics = Object.fromEntries(
    Object.entries(curves).map(([metric, values]) => [metric, { steps: values.map((_, i) => every * i), values: [...values] }]),
  );
  const record: ExperimentRecord = {
    status: state,
    ...(state === 'done' ? {} : { reason: 'the loss left all bounds' }),
    steps: every * 10,
    metrics,
    timing: { trainingSeconds: 0.4, at: [0] },
    config: { experiment: 'linear-representation', seed: 0 },
    provenance: {
      version: '0.1.0',
      commit: 'c0ffee',
      node: 'v20.0.0',
      cpu: 'a processor',
      blas: 'a library',
      kernel: 'Haswell',
      threads: 1,
    },
  };
  return { row, attempt: ATTEMPT, record: encodeRecord(record, state) };
}

/** A sweep like many: optimisers and conditions compared, three axes, of which the learning rate decides most.
 *  @param trials  about how many */
export function syntheticSweep(trials: number): Sweep {
  const optimizers = ['sgd', 'adam', 'kfac', 'layerwise'];
  const conditions = [1, 100];
  const seeds = Array.from({ length: 5 }, (_, i) => i);
  const rates = Math.max(1, Math.round(trials / (optimizers.length * conditions.length * seeds.length * 5)));
  const dampings = [1e-8, 1e-6, 1e-4, 1e-2, 1];
  const noise = new Stream(7).normal(new Float64Array(4096));
  const made = optimizers.flatMap((name, o) =>
    conditions.flatMap((condition) =>
      dampings.flatMap((damping, d) =>
        Array.from({ length: rates }, (_, r): Made => {
          const learningRate = Number((1e-4 * 1e5 ** (rates === 1 ? 0.5 : r / (rates - 1))).toPrecision(6));
          return {
            config: { optimizer: { name, learningRate, damping }, task: { covariance: { condition } } },
            seeds,
            end: (seed) => ending(Math.log10(learningRate) + 1.5 - 0.4 * o, d, condition, noise[(97 * r + 31 * d + seed) % noise.length]),
          };
        }),
      ),
    ),
  );
  const axes = [
    { path: 'task.covariance.condition', values: conditions },
    { path: 'optimizer.name', values: optimizers },
    { path: 'optimizer.damping', values: dampings },
    { path: 'optimizer.learningRate', log: { from: 1e-4, to: 10, count: rates } },
  ];
  const objective = { metric: 'distance', goal: 'min', at: 'last', per: ['optimizer.name', 'task.covariance.condition'] };
  return { name: 'learning rates', spec: { axes, objective }, made };
}

const POINTS = 41;

/** Curves that fall the faster the nearer the learning rate is to its best; far above it they diverge. */
function ending(offset: number, damping: number, condition: number, noise: number): Ending {
  const rate = 3 / (1 + offset * offset + 0.2 * damping + 0.5 * Math.log10(condition));
  const floor = 1e-3 * (1 + 0.2 * noise * noise);
  const curve = (start: number): number[] =>
    Array.from({ length: POINTS }, (_, i) => start * Math.exp((-rate * i) / 10) * (1 + 0.1 * noise) + floor);
  return {
    curves: { loss: curve(2), distance: curve(1), transfer: curve(0.5), population: curve(1.5) },
    state: offset > 1.9 ? 'diverged' : 'done',
  };
}
