/**
 * fig-lr: where each method ends against its learning rate, divergence marked, and the window of rates within a factor 2 of its best. Full
 * Gauss-Newton is searched over damping as widely as the layer-wise method, and compared with it by steps and by seconds. Claims A and D.
 */
import type { ExperimentRecord } from '../experiments/index.js';
import { dotPlot, heatMap, scaling, type HeatCell, type ScalingLine, type ScalingPoint } from '../figures/index.js';
import { mean } from '../metrics/index.js';
import { Stream } from '../random/index.js';
import { trial, type Trial } from '../sweep/index.js';
import { rateClaims, type BestOfMap } from './figLrClaims.js';
import { GAUSS_NEWTON, LAYERWISE, methodsAt, methodsNamed, optimizerAt, type Method } from './methods.js';
import { TrialCache, recordsOf, type Analysis, type Lookup, type Study, type StudyOptions } from './study.js';
import { seedsOf, summary, type Summary } from './tuned.js';
import { finalValue } from './tuning.js';
import { kappaLabel, problemText } from './words.js';

const STUDY = 'fig-lr';
const PROBLEM = { inputs: 50, outputs: 10, rank: 5, noise: 0.1, headCondition: 3 } as const;
const TRAIN = { batch: 512, steps: 300, every: 10 } as const;
const SEEDS = { quick: { tuning: 2, evaluation: 3 }, full: { tuning: 4, evaluation: 10 } };
const CONDITIONS = [
  { key: '100', condition: 100, title: 'Anisotropic inputs, \u03ba = 100' },
  { key: '10000', condition: 1e4, title: 'Strongly anisotropic, \u03ba = 10\u2074' },
] as const;
type Condition = (typeof CONDITIONS)[number];

/** The same rates for every method: powers of 2. */
const RATES = Array.from({ length: 14 }, (_, i) => 2 ** (i - 10));
/** Drawn, in legend order. */
const MAIN = [LAYERWISE, 'SGD', 'Adam', 'Whitened AMGD', 'AMGD', 'Batch-norm + SGD', GAUSS_NEWTON, 'Shampoo'] as const;

/** Of the maps, at the first condition. */
const MAPPED = [LAYERWISE, GAUSS_NEWTON] as const;
const MAP_RATES = Array.from({ length: 8 }, (_, i) => 2 ** (i - 6));
const DAMPINGS = [1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1] as const;
/** A window holds the rates within this factor of the best. */
const WITHIN = 2;

const made = new TrialCache();

function trialAt(method: Method, { key, condition }: Condition, rate: number, seed: number, damping?: number): Trial {
  return made.get([method.name, key, rate, seed, damping], () =>
    trial({
      seed,
      task: { ...PROBLEM, covariance: { family: 'log', condition } },
      network: { batchNorm: method.batchNorm ?? false },
      optimizer: { ...optimizerAt(method, rate), ...(damping === undefined ? {} : { damping }) },
      train: { ...TRAIN, ...(method.order === undefined ? {} : { order: method.order }) },
    }),
  );
}

const methodsOf = ({ scale }: StudyOptions): readonly Method[] => (scale === 'quick' ? methodsNamed(MAIN) : methodsAt(scale));

/** Every method at every rate. */
const lineTrials = (options: StudyOptions): Trial[] =>
  CONDITIONS.flatMap((c) =>
    methodsOf(options).flatMap((m) => RATES.flatMap((rate) => seedsOf(options, SEEDS).evaluation.map((seed) => trialAt(m, c, rate, seed)))),
  );
/** Both methods at every rate and damping. */
const mapTrials = (options: StudyOptions): Trial[] =>
  methodsNamed(MAPPED).flatMap((m) =>
    MAP_RATES.flatMap((rate) =>
      DAMPINGS.flatMap((damping) => seedsOf(options, SEEDS).tuning.map((seed) => trialAt(m, CONDITIONS[0], rate, seed, damping))),
    ),
  );

interface MapCell extends HeatCell {
  readonly method: Method;
}

function mapCells(options: StudyOptions, lookup: Lookup): MapCell[] {
  const { tuning } = seedsOf(options, SEEDS);
  return methodsNamed(MAPPED).flatMap((method) =>
    MAP_RATES.flatMap((rate) =>
      DAMPINGS.map((damping): MapCell => {
        const values = tuning.map((seed) => finalValue(lookup(trialAt(method, CONDITIONS[0], rate, seed, damping)), 'distance'));
        return { method, panel: method.name, x: rate, y: damping, value: mean(values) };
      }),
    ),
  );
}

/** Of each mapped method the setting that ended closest on tuning seeds, on the others. */
function mapBest(options: StudyOptions, lookup: Lookup): { readonly cell: MapCell; readonly trials: Trial[] }[] {
  const all = mapCells(options, lookup);
  return MAPPED.map((name) => {
    const cell = all.filter((c) => c.panel === name).reduce((a, b) => (b.value < a.value ? b : a));
    return { cell, trials: seedsOf(options, SEEDS).evaluation.map((seed) => trialAt(cell.method, CONDITIONS[0], cell.x, seed, cell.y)) };
  });
}

