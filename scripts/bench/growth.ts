/**
 * How time and memory of each experiment grow with its sizes: the exponent fitted to measurements beside the one fitted, at the same sizes,
 * to the count of operations or bytes that the algorithm is meant to cost. Exits 1 where a measured exponent is more than 0.15 above.
 *
 *   env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE node --import tsx scripts/bench/growth.ts [--only linear] [--json]
 *
 * Every point is a process of its own with one thread: the median of its runs after a first one, and the peak of its resident memory over
 * what it had before.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseConfig, runExperiment } from '../../lib/experiments/index.js';
import { median } from '../../lib/metrics/index.js';
import { Stream } from '../../lib/random/index.js';
import { sweep } from '../../lib/sweep/index.js';
import { isProgram, markdown, type Table } from './contender.js';

const ALLOWED = 0.15;
const DOUBLE = 8;

/** One size of one experiment, grown. */
interface Growth {
  readonly name: string;
  readonly size: string;
  readonly values: readonly number[];
  /** A configuration, or the number of trials of a sweep. */
  readonly config: (x: number) => object | number;
  /** Operations and bytes at the peak, up to a factor: what terms weigh beside each other counts. */
  readonly operations: (x: number) => number;
  readonly bytes: (x: number) => number;
}

const doubled = (from: number, count = 4): number[] => Array.from({ length: count }, (_, i) => from * 2 ** i);

// ---- Linear representation learning: a step, inputs kept as factors ----

interface Sizes {
  readonly d: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}
const STEPS = 20;

const linear = (name: string, { d, m, k, n }: Sizes, steps = STEPS): object => ({
  experiment: 'linear-representation',
  task: { inputs: d, outputs: m, rank: k },
  optimizer: { name, learningRate: 1e-3 },
  train: { batch: n, steps, every: steps, order: 'alternating' },
});
/** What one operation takes, in multiply-adds at a core's peak (kernelsSuite.ts): products reach three quarters of it, factorisations a half. */
const COST = { sign: 2.5, normal: 36, addition: 1.4, bit: 0.05, product: 1.33, factorisation: 2 } as const;
/** Two turns of drawing, products with signs, with weights and with the root. */
const sgdOperations = ({ d, m, k, n }: Sizes): number =>
  COST.sign * n * d + COST.normal * n * m + (COST.addition * 4 * n * d * k) / 5 + COST.product * (6 * n * m * k + 4 * d * d * k);
const layerwiseOperations = (s: Sizes): number =>
  sgdOperations(s) + (COST.bit * s.n * s.d ** 2) / 2 + (COST.factorisation * s.d ** 3) / 3 + COST.product * 6 * s.d ** 2 * s.k;
const linearBytes = ({ d, m, k, n }: Sizes): number => DOUBLE * (14 * d * d + n * (3 * m + 4 * k)) + (3 * n * d) / 5;

const BASE: Sizes = { d: 200, m: 20, k: 16, n: 2048 };
const linearGrowths = (['sgd', 'layerwise'] as const).flatMap((name): Growth[] => {
  const operations = name === 'sgd' ? sgdOperations : layerwiseOperations;
  const row = (size: string, values: readonly number[], at: (x: number) => Sizes): Growth => ({
    name: `linear-representation, ${name}`,
    size,
    values,
    config: (x) => linear(name, at(x)),
    operations: (x) => operations(at(x)),
    bytes: (x) => linearBytes(at(x)),
  });
  return [
    row('n', doubled(4096), (n) => ({ ...BASE, n })),
    row('d_X', doubled(250), (d) => ({ ...BASE, d })),
    row('k', doubled(16), (k) => ({ ...BASE, k, m: 128 })),
  ];
});

// ---- The others ----

