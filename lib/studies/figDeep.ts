/** fig-deep: beyond the paper (claim E), deep networks on real images: accuracy and loss on the test images against epochs and seconds, by
 *  every optimiser of the family. */
import { existsSync } from 'node:fs';
import { FASHION_MNIST } from '../data/index.js';
import { curveGrid, dotPlot, judge, type Claim, type Measured } from '../figures/index.js';
import { trial, type Trial } from '../sweep/index.js';
import { optimizerAt, type Method } from './methods.js';
import type { Analysis, Study, StudyOptions } from './study.js';
import { seedsOf, tunedCells } from './tuned.js';
import { dotsOf, type Final, type TunedCurves } from './tunedCurves.js';
import { tunedStudy, type Drawn } from './tunedStudy.js';
import { finalValue } from './tuning.js';

const SEEDS = { quick: { tuning: 1, evaluation: 3 }, full: { tuning: 2, evaluation: 10 } };
const SIZE = {
  quick: { hidden: [64, 32], epochs: 1, points: 8 },
  full: { hidden: [256, 128], epochs: 10, points: 20 },
} as const;
const BATCH = 256;
const IMAGES = 60_000;

const kronecker = { damping: 0.1, factorDecay: 0.95, outputFactor: 'mc', momentum: 0.9 };
/** In legend order. */
const METHODS: readonly Method[] = [
  { name: 'KFAC', optimizer: { name: 'kfac', ...kronecker, inversePeriod: 10 }, grid: [0.01, 0.03, 0.1] },
  { name: 'SGD, momentum 0.9', optimizer: { name: 'sgd', momentum: 0.9 }, grid: [0.03, 0.1, 0.3] },
  { name: 'AdamW', optimizer: { name: 'adamw' }, grid: [0.001, 0.003, 0.01] },
  { name: 'EKFAC', optimizer: { name: 'ekfac', ...kronecker, inversePeriod: 20 }, grid: [0.01, 0.03, 0.1] },
  {
    name: 'FOOF',
    optimizer: { name: 'foof', damping: 0.1, factorDecay: 0.95, momentum: 0.9, inversePeriod: 10 },
    grid: [0.03, 0.1, 0.3],
  },
  {
    name: 'Shampoo',
    optimizer: { name: 'shampoo', beta2: 0.99, epsilon: 1e-8, grafting: 'adam', rootPeriod: 20 },
    grid: [0.001, 0.003, 0.01],
  },
  { name: 'SOAP', optimizer: { name: 'soap' }, grid: [0.001, 0.003, 0.01] },
  { name: 'Muon', optimizer: { name: 'muon' }, grid: [0.01, 0.03, 0.1] },
];
const LAYERED = ['KFAC', 'EKFAC', 'FOOF', 'Shampoo', 'SOAP', 'Muon'];

const CONDITIONS = [{ key: 'fashion-mnist', title: 'Fashion-MNIST' }] as const;
const METRICS = [
  { key: 'loss', title: 'training loss', ticks: [0.1, 0.2, 0.3, 0.5, 1, 2] },
  { key: 'testLoss', title: 'test loss', ticks: [0.2, 0.3, 0.4, 0.5, 0.7, 1, 2] },
] as const;

function trialAt(method: Method, learningRate: number, seed: number, { scale }: StudyOptions): Trial {
  const { hidden, epochs, points } = SIZE[scale];
  return trial({
    experiment: 'image-classification',
    seed,
    data: FASHION_MNIST,
    network: { hidden },
    optimizer: optimizerAt(method, learningRate),
    train: { batch: BATCH, epochs, every: Math.floor((epochs * IMAGES) / BATCH / points) },
  });
}

const cells = tunedCells<(typeof CONDITIONS)[number]>({
  conditions: CONDITIONS,
  methods: () => METHODS,
  seeds: (options) => seedsOf(options, SEEDS),
  trialAt: (method, _, rate, seed, options) => trialAt(method, rate, seed, options),
  objective: (record) => finalValue(record, 'testLoss'),
});

