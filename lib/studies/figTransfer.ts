/**
 * fig-transfer: linear representation learning at low, middle and high anisotropy. Training loss, subspace distance and transfer
 * loss against steps (and seconds) for every method of the paper that the package has. Claims A to D.
 */
import { bootstrapInterval, mean } from '../metrics/index.js';
import { curveGrid, dotPlot, type CurvePoint } from '../figures/index.js';
import { Stream } from '../random/index.js';
import { trial, type Trial } from '../sweep/index.js';
import { claimsOf } from './figTransferClaims.js';
import { recordsOf, type Analysis, type Lookup, type Study, type StudyOptions } from './study.js';
import { finalValue, search, type Candidate } from './tuning.js';

export interface Method {
  readonly name: string;
  readonly optimizer: Readonly<Record<string, unknown>>;
  readonly batchNorm?: boolean;
  readonly order?: string;
  /** Learning rates tried. */
  readonly grid: readonly number[];
  /** Shown in the curves; the rest stand in the dot plot and the data. */
  readonly main?: boolean;
  /** Takes so long a trial that it is left to the full scale. */
  readonly full?: boolean;
}

export const METHODS: readonly Method[] = [
  { name: 'Layer-wise (KFAC)', optimizer: { name: 'layerwise' }, order: 'alternating', grid: [0.005, 0.01, 0.02, 0.05, 0.1], main: true },
  { name: 'SGD', optimizer: { name: 'sgd' }, grid: [0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.4, 0.6], main: true },
  { name: 'Adam', optimizer: { name: 'adam' }, grid: [0.01, 0.03, 0.1, 0.3], main: true },
  { name: 'Batch-norm + SGD', optimizer: { name: 'sgd' }, batchNorm: true, grid: [0.03, 0.1, 0.3, 1], main: true },
  { name: 'Batch-norm + Adam', optimizer: { name: 'adam' }, batchNorm: true, grid: [0.003, 0.01, 0.03, 0.1], main: true },
  { name: 'AMGD', optimizer: { name: 'amgd' }, grid: [0.1, 0.3, 1, 3], main: true },
  { name: 'Whitened AMGD', optimizer: { name: 'amgd', whitened: true }, grid: [0.1, 0.2, 0.4, 0.8], main: true },
  { name: 'Full Gauss-Newton', optimizer: { name: 'gaussNewton', damping: 1e-3 }, grid: [0.01, 0.03, 0.1, 0.3], main: true },
  { name: 'SGD, momentum 0.9', optimizer: { name: 'sgd', momentum: 0.9 }, grid: [0.01, 0.03, 0.1, 0.3] },
  { name: 'AdamW', optimizer: { name: 'adamw' }, grid: [0.01, 0.03, 0.1, 0.3] },
  { name: 'Layer-wise, simultaneous', optimizer: { name: 'layerwise' }, order: 'simultaneous', grid: [0.01, 0.02, 0.05] },
  {
    name: 'Layer-wise, averaged factors',
    optimizer: { name: 'layerwise', factorDecay: 0.9 },
    order: 'alternating',
    grid: [0.01, 0.02, 0.05],
  },
  {
    name: 'Layer-wise, input side only',
    optimizer: { name: 'layerwise', outputFactor: 'none' },
    order: 'alternating',
    grid: [0.03, 0.1, 0.3],
  },
  { name: 'KFAC, factored damping', optimizer: { name: 'kfac', factorDecay: 0.9, damping: 1e-6 }, grid: [0.01, 0.02, 0.05] },
  {
    name: 'KFAC, drawn labels',
    optimizer: { name: 'kfac', factorDecay: 0.9, damping: 1e-6, outputFactor: 'mc' },
    grid: [0.01, 0.02, 0.05],
  },
  {
    name: 'KFAC, empirical Fisher',
    optimizer: { name: 'kfac', factorDecay: 0.9, damping: 1e-6, outputFactor: 'empirical' },
    grid: [0.0003, 0.001, 0.003, 0.01],
  },
  { name: 'EKFAC', optimizer: { name: 'ekfac', factorDecay: 0.9, damping: 1e-6 }, grid: [0.01, 0.02, 0.05] },
  { name: 'FOOF', optimizer: { name: 'foof', factorDecay: 0.9, damping: 1e-4 }, grid: [0.03, 0.1, 0.3] },
  { name: 'Shampoo', optimizer: { name: 'shampoo' }, grid: [0.03, 0.1, 0.3] },
  { name: 'SOAP', optimizer: { name: 'soap', weightDecay: 0 }, grid: [0.003, 0.01, 0.03] },
  { name: 'Muon', optimizer: { name: 'muon' }, grid: [0.003, 0.01, 0.03] },
  {
    name: 'Gauss-Newton, conjugate gradients',
    optimizer: { name: 'gaussNewton', solver: 'cg', damping: 1e-3, iterations: 20 },
    grid: [0.01, 0.03, 0.1, 0.3],
  },
  {
    name: 'Natural gradient, empirical',
    optimizer: { name: 'naturalGradient', damping: 1e-3, fisher: 'empirical' },
    full: true,
    grid: [0.03, 0.1, 0.3],
  },
];

