/**
 * fig-one-step: test error of features after one step, with a ridge head on fresh samples, against the step's samples and against
 * anisotropy: random features, SGD, Adam, both with batch-norm, the layer-wise preconditioned step and its population limit. Claims A to C.
 */
import { curveGrid, judge, type Claim, type CurvePoint, type Measured } from '../figures/index.js';
import { bootstrapInterval, mean } from '../metrics/index.js';
import { Stream } from '../random/index.js';
import { trial, type Trial } from '../sweep/index.js';
import { recordsOf, type Analysis, type Lookup, type Study, type StudyOptions } from './study.js';

const METHODS = [
  { key: 'layerwise', name: 'Layer-wise, best \u03bb' },
  { key: 'sgd', name: 'SGD' },
  { key: 'adamRotated', name: 'Adam, random basis' },
  { key: 'adam', name: 'Adam, along eigenvectors' },
  { key: 'none', name: 'Random features' },
  { key: 'population', name: 'Population preconditioner' },
  { key: 'batchNormSgd', name: 'Batch-norm + SGD' },
  { key: 'batchNormAdam', name: 'Batch-norm + Adam' },
] as const;
type Key = (typeof METHODS)[number]['key'];

/** Where both sweeps meet: what is judged. */
const REFERENCE = { samples: 900, exponent: 1 } as const;
const EXPONENTS = [0, 0.5, 1, 1.5] as const;
const samplesAt = (scale: StudyOptions['scale']): readonly number[] => (scale === 'quick' ? [300, 900, 2700] : [300, 520, 900, 1560, 2700]);
const seedsAt = (scale: StudyOptions['scale']): number => (scale === 'quick' ? 6 : 20);

type Sweep = 'samples' | 'exponent';
interface Cell {
  readonly sweep: Sweep;
  readonly x: number;
  readonly trials: readonly Trial[];
}

function cells({ scale, seed }: StudyOptions): Cell[] {
  const at = (samples: number, exponent: number): Trial[] =>
    Array.from({ length: seedsAt(scale) }, (_, i) =>
      trial({ experiment: 'one-step', seed: seed * 10_000 + i, samples, covariance: { family: 'power', exponent } }),
    );
  return [
    ...samplesAt(scale).map((n) => ({ sweep: 'samples' as const, x: n, trials: at(n, REFERENCE.exponent) })),
    ...EXPONENTS.map((a) => ({ sweep: 'exponent' as const, x: a, trials: at(REFERENCE.samples, a) })),
  ];
}

interface Point extends CurvePoint {
  readonly method: Key;
  readonly values: readonly number[];
}

function analyse(options: StudyOptions, lookup: Lookup): Analysis {
  const stream = new Stream(options.seed).substream('fig-one-step/bootstrap');
  const points: Point[] = [];
  const chosen: object[] = [];
  const seconds: number[] = [];
  for (const { sweep, x, trials } of cells(options)) {
    const records = recordsOf('fig-one-step', trials, lookup);
    seconds.push(...records.map((r) => r.timing.trainingSeconds));
    for (const { key, name } of METHODS) {
      const values = records.map((r) => r.metrics[key].values[0]);
      points.push({
        condition: sweep,
        series: name,
        method: key,
        metric: 'error',
        x,
        values,
        mean: mean(values),
        ...bootstrapInterval(values, stream),
      });
      const picked = (table: string): number[] => records.map((r) => r.tables![table][key][0]);
      chosen.push({ sweep, x, method: key, exponents: picked('exponent'), ridges: picked('ridge') });
    }
  }
  const seeds = seedsAt(options.scale);
  const subtitle = (of: string): string[] => [
    'y = tanh(3 \u03b2\u2032x) + e, d = 300, 600 ReLU features, noise 0.1, covariance with eigenvalues i^-a;',
    `${of}; step size, \u03bb and ridge chosen on validation samples; mean and 95% interval over ${seeds} seeds`,
  ];
  const chart = (sweep: Sweep, title: string, xTitle: string, of: string, xScale: 'linear' | 'log') =>
    curveGrid({
      title,
      subtitle: subtitle(of),
      points: points.filter((p) => p.condition === sweep),
      conditions: [{ key: sweep, title: '' }],
      metrics: [
        { key: 'error', title: 'test error / variance of the target', ticks: [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 1] },
      ],
      series: METHODS.map((m) => m.name),
      xTitle,
      xScale,
      panel: { width: 840, height: 340, everyMark: true },
    });
  return {
    data: {
      study: 'fig-one-step',
      scale: options.scale,
      seed: options.seed,
      protocol: {
        inputs: 300,
        hidden: 600,
        headSamples: 900,
        noise: 0.1,
        teacher: 'tanh(3 t)',
        samples: samplesAt(options.scale),
        exponents: EXPONENTS,
        seeds,
      },
      points,
      chosen,
    },
    rows: points.map(({ condition, method, x, mean: m, low, high }) => ({ sweep: condition, method, x, mean: m, low, high })),
    charts: {
      figure: chart('samples', 'Features after one step, against samples', 'samples of the step, n', 'a = 1', 'log'),
      'figure-anisotropy': chart(
        'exponent',
        'Features after one step, against anisotropy',
        'exponent a of the spectrum i^-a',
        'n = 900',
        'linear',
      ),
    },
    timings: { trialSeconds: mean(seconds), trials: seconds.length },
  };
}

