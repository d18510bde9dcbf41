/**
 * fig-condition: steps until the subspace distance is 0.1, against the condition number of the inputs' covariance and against that of the
 * head F*. Claims A, B and C as slopes. A run that does not get there within the budget is a lower bound, and the fit takes it as one.
 */
import { scaling, type ScalingLine, type ScalingPoint } from '../figures/index.js';
import { mean, type CensoredPoint } from '../metrics/index.js';
import { Stream } from '../random/index.js';
import { trial, type Trial } from '../sweep/index.js';
import type { ExperimentRecord } from '../experiments/index.js';
import { floorClaim, labelOf, slopeClaims } from './figConditionClaims.js';
import { LAYERWISE, methodsAt, methodsNamed, optimizerAt, type Method } from './methods.js';
import { slopeOf } from './slope.js';
import { recordsOf, type Analysis, type Lookup, type Study, type StudyOptions } from './study.js';
import { foundOf, searchedOf, seedsOf, summary, tunedCells, tuningOf, type Cell, type Summary } from './tuned.js';
import { problemText } from './words.js';

const STUDY = 'fig-condition';
const TARGET = 0.1;
const PROBLEM = { inputs: 50, outputs: 10, rank: 4, noise: 0.001, batch: 512 } as const;
/** Runs that go on past the target, to see that what noise leaves of the distance lies below it. */
const FLOOR = { steps: 200, last: 50, seeds: 3 } as const;
/** Steps between two looks at the distance; a crossing in between is interpolated. */
const EVERY = 4;
/** Of methods that get there in a few steps. */
const QUICK = /^Layer-wise|^Whitened|^Full Gauss-Newton/;
const BUDGET = { quick: 3000, full: 30_000 } as const;
const SEEDS = { quick: { tuning: 2, evaluation: 4 }, full: { tuning: 3, evaluation: 10 } };

/** Drawn, in legend order. */
const MAIN = [LAYERWISE, 'SGD', 'Adam', 'Whitened AMGD', 'AMGD', 'Batch-norm + SGD', 'Shampoo', 'Muon'] as const;
/** Steps are fewest at larger rates than the floor of fig-transfer is least. */
const LARGE = [0.05, 0.1, 0.2, 0.4, 0.8];
const GRIDS: Readonly<Record<string, readonly number[]>> = {
  [LAYERWISE]: LARGE,
  'Layer-wise, simultaneous': LARGE,
  'Layer-wise, averaged factors': LARGE,
  'KFAC, factored damping': LARGE,
  'KFAC, drawn labels': LARGE,
  EKFAC: LARGE,
  SGD: [0.025, 0.05, 0.1, 0.2, 0.4],
};
const withGrid = (m: Method): Method => ({ ...m, grid: GRIDS[m.name] ?? m.grid });
/** Which do not get anywhere here as a rule, or take too long a trial. */
const LEFT_OUT = ['Natural gradient, empirical', 'Gauss-Newton, conjugate gradients'];

interface Condition {
  readonly key: string;
  readonly panel: 'kappa' | 'kappaF';
  readonly kappa: number;
  readonly kappaF: number;
}
const KAPPAS = [1, 10, 100, 1000, 10_000];
const KAPPAS_F = [1, 3, 10, 30, 100];
const CONDITIONS: readonly Condition[] = [
  ...KAPPAS.map((kappa): Condition => ({ key: `kappa ${kappa}`, panel: 'kappa', kappa, kappaF: 1 })),
  ...KAPPAS_F.map((kappaF): Condition => ({ key: `kappaF ${kappaF}`, panel: 'kappaF', kappa: 1, kappaF })),
];

function trialAt(
  method: Method,
  { kappa, kappaF }: Condition,
  learningRate: number,
  seed: number,
  { scale }: StudyOptions,
  floor?: typeof FLOOR,
): Trial {
  const { batch, ...sizes } = PROBLEM;
  return trial({
    seed,
    task: { ...sizes, headCondition: kappaF, covariance: { family: 'log', condition: kappa } },
    network: { batchNorm: method.batchNorm ?? false },
    optimizer: optimizerAt(method, learningRate),
    train: {
      batch,
      steps: floor?.steps ?? BUDGET[scale],
      every: QUICK.test(method.name) ? 1 : EVERY,
      ...(floor === undefined ? { target: { metric: 'distance', below: TARGET } } : {}),
      ...(method.order === undefined ? {} : { order: method.order }),
    },
  });
}

/** Steps until the target, log-interpolated between the last point above it and the first one at it. Where there is none, the budget is a
 *  bound: of a run that diverged too, which would never have got there. */