const methodsAt = (scale: StudyOptions['scale']): readonly Method[] => METHODS.filter((m) => m.full !== true || scale === 'full');

/** Condition numbers of the inputs' covariance. */
export const CONDITIONS = [
  { key: '1', condition: 1, title: 'Isotropic inputs, \u03ba = 1' },
  { key: '100', condition: 100, title: 'Anisotropic, \u03ba = 100' },
  { key: '10000', condition: 1e4, title: 'Strongly anisotropic, \u03ba = 10\u2074' },
] as const;

const METRICS = [
  { key: 'loss', title: 'training loss', ticks: [0.1, 0.2, 0.5, 1, 2, 5] },
  { key: 'distance', title: 'subspace distance', ticks: [0.01, 0.03, 0.1, 0.3, 1] },
  { key: 'transfer', title: 'transfer loss (relative)', ticks: [1e-4, 1e-3, 1e-2, 0.1, 1] },
] as const;

const STEPS = 300;
const EVERY = 10;

interface Protocol {
  readonly tuning: readonly number[];
  readonly evaluation: readonly number[];
}

/** Seeds that choose a learning rate are apart from those that are reported. */
function protocol({ scale, seed }: StudyOptions): Protocol {
  const first = seed * 10_000;
  const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  return scale === 'quick'
    ? { tuning: range(first + 5000, 2), evaluation: range(first, 5) }
    : { tuning: range(first + 5000, 4), evaluation: range(first, 10) };
}

/** Planning asks for the same trials again and again; hashing one takes longer than finding it. */
const planned = new Map<string, Trial>();

function trialOf(method: Method, condition: number, learningRate: number, seed: number): Trial {
  const key = [method.name, condition, learningRate, seed].join('|');
  const known = planned.get(key);
  if (known !== undefined) return known;
  const made = trial({
    seed,
    task: { inputs: 100, outputs: 15, rank: 8, noise: 0.1, headCondition: 3, covariance: { family: 'log', condition } },
    network: { batchNorm: method.batchNorm ?? false },
    optimizer: { ...method.optimizer, learningRate },
    train: { batch: 1024, steps: STEPS, every: EVERY, ...(method.order === undefined ? {} : { order: method.order }) },
  });
  planned.set(key, made);
  return made;
}

interface Cell {
  readonly method: Method;
  readonly condition: (typeof CONDITIONS)[number];
  readonly trials: readonly Trial[];
  /** Set once the search is over. */
  readonly found?: {
    readonly best: Candidate;
    readonly candidates: readonly Candidate[];
    readonly atEdge: boolean;
    readonly evaluation: readonly Trial[];
  };
}

/** One cell a method and condition: the search, then the evaluation at its winner. */
function cells(options: StudyOptions, lookup: Lookup): Cell[] {
  const { tuning, evaluation } = protocol(options);
  return CONDITIONS.flatMap((condition) =>
    methodsAt(options.scale).map((method): Cell => {
      const at = (rate: number, seed: number): Trial => trialOf(method, condition.condition, rate, seed);
      const state = search({ grid: method.grid, seeds: tuning, trialAt: at }, 'distance', lookup);
      if (state.best === undefined) return { method, condition, trials: state.trials };
      const final = evaluation.map((seed) => at(state.best.learningRate, seed));
      return {
        method,
        condition,
        trials: [...state.trials, ...final],
        found: { best: state.best, candidates: state.candidates, atEdge: state.atEdge, evaluation: final },
      };
    }),
  );
}

