/**
 * fig-spectrum: singular values of the first layer, and eigenvalues of its features' second moments, before and after one step of SGD and
 * of the layer-wise preconditioned method: histograms, the theory of large dimensions over them, outliers marked. Claims B and theory.
 */
import { judge, spectra, type Claim, type Measured, type SpectraRow } from '../figures/index.js';
import { bootstrapInterval, mean } from '../metrics/index.js';
import { Stream } from '../random/index.js';
import { trial, type Trial } from '../sweep/index.js';
import { recordsOf, type Analysis, type Lookup, type Study, type StudyOptions } from './study.js';

const METHODS = [
  { key: 'none', title: 'Before the step' },
  { key: 'sgd', title: 'After a step of SGD' },
  { key: 'layerwise', title: 'After a layer-wise step, \u03bb = 0.1' },
] as const;
type Key = (typeof METHODS)[number]['key'];
type Records = ReturnType<typeof recordsOf>;

const protocol = ({ scale }: StudyOptions) =>
  scale === 'quick'
    ? { inputs: 400, hidden: 300, samples: 1200, featureSamples: 1200, seeds: 8 }
    : { inputs: 1200, hidden: 900, samples: 3600, featureSamples: 3600, seeds: 20 };

const cells = (options: StudyOptions): { readonly key: Key; readonly trials: readonly Trial[] }[] => {
  const { seeds, ...sizes } = protocol(options);
  return METHODS.map(({ key }) => ({
    key,
    trials: Array.from({ length: seeds }, (_, i) =>
      trial({ experiment: 'spectrum', seed: options.seed * 10_000 + i, method: key, ...sizes }),
    ),
  }));
};

const QUANTITIES = [
  'topWeight',
  'topWeightTheory',
  'topDirection',
  'stepDirection',
  'topWithStep',
  'topWithStepTheory',
  'weightsOff',
  'featuresOff',
] as const;
type Quantity = (typeof QUANTITIES)[number];

interface Row extends Measured {
  readonly method: Key;
  readonly quantity: Quantity;
  readonly values: readonly number[];
}

function analyse(options: StudyOptions, lookup: Lookup): Analysis {
  const stream = new Stream(options.seed).substream('fig-spectrum/bootstrap');
  const found = cells(options).map(({ key, trials }) => ({ key, records: recordsOf('fig-spectrum', trials, lookup) }));
  const rows: Row[] = found.flatMap(({ key, records }) =>
    QUANTITIES.map((quantity) => {
      const values = records.map((r) => r.metrics[quantity].values[0]);
      return { method: key, quantity, label: `${key}, ${quantity}:`, values, mean: mean(values), ...bootstrapInterval(values, stream) };
    }),
  );
  const { inputs, hidden, samples, featureSamples, seeds } = protocol(options);
  return {
    data: {
      study: 'fig-spectrum',
      scale: options.scale,
      seed: options.seed,
      protocol: { ...protocol(options), lambda: 0.1, strength: 3, covariance: 'i^-0.5', teacher: 'tanh(3 t)', noise: 0.1 },
      quantities: rows,
      spectra: found.map(({ key, records }) => ({ method: key, ...records[0].tables })),
    },
    rows: rows.map(({ method, quantity, mean: m, low, high }) => ({ method, quantity, mean: m, low, high })),
    charts: {
      figure: spectra({
        title: 'What one step does to the spectrum: theory over simulation',
        subtitle: [
          `h = ${hidden} ReLU features of d = ${inputs} inputs, covariance with eigenvalues i^-0.5; step on n = ${samples} samples with |\u03b7U| = 3,`,
          `features on ${featureSamples} samples; one seed of ${seeds}. Line: theory, broken where an outlier is expected; triangles: outliers seen`,
        ],
        rows: [weightsRow(found), featuresRow(found)],
      }),
    },
    timings: { trialSeconds: mean(found.flatMap(({ records }) => records.map((r) => r.timing.trainingSeconds))) },
  };
}

type Found = readonly { readonly key: Key; readonly records: Records }[];
const titleOf = (key: Key): string => METHODS.find((m) => m.key === key)!.title;