function plan(options: StudyOptions, lookup: Lookup): Trial[] {
  const first = [...lineTrials(options), ...mapTrials(options)];
  if (mapTrials(options).some((t) => lookup(t) === undefined)) return first;
  return [...first, ...mapBest(options, lookup).flatMap((b) => b.trials)];
}

/** Where a method ends at each rate, and the window around its best. */
export interface RateLine {
  readonly condition: string;
  readonly method: string;
  readonly points: readonly (Summary & { readonly rate: number; readonly lost: number })[];
  readonly best: Summary & { readonly rate: number };
  readonly window: { readonly low: number; readonly high: number; readonly atEdge: boolean };
}

function rateLine(condition: Condition, method: Method, options: StudyOptions, lookup: Lookup, stream: Stream): RateLine {
  const { evaluation } = seedsOf(options, SEEDS);
  const points = RATES.map((rate) => {
    const records = recordsOf(STUDY, evaluation.map((seed) => trialAt(method, condition, rate, seed)), lookup); // prettier-ignore
    const values = records.map((r) => finalValue(r, 'distance'));
    return { rate, ...summary(values, stream), lost: values.filter((v) => v === Infinity).length };
  });
  const best = points.reduce((a, b) => (b.mean < a.mean ? b : a));
  const good = (i: number): boolean => points[i]?.mean <= WITHIN * best.mean;
  let [low, high] = [points.indexOf(best), points.indexOf(best)];
  while (good(low - 1)) low--;
  while (good(high + 1)) high++;
  const window = { low: points[low].rate, high: points[high].rate, atEdge: low === 0 || high === points.length - 1 };
  return { condition: condition.key, method: method.name, points, best, window };
}

function analyse(options: StudyOptions, lookup: Lookup): Analysis {
  const stream = new Stream(options.seed).substream(`${STUDY}/bootstrap`);
  const lines = CONDITIONS.flatMap((c) => methodsOf(options).map((m) => rateLine(c, m, options, lookup, stream)));
  const map = mapCells(options, lookup);
  const best = mapBest(options, lookup).map(({ cell, trials }): BestOfMap & { readonly records: ExperimentRecord[] } => {
    const own = map.filter((c) => c.panel === cell.panel);
    const records = recordsOf(STUDY, trials, lookup);
    return {
      method: cell.panel,
      rate: cell.x,
      damping: cell.y,
      atEdge: cell.x === MAP_RATES[0] || cell.x === MAP_RATES.at(-1) || cell.y === DAMPINGS[0] || cell.y === DAMPINGS.at(-1),
      distance: summary(records.map((r) => finalValue(r, 'distance')), stream), // prettier-ignore
      settingsWithin: own.filter((c) => c.value <= WITHIN * cell.value).length / own.length,
      settingsLost: own.filter((c) => c.value === Infinity).length / own.length,
      records,
    };
  });
  const seconds = best.map(({ method, records }) => ({ method, seconds: mean(records.map((r) => r.timing.trainingSeconds)) }));
  // What Gauss-Newton has come to in the seconds that the layer-wise method took to its end.
  const [layerwise, gaussNewton] = best;
  const atEqualTime = summary(
    gaussNewton.records.map((r, i) => valueAtSeconds(r, layerwise.records[i].timing.trainingSeconds)),
    stream,
  );
  const { tuning, evaluation } = seedsOf(options, SEEDS);
  const shown = lines.filter((l) => (MAIN as readonly string[]).includes(l.method));
  const problem = `${problemText({ ...PROBLEM, ...TRAIN })}, ${TRAIN.steps} steps`;
  return {
    data: {
      study: STUDY,
      scale: options.scale,
      seed: options.seed,
      protocol: { ...PROBLEM, ...TRAIN, rates: RATES, map: { rates: MAP_RATES, dampings: DAMPINGS }, seeds: { tuning, evaluation } },
      lines,
      map: map.map(({ panel, x, y, value }) => ({ method: panel, learningRate: x, damping: y, distance: value })),
      best: best.map((b) => ({ ...b, records: undefined })),
      // By the clock: the one part that differs from run to run.
      atEqualTime,
    },
    rows: lines.flatMap((l) =>
      l.points.map((p) => ({
        condition: l.condition,
        method: l.method,
        learningRate: p.rate,
        mean: p.mean,
        low: p.low,
        high: p.high,
        lost: p.lost,
      })),
    ),
    charts: {
      figure: scaling({
        title: 'Subspace distance after 300 steps, against the learning rate',
        subtitle: [
          problem,
          `mean and 95% bootstrap interval over ${evaluation.length} seeds; crosses: a run diverged or failed at that rate`,
        ],
        panels: CONDITIONS.map(({ key, title }) => ({ key, title, xTitle: 'learning rate', ticks: [0.001, 0.01, 0.1, 1, 8] })),
        points: shown.flatMap((l) =>
          l.points.map((p): ScalingPoint => ({ panel: l.condition, series: l.method, x: p.rate, ...p, lost: p.lost > 0 })),
        ),
        lines: shown.flatMap((l) =>
          l.points.slice(1).flatMap((p, i): ScalingLine[] => {
            const before = l.points[i];
            if (before.lost > 0 || p.lost > 0) return [];
            return [{ panel: l.condition, series: l.method, from: [before.rate, before.mean], to: [p.rate, p.mean] }];
          }),
        ),
        series: MAIN,
        yTitle: 'subspace distance',
        yTicks: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
      }),
      'figure-windows': dotPlot({
        title: 'Windows: learning rates at which a method ends within a factor 2 of its best',
        subtitle: [
          problem,
          'dot: the best rate, bar: the window, crosses: a run diverged or failed at that rate',
          'hollow: the window reaches the edge of what was tried; so it does where a method learns next to nothing at any rate',
        ],
        dots: lines.map(({ condition, method, best: { rate }, window: { low, high, atEdge } }) => ({
          condition,
          series: method,
          mean: rate,
          low,
          high,
          hollow: atEdge,
        })),
        crosses: lines.flatMap(({ condition, method, points }) =>
          points.filter((p) => p.lost > 0).map((p) => ({ condition, series: method, x: p.rate })),
        ),
        conditions: CONDITIONS,
        series: methodsOf(options).map((m) => m.name),
        xTitle: 'learning rate',
        ticks: [0.001, 0.01, 0.1, 1],
      }),
      'figure-damping': heatMap({
        title: 'Subspace distance over learning rate and damping, \u03ba = 100',
        subtitle: [`${problem}; mean over ${tuning.length} seeds; a ring at the least, crosses where a run diverged or failed`],
        panels: MAPPED,
        cells: map,
        xTitle: 'learning rate',
        yTitle: 'damping',
        valueTitle: 'distance',
        ticks: [0.02, 0.05, 0.1, 0.2, 0.5, 1],
      }),
    },
    searches: [
      ...lines.map(({ condition, method, best: { rate } }) => ({
        condition: kappaLabel(condition),
        method,
        tried: RATES,
        best: rate,
        atEdge: rate === RATES[0] || rate === RATES.at(-1),
      })),
      ...best.map((b) => ({
        condition: `${kappaLabel(CONDITIONS[0].key)}, with damping`,
        method: b.method,
        tried: MAP_RATES,
        best: b.rate,
        damping: { tried: DAMPINGS, best: b.damping },
        atEdge: b.atEdge,
      })),
    ],
    timings: { seconds },
  };
}

