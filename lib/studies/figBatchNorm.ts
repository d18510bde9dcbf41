/** fig-batchnorm: with and without batch-norm on the features, by SGD, Adam and the layer-wise method: training loss, subspace distance and
 *  transfer loss. The problem, seeds and trials are those of fig-transfer. Claim C. */
import { curveGrid, judge, type Claim, type Measured } from '../figures/index.js';
import { LAYERWISE, methodsNamed, type Method } from './methods.js';
import type { Analysis, Study } from './study.js';
import { CONDITIONS, METRICS, PROTOCOL, transferCells, SUBTITLE } from './transferProblem.js';
import type { Final, TunedCurves } from './tunedCurves.js';
import { tunedStudy, type Drawn } from './tunedStudy.js';
import { kappaLabel } from './words.js';

const [layerwise, ...others] = methodsNamed([LAYERWISE, 'SGD', 'Adam', 'Batch-norm + SGD', 'Batch-norm + Adam']);
const METHODS: readonly Method[] = [
  layerwise,
  ...others,
  { ...layerwise, name: 'Batch-norm + layer-wise', batchNorm: true, grid: [0.005, 0.01, 0.02, 0.05, 0.1] },
];
/** A method, and the same behind batch-norm. */
const PAIRS = [
  ['SGD', 'Batch-norm + SGD'],
  ['Adam', 'Batch-norm + Adam'],
  [LAYERWISE, 'Batch-norm + layer-wise'],
] as const;

function claimsOf(finals: readonly Final[]): Claim[] {
  const at = (method: string, condition: string, metric: string): Measured => {
    const f = finals.find((x) => x.method === method && x.condition === condition && x.metric === metric)!;
    return { label: `${method}, ${metric}, ${kappaLabel(condition)}:`, mean: f.mean, low: f.low, high: f.high };
  };
  const high = ['100', '10000'];
  const all = CONDITIONS.map((c) => c.key);
  return [
    judge(
      {
        id: 'C6',
        statement:
          'Whitening feature by feature is not whitening the inputs: with batch-norm neither SGD nor Adam learns what the layer-wise method learns',
        rule: "the intervals of their distances lie above the layer-wise method's at \u03ba = 100 and at 10000",
        measured: high.flatMap((c) => ['Batch-norm + SGD', 'Batch-norm + Adam', LAYERWISE].map((m) => at(m, c, 'distance'))),
      },
      high.every((c) =>
        ['Batch-norm + SGD', 'Batch-norm + Adam'].every((m) => at(m, c, 'distance').low > at(LAYERWISE, c, 'distance').high),
      ),
    ),
    ...PAIRS.map(([plain, normalised], i) =>
      judge(
        {
          id: `C7.${i + 1}`,
          statement: `Batch-norm may hurt generalisation: with it ${plain === LAYERWISE ? 'the layer-wise method' : plain} transfers worse`,
          rule: 'at some \u03ba the interval of the transfer loss with batch-norm lies above that without',
          measured: all.flatMap((c) => [at(normalised, c, 'transfer'), at(plain, c, 'transfer')]),
        },
        all.some((c) => at(normalised, c, 'transfer').low > at(plain, c, 'transfer').high),
      ),
    ),
  ];
}

const charts = ({ curves }: TunedCurves, { about }: Drawn): Analysis['charts'] => ({
  figure: curveGrid({
    title: 'With and without batch-norm on the features',
    subtitle: [SUBTITLE, about],
    points: curves,
    conditions: CONDITIONS,
    metrics: METRICS,
    series: METHODS.map((m) => m.name),
    xTitle: 'steps',
    xScale: 'linear',
  }),
});

export const figBatchNorm: Study = {
  name: 'fig-batchnorm',
  title: 'Batch-norm',
  about: [
    'Batch-norm gives every hidden unit mean 0 and variance 1 over the batch. Does that help SGD, Adam or the layer-wise method to learn features of anisotropic inputs, and does it cost anything in transfer? At evaluation running statistics are used.',
  ],
  equations: [
    {
      words: 'Of the hidden unit j, with mean and variance over the batch:',
      tex: String.raw`z_{j} = \gamma_j\,\frac{h_{j} - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}} + \beta_j, \qquad h = G x`,
    },
  ],
  ...tunedStudy({
    study: 'fig-batchnorm',
    cells: transferCells(() => METHODS),
    labelOf: kappaLabel,
    metrics: METRICS.map((m) => m.key),
    protocol: () => ({ ...PROTOCOL, methods: METHODS }),
    charts,
    claimsOf,
  }),
};
