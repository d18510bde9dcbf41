/**
 * fig-transfer: linear representation learning at low, middle and high anisotropy. Training loss, subspace distance and transfer
 * loss against steps (and seconds) for every method of the paper that the package has. Claims A to D.
 */
import { curveGrid, dotPlot } from '../figures/index.js';
import { Stream } from '../random/index.js';
import { trial, type Trial } from '../sweep/index.js';
import { claimsOf } from './figTransferClaims.js';
import { METHODS, methodsAt, optimizerAt, type Method } from './methods.js';
import type { Analysis, Lookup, Study, StudyOptions } from './study.js';
import { seedsOf, tunedCells } from './tuned.js';
import { curveRows, dotsOf, tunedCurves, type Final } from './tunedCurves.js';
import { finalValue } from './tuning.js';

/** Condition numbers of the inputs' covariance. */
export const CONDITIONS = [
  { key: '1', condition: 1, title: 'Isotropic inputs, \u03ba = 1' },
  { key: '100', condition: 100, title: 'Anisotropic, \u03ba = 100' },
  { key: '10000', condition: 1e4, title: 'Strongly anisotropic, \u03ba = 10\u2074' },
] as const;

export const METRICS = [
  { key: 'loss', title: 'training loss', ticks: [0.1, 0.2, 0.5, 1, 2, 5] },
  { key: 'distance', title: 'subspace distance', ticks: [0.01, 0.03, 0.1, 0.3, 1] },
  { key: 'transfer', title: 'transfer loss (relative)', ticks: [1e-4, 1e-3, 1e-2, 0.1, 1] },
] as const;

export const STEPS = 300;
const EVERY = 10;

export const SEEDS = { quick: { tuning: 2, evaluation: 5 }, full: { tuning: 4, evaluation: 10 } };

/** A run of this figure and of those that share its problem. */
export function transferTrial(method: Method, condition: number, learningRate: number, seed: number): Trial {
  return trial({
    seed,
    task: { inputs: 100, outputs: 15, rank: 8, noise: 0.1, headCondition: 3, covariance: { family: 'log', condition } },
    network: { batchNorm: method.batchNorm ?? false },
    optimizer: optimizerAt(method, learningRate),
    ...(method.schedule === undefined ? {} : { schedule: method.schedule }),
    train: { batch: 1024, steps: STEPS, every: EVERY, ...(method.order === undefined ? {} : { order: method.order }) },
  });
}

const cells = tunedCells<(typeof CONDITIONS)[number]>({
  conditions: CONDITIONS,
  methods: ({ scale }) => methodsAt(scale),
  seeds: (options) => seedsOf(options, SEEDS),
  trialAt: (method, { condition }, rate, seed) => transferTrial(method, condition, rate, seed),
  objective: (record) => finalValue(record, 'distance'),
});

function analyse(options: StudyOptions, lookup: Lookup): Analysis {
  const stream = new Stream(options.seed).substream('fig-transfer/bootstrap');
  const metrics = [...METRICS.map((m) => m.key), 'population'];
  const { curves, timed, finals, tuned, seconds } = tunedCurves('fig-transfer', cells(options, lookup), lookup, metrics, stream);
  const { tuning, evaluation } = seedsOf(options, SEEDS);
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
    rows: curveRows(curves),
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
        dots: dotsOf(finals, 'distance'),
        conditions: CONDITIONS,
        series: methodsAt(options.scale).map((m) => m.name),
        xTitle: 'subspace distance',
        ticks: METRICS[1].ticks,
      }),
    },
    timings: { seconds },
  };
}

export const figTransfer: Study = {
  name: 'fig-transfer',
  title: 'Feature learning and transfer under anisotropic inputs',
  about: [
    'Do methods that bring the training loss down equally far learn the same features? Every method of the paper, and its kin, trains a two-layer linear network on targets that depend on a hidden subspace, at three condition numbers of the inputs. The subspace distance is the sine of the largest angle between learned and true features; the transfer loss is what the best new head on the learned features leaves of a new task that shares them.',
    'Each method has its learning rate searched on seeds of its own, at each condition number; a best rate at the edge of its grid has the grid extended. What is drawn and judged are other seeds.',
  ],
  equations: [
    {
      words: 'The teacher, and the layer-wise step in which both layers take turns:',
      tex: String.raw`y = F_\star G_\star x + \varepsilon, \qquad x = \Sigma^{1/2} u, \qquad G \leftarrow G - \eta\,(F^\top F + \lambda I)^{-1}\,\nabla_G L\,\Bigl(\tfrac1n X^\top X + \lambda I\Bigr)^{-1}, \qquad F \leftarrow F - \eta\,\nabla_F L\,\Bigl(\tfrac1n Z^\top Z + \lambda I\Bigr)^{-1}`,
    },
    {
      words: 'The subspace distance, for an orthonormal basis of the rows of G:',
      tex: String.raw`\operatorname{dist}(G, G_\star) = \bigl\lVert \widehat G\,(I - G_\star^\top G_\star) \bigr\rVert_2`,
    },
  ],
  plan: (options, lookup) => cells(options, lookup).flatMap((c) => c.trials),
  analyse,
  evidence: ['finals'],
  judge: (data) => claimsOf((data as { finals: Final[] }).finals),
};