export function stepsTo(record: ExperimentRecord, target: number, budget: number): { readonly steps: number; readonly bound: boolean } {
  const { steps, values } = record.metrics['distance'];
  const at = values.findIndex((v) => v <= target);
  if (at < 0) return { steps: budget, bound: true };
  if (at === 0) return { steps: Math.max(1, steps[0]), bound: false };
  const [a, b] = [Math.log(values[at - 1]), Math.log(values[at])];
  const share = a === b ? 1 : (a - Math.log(target)) / (a - b);
  return { steps: steps[at - 1] + share * (steps[at] - steps[at - 1]), bound: false };
}

/** What the search minimises: steps, and for a run that does not get there more than all of them, by how far away it ends. */
function objective(record: ExperimentRecord | undefined): number {
  if (record?.status !== 'done') return Infinity;
  const { steps, bound } = stepsTo(record, TARGET, record.steps);
  return bound ? record.steps * (1 + record.metrics['distance'].values.at(-1)!) : steps;
}

const cells = tunedCells<Condition>({
  conditions: CONDITIONS,
  methods: ({ scale }) =>
    (scale === 'quick' ? methodsNamed(MAIN) : methodsAt(scale).filter((m) => !LEFT_OUT.includes(m.name))).map(withGrid),
  seeds: (options) => seedsOf(options, SEEDS),
  trialAt,
  objective,
});

/** The layer-wise method long past the target, everywhere at the rate that is best where nothing is ill-conditioned: at the best rate of its own
 *  a condition would never show a floor that rules out larger ones. */
function floorTrials(options: StudyOptions, rate: number): { condition: Condition; trials: Trial[] }[] {
  const [method] = methodsNamed([LAYERWISE]);
  const seeds = seedsOf(options, SEEDS).evaluation.slice(0, FLOOR.seeds);
  return CONDITIONS.map((condition) => ({
    condition,
    trials: seeds.map((seed) => trialAt(method, condition, rate, seed, options, FLOOR)),
  }));
}

/** Undefined while it is searched for. */
const floorRate = (found: readonly Cell<Condition>[]): number | undefined =>
  found.find((cell) => cell.method.name === LAYERWISE && cell.condition === CONDITIONS[0])?.found?.best.learningRate;

/** What noise leaves of the distance. */
export interface Floor extends Summary {
  readonly condition: string;
}

export interface Slope {
  readonly panel: Condition['panel'];
  readonly method: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Whether measured points decide it, or bounds taken as measured. */
  readonly decided: boolean;
  readonly censored: number;
  readonly runs: number;
}

