/**
 * fig-combined: the layer-wise method with what other optimisers have: momentum, averaged factors, a schedule, weight decay, the step sizes of
 * Adam (grafting), batch-norm. Beyond the paper, which leaves it open (claim E). Problem and seeds are those of fig-transfer.
 */
import { curveGrid, dotPlot, judge, type Claim, type Measured } from '../figures/index.js';
import { LAYERWISE, methodsNamed, type Method } from './methods.js';
import type { Analysis, Study } from './study.js';
import { CONDITIONS, METRICS, PROTOCOL, STEPS, transferCells, SUBTITLE } from './transferProblem.js';
import { dotsOf, type Final, type TunedCurves } from './tunedCurves.js';
import { tunedStudy, type Drawn } from './tunedStudy.js';
import { kappaLabel } from './words.js';

const [plain] = methodsNamed([LAYERWISE]);
const cosine = { kind: 'cosine' };
const HIGH = CONDITIONS.filter((c) => c.condition > 1);

/** The same update as plain, with momentum. */
const momentum = {
  ...plain,
  optimizer: {
    name: 'kfac',
    dampingKind: 'separate',
    damping: 1e-8,
    factorDecay: 0,
    inversePeriod: 1,
    bias: 'separate',
    momentum: 0.9,
  },
  grid: [0.001, 0.002, 0.005, 0.01, 0.02],
} satisfies Method;

/** Each with what is added, as claims call it. */
const COMBINED = [
  { added: 'momentum of 0.9', method: { ...momentum, name: '+ momentum 0.9' } },
  { added: 'averaged factors', method: { ...plain, name: '+ averaged factors', optimizer: { name: 'layerwise', factorDecay: 0.9 } } },
  { added: 'a cosine schedule', method: { ...plain, name: '+ cosine schedule', schedule: cosine, grid: [0.02, 0.05, 0.1, 0.2, 0.5] } },
  {
    added: 'momentum and a cosine schedule',
    method: { ...momentum, name: '+ momentum, cosine', schedule: cosine, grid: [0.002, 0.005, 0.01, 0.02, 0.05] },
  },
  { added: 'weight decay of 0.01', method: { ...plain, name: '+ weight decay 0.01', optimizer: { name: 'layerwise', weightDecay: 0.01 } } },
  {
    added: "Adam's step sizes",
    method: {
      ...plain,
      name: '+ Adam grafting',
      optimizer: { name: 'grafted', direction: { name: 'layerwise' }, magnitude: { name: 'adam' } },
      grid: [0.001, 0.003, 0.01, 0.03],
    },
  },
  { added: 'batch-norm', method: { ...plain, name: '+ batch-norm', batchNorm: true } },
] as const satisfies readonly { added: string; method: Method }[];
const METHODS: readonly Method[] = [plain, ...COMBINED.map((c) => c.method)];

function claimsOf(finals: readonly Final[]): Claim[] {
  const at = (method: string, condition: string): Measured => {
    const f = finals.find((x) => x.method === method && x.condition === condition && x.metric === 'distance')!;
    return { label: `${method}, ${kappaLabel(condition)}:`, mean: f.mean, low: f.low, high: f.high };
  };
  return COMBINED.map(({ added, method: { name } }, i) =>
    judge(
      {
        id: `E${i + 1}`,
        statement: `The layer-wise method gains from ${added}`,
        rule: 'at \u03ba = 100 and at 10000 the interval of the distance with it lies below that without',
        measured: HIGH.flatMap(({ key }) => [at(name, key), at(LAYERWISE, key)]),
      },
      HIGH.every(({ key }) => at(name, key).high < at(LAYERWISE, key).low),
    ),
  );
}

function charts({ curves, finals }: TunedCurves, { about }: Drawn): Analysis['charts'] {
  const shared = { subtitle: [SUBTITLE, about], conditions: HIGH, series: METHODS.map((m) => m.name) };
  return {
    figure: dotPlot({
      ...shared,
      title: `Layer-wise preconditioning combined: subspace distance after ${STEPS} steps`,
      dots: dotsOf(finals, 'distance'),
      xTitle: 'subspace distance',
      ticks: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    }),
    'figure-curves': curveGrid({
      ...shared,
      title: 'Layer-wise preconditioning combined',
      points: curves,
      metrics: METRICS,
      xTitle: 'steps',
      xScale: 'linear',
    }),
  };
}

export const figCombined: Study = {
  name: 'fig-combined',
  title: 'Layer-wise preconditioning combined with other methods',
  about: [
    'Beyond the paper, which leaves it open: what does the layer-wise method gain from what other optimisers have? One thing is added at a time, each combination with a learning rate of its own.',
  ],
  equations: [
    {
      words: 'Grafting takes the direction of one step and the length of another:',
      tex: String.raw`U = \lVert U_{\mathrm{Adam}} \rVert_F\,\frac{U_{\mathrm{layer\text{-}wise}}}{\lVert U_{\mathrm{layer\text{-}wise}} \rVert_F}`,
    },
  ],
  ...tunedStudy({
    study: 'fig-combined',
    cells: transferCells(() => METHODS, HIGH),
    labelOf: kappaLabel,
    metrics: METRICS.map((m) => m.key),
    protocol: () => ({ ...PROTOCOL, methods: METHODS }),
    charts,
    claimsOf,
  }),
};
