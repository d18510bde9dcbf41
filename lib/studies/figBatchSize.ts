/**
 * fig-batch-size: the noise floor of the subspace distance against batch size n and dimension d_X, at fixed learning rates. The slope of the
 * logarithm of the floor against that of d_X/n is measured; sqrt(d_X/n) is the line of reference.
 */
import type { ExperimentRecord } from '../experiments/index.js';
import { judge, scaling, type Claim, type ScalingLine, type ScalingPoint } from '../figures/index.js';
import { mean } from '../metrics/index.js';
import { Stream } from '../random/index.js';
import { trial, type Trial } from '../sweep/index.js';
import { LAYERWISE, methodsNamed, optimizerAt, type Method } from './methods.js';
import { slopeOf } from './slope.js';
import { recordsOf, type Analysis, type Lookup, type Study, type StudyOptions } from './study.js';
import { seedsOf, summary, type Summary } from './tuned.js';

const STUDY = 'fig-batch-size';
const PROBLEM = { outputs: 10, rank: 4, noise: 0.1, headCondition: 1 } as const;
const DIMENSIONS = [25, 50, 100] as const;
/** Samples a step, over d_X. */
const RATIOS = [4, 8, 16, 32, 64] as const;
const SEEDS = { quick: { tuning: 0, evaluation: 3 }, full: { tuning: 0, evaluation: 10 } };
/** The floor is the mean over the last points of a run. */
const LAST = 30;
const EVERY = 5;

/** Learning rates are fixed: the floor depends on them. SGD has a floor within reach where inputs are isotropic. */
const [layerwise, sgd] = methodsNamed([LAYERWISE, 'SGD']);
const PANELS = [
  { key: 'layerwise 100', title: 'Layer-wise, \u03ba = 100', method: layerwise, condition: 100, rate: 0.1, steps: 300 },
  { key: 'layerwise 1', title: 'Layer-wise, \u03ba = 1', method: layerwise, condition: 1, rate: 0.1, steps: 300 },
  { key: 'sgd 1', title: 'SGD, \u03ba = 1', method: sgd, condition: 1, rate: 0.1, steps: 600 },
] as const;
type Panel = (typeof PANELS)[number];

function trialAt({ method, condition, rate, steps }: Panel, inputs: number, ratio: number, seed: number): Trial {
  const { order }: Method = method;
  return trial({
    seed,
    task: { ...PROBLEM, inputs, covariance: { family: 'log', condition } },
    optimizer: optimizerAt(method, rate),
    train: { batch: ratio * inputs, steps, every: EVERY, ...(order === undefined ? {} : { order }) },
  });
}

const places = (options: StudyOptions): { panel: Panel; inputs: number; ratio: number; trials: Trial[] }[] =>
  PANELS.flatMap((panel) =>
    DIMENSIONS.flatMap((inputs) =>
      RATIOS.map((ratio) => ({
        panel,
        inputs,
        ratio,
        trials: seedsOf(options, SEEDS).evaluation.map((seed) => trialAt(panel, inputs, ratio, seed)),
      })),
    ),
  );

const floorOf = ({ metrics }: ExperimentRecord): number => mean(metrics['distance'].values.slice(-LAST));

export interface FloorSlope extends Summary {
  readonly panel: string;
}

function analyse(options: StudyOptions, lookup: Lookup): Analysis {
  const stream = new Stream(options.seed).substream(`${STUDY}/bootstrap`);
  const floors = places(options).map(({ panel, inputs, ratio, trials }) => ({
    panel,
    inputs,
    ratio,
    values: recordsOf(STUDY, trials, lookup).map(floorOf),
  }));
  const points = floors.map(({ panel, inputs, ratio, values }): ScalingPoint => ({
    panel: panel.key,
    series: `d_X = ${inputs}`,
    x: 1 / ratio,
    ...summary(values, stream),
  }));
  const fits = PANELS.map(({ key }) => {
    const own = floors.filter((f) => f.panel.key === key);
    const groups = own.map(({ ratio, values }) => values.map((v) => ({ x: Math.log(1 / ratio), y: Math.log(v), censored: false })));
    return { panel: key, ...slopeOf(groups, stream) };
  });
  const { evaluation } = seedsOf(options, SEEDS);
  const lines = fits.map(({ panel, intercept, mean: slope }): ScalingLine => {
    // sqrt(d_X/n) through the middle of the fit.
    const [low, high] = [1 / Math.max(...RATIOS), 1 / Math.min(...RATIOS)];
    const middle = Math.sqrt(low * high);
    const at = (x: number): [number, number] => [x, Math.exp(intercept + slope * Math.log(middle)) * Math.sqrt(x / middle)];
    return { panel, series: null, from: at(low), to: at(high) };
  });
  return {
    data: {
      study: STUDY,
      scale: options.scale,
      seed: options.seed,
      protocol: {
        ...PROBLEM,
        dimensions: DIMENSIONS,
        samplesOverDimension: RATIOS,
        floor: `mean distance of the last ${LAST} points, ${EVERY} steps apart`,
        panels: PANELS.map(({ key, method, condition, rate, steps }) => ({
          key,
          method: method.name,
          condition,
          learningRate: rate,
          steps,
        })),
        seeds: evaluation,
      },
      points,
      slopes: fits.map(({ panel, mean: slope, low, high }) => ({ panel, mean: slope, low, high })),
    },
    rows: points.map((p) => ({ panel: p.panel, dimension: p.series, ratio: p.x, floor: p.mean, low: p.low, high: p.high })),
    charts: {
      figure: scaling({
        title: 'Noise floor of the subspace distance',
        subtitle: [
          'd_Y = 10, k = 4, noise 0.1, F* of condition 1; the mean over the last steps at learning rate 0.1',
          `mean and 95% bootstrap interval over ${evaluation.length} seeds; dotted: the square root of d_X/n`,
        ],
        panels: PANELS.map(({ key, title }) => ({ key, title, xTitle: 'd_X / n', ticks: [0.015, 0.03, 0.06, 0.12, 0.25] })),
        points,
        lines,
        series: DIMENSIONS.map((d) => `d_X = ${d}`),
        yTitle: 'subspace distance',
        yTicks: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
      }),
    },
    timings: {},
  };
}

function claimsOf(slopes: readonly FloorSlope[]): Claim[] {
  return slopes.map((fit, i) =>
    judge(
      {
        id: `B6.${i + 1}`,
        statement: `What is left of the distance is noise, as the square root of d_X/n (${PANELS.find((p) => p.key === fit.panel)!.title})`,
        rule: 'the interval of the slope of log floor against log d_X/n lies within 0.4 and 0.6',
        measured: [{ label: 'slope:', mean: fit.mean, low: fit.low, high: fit.high }],
      },
      fit.low > 0.4 && fit.high < 0.6,
    ),
  );
}

export const figBatchSize: Study = {
  name: STUDY,
  title: 'Noise floor against batch size and dimension',
  about: [
    'What is left of the distance when a method has settled? At a fixed learning rate the mean over the last steps of a run, for three dimensions and five batch sizes.',
  ],
  equations: [{ words: 'The line of reference:', tex: String.raw`\text{floor} \propto \sqrt{d_X / n}` }],
  plan: (options) => places(options).flatMap((p) => p.trials),
  analyse,
  evidence: ['slopes', 'points'],
  judge: (data) => claimsOf((data as { slopes: FloorSlope[] }).slopes),
};