const rest: readonly Growth[] = [
  {
    name: 'index-learning, layerwise',
    size: 'n',
    values: doubled(1000),
    config: (n) => ({ ...indexLearning(300, 64), train: { batch: n, steps: STEPS, every: STEPS } }),
    operations: (n) => indexOperations(n, 300, 64),
    bytes: (n) => DOUBLE * (n * (2 * 300 + 4 * 64) + 10 * 300 ** 2),
  },
  {
    name: 'index-learning, layerwise',
    size: 'd',
    values: doubled(200),
    config: (d) => ({ ...indexLearning(d, 64), train: { batch: 2000, steps: STEPS, every: STEPS } }),
    operations: (d) => indexOperations(2000, d, 64),
    bytes: (d) => DOUBLE * (2000 * (2 * d + 4 * 64) + 10 * d ** 2),
  },
  {
    name: 'index-learning, layerwise',
    size: 'width',
    values: doubled(64),
    config: (h) => ({ ...indexLearning(300, h), train: { batch: 2000, steps: STEPS, every: STEPS } }),
    operations: (h) => indexOperations(2000, 300, h),
    bytes: (h) => DOUBLE * (2000 * (2 * 300 + 4 * h) + 10 * 300 ** 2 + 6 * h * h),
  },
  {
    name: 'alignment',
    size: 'n',
    values: doubled(8000),
    config: (samples) => ({ experiment: 'alignment', dimension: 400, samples }),
    operations: (n) => (n * 400 * 400) / 2 + COST.normal * n * 400 + 2 * 400 ** 3,
    bytes: (n) => DOUBLE * (400 * 400 + n * 400),
  },
  {
    name: 'alignment',
    size: 'd',
    values: doubled(250),
    config: (dimension) => ({ experiment: 'alignment', dimension, samples: 4000 }),
    operations: (d) => (4000 * d * d) / 2 + COST.normal * 4000 * d + 2 * d ** 3,
    bytes: (d) => DOUBLE * (2 * d * d + 4000 * d),
  },
  {
    name: 'one-step',
    size: 'n',
    values: doubled(1000),
    config: (n) => ({ experiment: 'one-step', inputs: 150, hidden: 200, samples: n, headSamples: n, validationSamples: n, testSamples: n }),
    operations: (n) => 35 * 3 * n * (150 * 200 + 20 * 200) + (35 * (n * 200 ** 2)) / 2 + 35 * 2 * 200 ** 3,
    bytes: (n) => DOUBLE * n * (4 * 150 + 3 * 200),
  },
  {
    name: 'one-step',
    size: 'width',
    values: doubled(100),
    config: (hidden) => ({ experiment: 'one-step', inputs: 150, hidden, samples: 900 }),
    operations: (h) => 35 * 5900 * (150 * h + 20 * h) + 35 * 450 * h ** 2 + 35 * 2 * h ** 3,
    bytes: (h) => DOUBLE * (6800 * 150 + 900 * 3 * h + 16 * 150 * h + 2 * h * h),
  },
  {
    name: 'spectrum',
    size: 'd',
    values: doubled(200),
    config: (inputs) => ({ experiment: 'spectrum', inputs, hidden: 300, samples: 1200 }),
    operations: (d) => 2 * 1200 * d * (d + 900) + 2 * 1200 * d * (300 + d) + 10 * 300 ** 2 * d + d ** 3 / 3,
    bytes: (d) => DOUBLE * (1200 * (2 * d + 5 * 300) + 8 * 300 * d + 3 * d * d),
  },
  {
    name: 'spectrum',
    size: 'width',
    values: doubled(150),
    config: (hidden) => ({ experiment: 'spectrum', inputs: 400, hidden, samples: 1200 }),
    operations: (h) => 2 * 1200 * 400 * (400 + 3 * h) + 2 * 1200 * 400 * h + 1200 * h ** 2 + 10 * h ** 3,
    bytes: (h) => DOUBLE * (1200 * (2 * 400 + 5 * h) + 8 * 400 * h + 5 * h * h),
  },
  {
    name: 'sweep',
    size: 'trials',
    values: doubled(100),
    config: (trials) => trials,
    operations: (trials) => trials,
    bytes: (trials) => trials * 2000,
  },
];

function indexLearning(d: number, hidden: number): object {
  return { experiment: 'index-learning', task: { inputs: d }, network: { hidden }, optimizer: { name: 'layerwise', outputFactor: 'none' } };
}
/** Of normals: products with the root are of the weight, the others as they are written. */
const indexOperations = (n: number, d: number, h: number): number =>
  COST.normal * n * d +
  COST.product * (4 * n * d * h + 4 * d * d * h + (n * d * d) / 2 + 2 * d * d * h + (n * h * h) / 2) +
  (COST.factorisation * (d ** 3 + h ** 3)) / 3;

// ---- Measurement ----

interface Point {
  readonly seconds: number;
  readonly bytes: number;
}

const RUNS = 3;