/** Final values over the evaluation seeds. */
export interface Final {
  readonly condition: string;
  readonly method: string;
  readonly metric: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly values: readonly number[];
}

function analyse(options: StudyOptions, lookup: Lookup): Analysis {
  const stream = new Stream(options.seed).substream('fig-transfer/bootstrap');
  const summary = (values: readonly number[]): { mean: number; low: number; high: number } => ({
    mean: mean(values),
    ...bootstrapInterval(values, stream),
  });
  const curves: CurvePoint[] = [];
  const timed: CurvePoint[] = [];
  const finals: Final[] = [];
  const tuned: object[] = [];
  const seconds: object[] = [];
  for (const { method, condition, found } of cells(options, lookup)) {
    if (found === undefined) throw new Error('fig-transfer: analysed before its trials have run');
    const records = recordsOf('fig-transfer', found.evaluation, lookup);
    const place = { condition: condition.key, method: method.name };
    tuned.push({ ...place, learningRate: found.best.learningRate, atEdgeOfGrid: found.atEdge, candidates: found.candidates });
    const longest = records.reduce((a, b) => (b.timing.at.length > a.timing.at.length ? b : a)); // a diverged run is shorter
    const elapsed = longest.timing.at.map((_, i) => mean(records.map((r) => r.timing.at[i] ?? NaN)));
    seconds.push({ ...place, secondsToEnd: mean(records.map((r) => r.timing.trainingSeconds)), at: elapsed });
    for (const { key: metric } of [...METRICS, { key: 'population' }]) {
      const values = records.map((r) => finalValue(r, metric));
      finals.push({ ...place, metric, ...summary(values), values });
      const { steps } = longest.metrics[metric];
      steps.forEach((x, i) => {
        const point = {
          condition: condition.key,
          series: method.name,
          metric,
          ...summary(records.map((r) => r.metrics[metric].values[i] ?? NaN)),
        };
        curves.push({ ...point, x });
        timed.push({ ...point, x: elapsed[x / EVERY] });
      });
    }
  }
  const { tuning, evaluation } = protocol(options);
  const subtitle = [
    'd_X = 100, d_Y = 15, k = 8, noise 0.1, 1024 fresh samples a step, log-spaced covariance in a Haar basis',
    `mean and 95% bootstrap interval over ${evaluation.length} seeds, each method at the learning rate that ended closest on ${tuning.length} other seeds`,
  ];
  const main = METHODS.filter((m) => m.main === true).map((m) => m.name);
  const grid = { conditions: CONDITIONS, metrics: METRICS, series: main, subtitle };
  return {
    data: {
      study: 'fig-transfer',
      scale: options.scale,
      seed: options.seed,
      protocol: {
        inputs: 100,
        outputs: 15,
        rank: 8,
        noise: 0.1,
        headCondition: 3,
        batch: 1024,
        steps: STEPS,
        seeds: { tuning, evaluation },
        methods: methodsAt(options.scale),
      },
      tuned,
      finals,
      curves,
    },
    rows: curves.map(({ condition, series, metric, x, mean: m, low, high }) => ({
      condition,
      method: series,
      metric,
      step: x,
      mean: m,
      low,
      high,
    })),
    charts: {
      figure: curveGrid({ ...grid, points: curves, title: 'Learning features of anisotropic inputs', xTitle: 'steps', xScale: 'linear' }),
      'figure-seconds': curveGrid({
        ...grid,
        points: timed,
        title: 'Learning features of anisotropic inputs, against time',
        xTitle: 'training seconds, one thread',
        xScale: 'log',
      }),
      'figure-methods': dotPlot({
        title: `Subspace distance after ${STEPS} steps, all methods`,
        subtitle,
        dots: finals
          .filter((f) => f.metric === 'distance')
          .map((f) => ({ condition: f.condition, series: f.method, mean: f.mean, low: f.low, high: f.high })),
        conditions: CONDITIONS,
        series: methodsAt(options.scale).map((m) => m.name),
        xTitle: 'subspace distance',
        ticks: METRICS[1].ticks,
      }),
    },
    claims: claimsOf(finals),
    timings: { seconds },
  };
}

export const figTransfer: Study = {
  name: 'fig-transfer',
  title: 'Feature learning and transfer under anisotropic inputs',
  plan: (options, lookup) => cells(options, lookup).flatMap((c) => c.trials),
  analyse,
};