function claimsOf(finals: readonly Final[]): Claim[] {
  const at = (method: string): Measured => {
    const f = finals.find((x) => x.method === method && x.metric === 'accuracy')!;
    return { label: `${method}, test accuracy:`, mean: f.mean, low: f.low, high: f.high };
  };
  const best = (names: readonly string[]): Measured => names.map(at).reduce((a, b) => (b.mean > a.mean ? b : a));
  return [
    judge(
      {
        id: 'E10',
        statement: 'On real images too the best layer-wise method learns more in as many epochs than SGD and AdamW do',
        rule: 'the interval of its test accuracy lies above those of SGD with momentum and of AdamW',
        measured: [best(LAYERED), at('SGD, momentum 0.9'), at('AdamW')],
      },
      ['SGD, momentum 0.9', 'AdamW'].every((m) => best(LAYERED).low > at(m).high),
    ),
    judge(
      {
        id: 'E11',
        statement: 'KFAC itself does',
        rule: 'the interval of its test accuracy lies above those of SGD with momentum and of AdamW',
        measured: [at('KFAC'), at('SGD, momentum 0.9'), at('AdamW')],
      },
      ['SGD, momentum 0.9', 'AdamW'].every((m) => at('KFAC').low > at(m).high),
    ),
  ];
}

function charts({ curves, timed, finals }: TunedCurves, { options, about }: Drawn): Analysis['charts'] {
  const { hidden, epochs } = SIZE[options.scale];
  const length = epochs === 1 ? 'one epoch' : `${epochs} epochs`;
  const subtitle = [`Fashion-MNIST, a ${[784, ...hidden, 10].join('-')} ReLU network, batches of ${BATCH}, ${length}`, about];
  const series = METHODS.map((m) => m.name);
  const perEpoch = IMAGES / BATCH;
  const grid = { conditions: CONDITIONS, metrics: METRICS, series, subtitle, panel: { width: 560, height: 220, everyMark: true } };
  return {
    figure: dotPlot({
      title: `Accuracy on the test images after ${length}`,
      subtitle,
      dots: dotsOf(finals, 'accuracy'),
      conditions: CONDITIONS,
      series,
      xTitle: 'test accuracy',
      ticks: [0.7, 0.75, 0.8, 0.82, 0.84, 0.86, 0.87, 0.875, 0.88, 0.885, 0.89, 0.895, 0.9],
    }),
    'figure-curves': curveGrid({
      ...grid,
      points: curves.map((p) => ({ ...p, x: p.x / perEpoch })),
      title: 'Deep networks on real images, against epochs',
      xTitle: 'epochs',
      xScale: 'linear',
    }),
    'figure-seconds': curveGrid({
      ...grid,
      points: timed,
      title: 'Deep networks on real images, against time',
      xTitle: 'training seconds, one thread',
      xScale: 'log',
    }),
  };
}

export const figDeep: Study = {
  name: 'fig-deep',
  title: 'Deep networks on real images',
  about: [
    'Beyond the paper: a deeper network on real images. Learning rates are those of the least test loss on tuning seeds; accuracy and loss are on the test images.',
    'The test images choose the learning rates as well, on other seeds: there is no third set. All methods are treated alike.',
  ],
  equations: [],
  lacks: () =>
    existsSync(FASHION_MNIST.directory)
      ? undefined
      : `there are no images in ${FASHION_MNIST.directory}; to have them: apt-get install dataset-fashion-mnist`,
  ...tunedStudy({
    study: 'fig-deep',
    cells,
    labelOf: () => CONDITIONS[0].title,
    metrics: [...METRICS.map((m) => m.key), 'accuracy'],
    protocol: ({ scale }) => {
      const { hidden, epochs } = SIZE[scale];
      return { data: FASHION_MNIST.checksum, hidden, epochs, batch: BATCH, methods: METHODS };
    },
    charts,
    claimsOf,
  }),
};