function analyse(options: StudyOptions, lookup: Lookup): Analysis {
  const stream = new Stream(options.seed).substream(`${STUDY}/bootstrap`);
  const found = cells.at(options, lookup);
  const all = found.map((cell) => ({
    ...cell,
    reached: recordsOf(STUDY, foundOf(STUDY, cell).evaluation, lookup).map((r) => ({
      ...stepsTo(r, TARGET, BUDGET[options.scale]),
      status: r.status,
    })),
  }));
  const points = all.map(({ method, condition: { panel, kappa, kappaF }, reached }): ScalingPoint => ({
    panel,
    series: method.name,
    x: panel === 'kappa' ? kappa : kappaF,
    ...summary(reached.map((r) => r.steps), stream), // prettier-ignore
    bound: reached.some((r) => r.bound),
  }));
  const names = [...new Set(all.map((c) => c.method.name))];
  const fits = (['kappa', 'kappaF'] as const).flatMap((panel) =>
    names.map((method) => {
      const runs = all.filter((c) => c.condition.panel === panel && c.method.name === method);
      const groups = runs.map(({ condition, reached }) =>
        reached.map((r): CensoredPoint => ({ x: Math.log(condition[panel]), y: Math.log(r.steps), censored: r.bound })),
      );
      const runPoints = groups.flat();
      return { panel, method, ...slopeOf(groups, stream), censored: runPoints.filter((p) => p.censored).length, runs: runPoints.length };
    }),
  );
  const slopes: Slope[] = fits.map(({ panel, method, mean: slope, low, high, decided, censored, runs }) => ({ panel, method, mean: slope, low, high, decided, censored, runs })); // prettier-ignore
  const lines = fits
    .filter((f) => f.decided && (MAIN as readonly string[]).includes(f.method))
    .map((f): ScalingLine => {
      const [from, to] = f.panel === 'kappa' ? [KAPPAS[0], KAPPAS.at(-1)!] : [KAPPAS_F[0], KAPPAS_F.at(-1)!];
      const at = (x: number): [number, number] => [x, Math.exp(f.intercept + f.mean * Math.log(x))];
      return { panel: f.panel, series: f.method, from: at(from), to: at(to) };
    });
  const floors = floorTrials(options, floorRate(found)!).map(({ condition, trials }): Floor => {
    const values = recordsOf(STUDY, trials, lookup).map((r) =>
      r.status === 'done' ? mean(r.metrics['distance'].values.slice(-FLOOR.last)) : Infinity,
    );
    return { condition: condition.key, ...summary(values, stream) };
  });
  const tuned = all.map((cell) => tuningOf(STUDY, cell));
  const { tuning, evaluation } = seedsOf(options, SEEDS);
  const shown = points.filter((p) => (MAIN as readonly string[]).includes(p.series));
  return {
    data: {
      study: STUDY,
      scale: options.scale,
      seed: options.seed,
      protocol: {
        ...PROBLEM,
        target: TARGET,
        floor: `mean distance over the last ${FLOOR.last} of ${FLOOR.steps} steps at the rate that is best at \u03ba = \u03ba_F = 1, ${FLOOR.seeds} seeds`,
        budget: BUDGET[options.scale],
        every: { usual: EVERY, quickMethods: 1 },
        kappas: KAPPAS,
        kappasF: KAPPAS_F,
        seeds: { tuning, evaluation },
        methods: names,
      },
      tuned,
      points,
      slopes,
      floors,
    },
    rows: points.map(({ panel, series, x, mean: m, low, high, bound }) => ({
      against: panel,
      method: series,
      x,
      steps: m,
      low,
      high,
      lowerBound: bound === true ? 1 : 0,
    })),
    charts: {
      figure: scaling({
        title: `Steps until the subspace distance is ${TARGET}`,
        subtitle: [
          `${problemText(PROBLEM)}; on the left F* has condition 1, on the right inputs are isotropic`,
          `mean and 95% bootstrap interval over ${evaluation.length} seeds, each method at its best learning rate on others; arrows: some run had not got there after ${BUDGET[options.scale]} steps`,
        ],
        panels: [
          { key: 'kappa', title: 'Ill-conditioned inputs', xTitle: 'condition number \u03ba of the covariance', ticks: KAPPAS },
          { key: 'kappaF', title: 'Ill-conditioned task', xTitle: 'condition number \u03ba_F of F*', ticks: KAPPAS_F },
        ],
        points: shown,
        lines,
        series: MAIN,
        yTitle: 'steps',
        yTicks: [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000],
      }),
    },
    searches: searchedOf(tuned, labelOf),
    timings: {
      seconds: all.map((cell) => ({
        condition: cell.condition.key,
        method: cell.method.name,
        secondsToEnd: mean(recordsOf(STUDY, foundOf(STUDY, cell).evaluation, lookup).map((r) => r.timing.trainingSeconds)),
      })),
    },
  };
}

export const figCondition: Study = {
  name: STUDY,
  title: 'Steps to learn the features, against condition numbers',
  about: [
    "How many steps does a method need, against how badly conditioned the problem is? On the left the condition number of the inputs' covariance grows, on the right that of the head F*. Slopes are those of log steps against the log of the condition number: 1 would be proportional, 0 free of it.",
    'The label noise is so small that the noise floor lies below the threshold at every condition number, which is measured at the learning rate that is best where nothing is ill-conditioned (T4): at 0.01 it did not for the worst head, and ruled out every large rate there. A run that does not get there within the budget is a lower bound: it is drawn with an arrow, and in the fit it counts as a bound (maximum likelihood of a censored normal regression).',
  ],
  equations: [
    {
      words: 'The fitted line; for a run that did not get there, only that its left side is at least the logarithm of the steps it took:',
      tex: String.raw`\log N_\varepsilon = a + b \log \kappa + s\,\xi, \qquad \xi \sim \mathcal N(0, 1)`,
    },
  ],
  plan: (options, lookup) => {
    const rate = floorRate(cells.at(options, lookup));
    const floors = rate === undefined ? [] : floorTrials(options, rate);
    return [...cells.plan(options, lookup), ...floors.flatMap((f) => f.trials)];
  },
  expected: (options, lookup) => {
    const rate = floorRate(cells.at(options, lookup)) ?? LARGE.at(-1)!;
    return [...cells.expected(options, lookup), ...floorTrials(options, rate).flatMap((f) => f.trials)];
  },
  analyse,
  evidence: ['slopes', 'points', 'floors'],
  judge: (data) => {
    const { slopes, floors } = data as { slopes: Slope[]; floors: Floor[] };
    return [...slopeClaims(slopes), floorClaim(floors, TARGET)];
  },
};