/** By so much of the target's variance the preconditioned step must be better. */
const MARGIN = 0.08;

function claimsOf(points: readonly Point[]): Claim[] {
  const at = (method: Key, sweep: Sweep = 'samples', x: number = REFERENCE.samples): Point =>
    points.find((p) => p.method === method && p.condition === sweep && p.x === x)!;
  const measured = (p: Point): Measured => ({
    label: `${p.series}${p.condition === 'exponent' ? `, a = ${p.x}` : ''}:`,
    mean: p.mean,
    low: p.low,
    high: p.high,
  });
  const layerwise = at('layerwise');
  const worse = (method: Key): boolean => at(method).low > layerwise.high && at(method).mean - layerwise.mean >= MARGIN;
  const beats = (id: string, who: string, methods: readonly Key[]): Claim =>
    judge(
      {
        id,
        statement: `After one step under a power law (a = 1) the layer-wise preconditioned features beat those of ${who}`,
        rule: `at n = 900 its test error is lower by at least ${MARGIN} of the target's variance, and the intervals do not overlap`,
        measured: [layerwise, ...methods.map((m) => at(m))].map(measured),
      },
      methods.every(worse),
    );
  return [
    beats('A9', 'SGD and of random features', ['sgd', 'none']),
    beats('C10', 'Adam in a random basis', ['adamRotated']),
    beats('C11', 'Adam where the eigenvectors are its coordinates', ['adam']),
    beats('C12', 'batch-norm with SGD and with Adam', ['batchNormSgd', 'batchNormAdam']),
    judge(
      {
        id: 'A10',
        statement: 'Anisotropy is the reason: what SGD leaves to the preconditioned step grows with it',
        rule: "the intervals of SGD's error less the preconditioned step's over seeds at a = 0 and a = 1 do not overlap, and it is larger at a = 1",
        measured: [0, 1].map((a) => difference(at('sgd', 'exponent', a), at('layerwise', 'exponent', a), a)),
      },
      difference(at('sgd', 'exponent', 1), at('layerwise', 'exponent', 1), 1).low >
        difference(at('sgd', 'exponent', 0), at('layerwise', 'exponent', 0), 0).high,
    ),
  ];
}

/** Of two methods on the same seeds. */
function difference(a: Point, b: Point, exponent: number): Measured {
  const values = a.values.map((v, i) => v - b.values[i]);
  const stream = new Stream(exponent * 2).substream('fig-one-step/differences');
  return { label: `SGD less layer-wise, a = ${exponent}:`, mean: mean(values), ...bootstrapInterval(values, stream) };
}

export const figOneStep: Study = {
  name: 'fig-one-step',
  title: 'Features after one step: test error with a ridge head',
  about: [
    'After one step on the first layer, how good are its features? A ridge head is fitted on fresh samples; step size, damping and ridge are chosen on validation samples, and the error shown is that on test samples, over the variance of their targets.',
  ],
  equations: [
    {
      words: 'The network, and its first layer after the step:',
      tex: String.raw`f(x) = F s(G x), \qquad G_1 = G_0 - \eta U, \qquad \lVert \eta U \rVert_2 = d_h^{\,a}`,
    },
  ],
  plan: (options) => cells(options).flatMap((c) => c.trials),
  analyse,
  evidence: ['points'],
  judge: (data) => claimsOf((data as { points: Point[] }).points),
};