async function measure(config: object | number): Promise<Point> {
  const warm = new Stream(0).normal(new Float64Array(1000)); // the library is loaded
  const before = peakMemory() + 0 * warm[0];
  const times: number[] = [];
  if (typeof config === 'number') return sweepOf(config);
  for (let run = 0; run <= RUNS; run++) {
    const began = performance.now();
    const { timing, status } = await runExperiment(parseConfig(config));
    if (status !== 'done') throw new Error(`the run ended as ${status}`);
    // Of a training the steps alone: a task is made once.
    times.push(timing.trainingSeconds > 0 ? timing.trainingSeconds : (performance.now() - began) / 1000);
  }
  return { seconds: median(times.slice(1)), bytes: peakMemory() - before };
}

/** Trials of a few steps, by two children. Memory is the coordinator's. */
async function sweepOf(trials: number): Promise<Point> {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-growth-'));
  try {
    const before = peakMemory();
    const began = performance.now();
    const spec = {
      base: {
        task: { inputs: 20, outputs: 5, rank: 3 },
        optimizer: { name: 'sgd', learningRate: 0.1 },
        train: { batch: 64, steps: 20, every: 10 },
      },
      axes: [{ path: 'optimizer.learningRate', values: [0.1] }],
      seeds: trials,
    };
    await sweep(spec, { store: join(folder, 'store'), jobs: 2 }).done;
    return { seconds: (performance.now() - began) / 1000, bytes: peakMemory() - before };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Largest resident memory of this process so far. */
export const peakMemory = (): number => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? NaN);

/** Slope of log y against log x, by least squares. */
function exponentOf(x: readonly number[], y: readonly number[]): number {
  const [u, v] = [x.map(Math.log), y.map(Math.log)];
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  const [mu, mv] = [mean(u), mean(v)];
  return u.reduce((sum, a, i) => sum + (a - mu) * (v[i] - mv), 0) / u.reduce((sum, a) => sum + (a - mu) ** 2, 0);
}

interface Row {
  readonly experiment: string;
  readonly size: string;
  readonly values: readonly number[];
  readonly points: readonly Point[];
  readonly time: { readonly measured: number; readonly expected: number };
  readonly memory: { readonly measured: number; readonly expected: number };
}

function rowOf({ name, size, values, config, operations, bytes }: Growth): Row {
  const points = values.map((x): Point => {
    const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--point', JSON.stringify(config(x))];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    });
    if (status !== 0) throw new Error(`${name}, ${size} = ${x}: ${stderr}`);
    return JSON.parse(stdout) as Point;
  });
  const exponents = (measured: (p: Point) => number, expected: (x: number) => number): Row['time'] => ({
    measured: exponentOf(values, points.map(measured)),
    expected: exponentOf(values, values.map(expected)),
  });
  return {
    experiment: name,
    size,
    values,
    points,
    time: exponents((p) => p.seconds, operations),
    memory: exponents((p) => p.bytes, bytes),
  };
}

/** Exponents of time and memory, each beside what is expected. */
export function growthTable(rows: readonly Row[]): Table {
  return {
    header: ['experiment', 'size', 'from', 'to', 'ms', 'MiB', 'time', 'expected', 'memory', 'expected'],
    rows: rows.map(({ experiment, size, values, points, time, memory }) => [
      experiment,
      size,
      String(values[0]),
      String(values.at(-1)),
      `${(1000 * points[0].seconds).toFixed(0)} to ${(1000 * points.at(-1)!.seconds).toFixed(0)}`,
      `${(points[0].bytes / 2 ** 20).toFixed(0)} to ${(points.at(-1)!.bytes / 2 ** 20).toFixed(0)}`,
      time.measured.toFixed(2),
      time.expected.toFixed(2),
      memory.measured.toFixed(2),
      memory.expected.toFixed(2),
    ]),
    words: 2,
  };
}

export type GrowthResult = readonly Row[];

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { point: { type: 'string' }, only: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
  });
  if (options.point !== undefined) {
    console.log(JSON.stringify(await measure(JSON.parse(options.point) as object | number)));
    return;
  }
  const rows = [...linearGrowths, ...rest].filter(({ name }) => name.includes(options.only)).map(rowOf);
  console.log(options.json ? JSON.stringify(rows, null, 1) : `${markdown(growthTable(rows))}\n`);
  const above = rows.flatMap(({ experiment, size, time, memory }) =>
    [['time', time] as const, ['memory', memory] as const].flatMap(([what, { measured, expected }]) =>
      measured > expected + ALLOWED ? [`${experiment}: ${what} against ${size}`] : [],
    ),
  );
  for (const what of above) console.error(`MISSED: ${what} grows faster than expected by more than ${ALLOWED}`);
  if (above.length > 0) process.exitCode = 1;
}

if (isProgram(import.meta.url)) await main();