/** The distance at the last metric point within so many training seconds. */
function valueAtSeconds({ metrics, timing }: ExperimentRecord, seconds: number): number {
  const { values } = metrics['distance'];
  const last = timing.at.findLastIndex((at) => at <= seconds);
  return values[Math.max(0, last)];
}

export const figLr: Study = {
  name: STUDY,
  title: 'Learning rates and damping',
  about: [
    'Is a bad method a good one at a wrong learning rate? All methods at the same rates, powers of 2, with every rate at which a run was lost marked; the window of a method holds the rates at which it ends within a factor 2 of its best.',
    'Full Gauss-Newton, with the dense curvature of all parameters together, is searched over learning rate and damping on the same grid as the layer-wise method, and both are compared at their best on other seeds: after as many steps, and after as many seconds.',
  ],
  equations: [
    {
      words:
        'Full Gauss-Newton, with J the derivative of all outputs in all parameters, and the layer-wise method, which keeps of the same matrix a Kronecker product a layer:',
      tex: String.raw`\theta \leftarrow \theta - \eta\,\Bigl(\tfrac1n J^\top J + \lambda I\Bigr)^{-1} \nabla L, \qquad \tfrac1n J_G^\top J_G = F^\top F \otimes \tfrac1n X^\top X`,
    },
  ],
  plan,
  expected: (options, lookup) => {
    const planned = plan(options, lookup);
    if (mapTrials(options).every((t) => lookup(t) !== undefined)) return planned;
    const middle = MAP_RATES[MAP_RATES.length >> 1];
    const { evaluation } = seedsOf(options, SEEDS);
    const best = methodsNamed(MAPPED).flatMap((m) => evaluation.map((seed) => trialAt(m, CONDITIONS[0], middle, seed, DAMPINGS[0])));
    return [...planned, ...best];
  },
  analyse,
  evidence: ['lines', 'best', 'atEqualTime'],
  judge: (data) => {
    const { lines, best, atEqualTime } = data as { lines: RateLine[]; best: BestOfMap[]; atEqualTime: Summary };
    return rateClaims(lines, best, atEqualTime);
  },
};