function weightsRow(found: Found): SpectraRow {
  return {
    xTitle: 'singular value of the first layer',
    scale: 'linear',
    panels: found.map(({ key, records }) => {
      const { tables, metrics } = records[0];
      const density = tables!['weightsDensity'] as never as { x: number[]; density: number[]; interval: number[] };
      const edge = Math.max(...density.x);
      const expected = metrics['topWeightTheory'].values[0];
      return {
        title: titleOf(key),
        values: tables!['weights']['singularValue'],
        upTo: edge * 1.03,
        density,
        expected: expected > edge * 1.001 ? [expected] : [],
      };
    }),
  };
}

function featuresRow(found: Found): SpectraRow {
  return {
    xTitle: 'eigenvalue of Z\u2032Z/m',
    scale: 'log',
    panels: found.map(({ key, records }) => {
      const { tables } = records[0];
      const density = tables!['featuresDensity'] as never as { x: number[]; density: number[]; interval: number[] };
      // The widest interval is the bulk; above it each has an eigenvalue or a few of its own.
      const last = Math.max(...density.interval);
      const ends = Array.from({ length: last + 1 }, (_, k) => density.x.filter((_x, i) => density.interval[i] === k));
      const widths = ends.map((x) => Math.log(x[x.length - 1] / Math.max(1e-300, x[0])));
      const bulk = widths.indexOf(Math.max(...widths));
      const edge = ends[bulk][ends[bulk].length - 1];
      return {
        title: titleOf(key),
        values: tables!['features']['eigenvalue'],
        upTo: edge * 1.02,
        density,
        expected: ends.slice(bulk + 1).map((x) => Math.sqrt(x[0] * x[x.length - 1])),
      };
    }),
  };
}

function claimsOf(rows: readonly Row[]): Claim[] {
  const of = (method: Key, quantity: Quantity): Row => rows.find((r) => r.method === method && r.quantity === quantity)!;
  const off = METHODS.flatMap(({ key }) => [of(key, 'weightsOff'), of(key, 'featuresOff')]);
  const near = (seen: Row, expected: Row, share: number): boolean => Math.abs(seen.mean / expected.mean - 1) <= share;
  return [
    judge(
      {
        id: 'T2',
        statement: 'The bulks follow theory: before and after a step, of weights and of features',
        rule: 'the largest difference between the shares of eigenvalues below a place, seen and expected, is below 0.03 on average, in all six',
        measured: off,
      },
      off.every((r) => r.high < 0.03),
    ),
    judge(
      {
        id: 'T3',
        statement: 'The step makes one outlier, where theory puts it, pointing as far along the step as theory says',
        rule: 'mean top singular value within 2%, and mean squared cosine with the step within 5%, of theory for SGD and the layer-wise step',
        measured: (['sgd', 'layerwise'] as const).flatMap((m) => [
          of(m, 'topWeight'),
          of(m, 'topWeightTheory'),
          of(m, 'topWithStep'),
          of(m, 'topWithStepTheory'),
        ]),
      },
      (['sgd', 'layerwise'] as const).every(
        (m) => near(of(m, 'topWeight'), of(m, 'topWeightTheory'), 0.02) && near(of(m, 'topWithStep'), of(m, 'topWithStepTheory'), 0.05),
      ),
    ),
    judge(
      {
        id: 'B8',
        statement: "The outlier knows the teacher's direction: that of the layer-wise step better than SGD's",
        rule: "its interval of the squared cosine of the top right singular vector with \u03b2 lies above SGD's",
        measured: [of('layerwise', 'topDirection'), of('sgd', 'topDirection'), of('none', 'topDirection')],
      },
      of('layerwise', 'topDirection').low > of('sgd', 'topDirection').high,
    ),
  ];
}

export const figSpectrum: Study = {
  name: 'fig-spectrum',
  title: 'Spectra and outliers after one step',
  about: [
    "Where does one step leave its mark? Singular values of the first layer and eigenvalues of its features' second moments, as histograms over what random matrix theory says of the layer before the step; the step itself stands out as a spike.",
  ],
  equations: [
    {
      words: 'The law of sample covariances, by the Silverstein equation of its companion transform m(z):',
      tex: String.raw`z = -\frac1m + \frac dn \int \frac{t\,dH(t)}{1 + t m}`,
    },
  ],
  plan: (options) => cells(options).flatMap((c) => c.trials),
  analyse,
  evidence: ['quantities'],
  judge: (data) => claimsOf((data as { quantities: Row[] }).quantities),
};
