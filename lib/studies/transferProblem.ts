/** The problem that fig-transfer, fig-batchnorm and fig-combined share, so that a run that two of them need is run once. */
import { trial, type Trial } from '../sweep/index.js';
import { optimizerAt, type Method } from './methods.js';
import { seedsOf, tunedCells, type TunedCells } from './tuned.js';
import { finalValue } from './tuning.js';
import { problemText } from './words.js';

/** Condition numbers of the inputs' covariance. */
export const CONDITIONS = [
  { key: '1', condition: 1, title: 'Isotropic inputs, \u03ba = 1' },
  { key: '100', condition: 100, title: 'Anisotropic, \u03ba = 100' },
  { key: '10000', condition: 1e4, title: 'Strongly anisotropic, \u03ba = 10\u2074' },
] as const;
export type TransferCondition = (typeof CONDITIONS)[number];

export const METRICS = [
  { key: 'loss', title: 'training loss', ticks: [0.1, 0.2, 0.5, 1, 2, 5] },
  { key: 'distance', title: 'subspace distance', ticks: [0.01, 0.03, 0.1, 0.3, 1] },
  { key: 'transfer', title: 'transfer loss (relative)', ticks: [1e-4, 1e-3, 1e-2, 0.1, 1] },
] as const;

const PROBLEM = { inputs: 100, outputs: 15, rank: 8, noise: 0.1, headCondition: 3 } as const;
const TRAIN = { batch: 1024, steps: 300 } as const;
const EVERY = 10;
export const STEPS = TRAIN.steps;
export const SEEDS = { quick: { tuning: 2, evaluation: 5 }, full: { tuning: 4, evaluation: 10 } };

/** Of the data, beside its seeds and methods. */
export const PROTOCOL = { ...PROBLEM, covariance: 'log-spaced, Haar basis', ...TRAIN } as const;
/** The same for readers. */
export const SUBTITLE = `${problemText(PROTOCOL)}, log-spaced covariance in a Haar basis`;

function trialAt(method: Method, condition: number, learningRate: number, seed: number): Trial {
  return trial({
    seed,
    task: { ...PROBLEM, covariance: { family: 'log', condition } },
    network: { batchNorm: method.batchNorm ?? false },
    optimizer: optimizerAt(method, learningRate),
    ...(method.schedule === undefined ? {} : { schedule: method.schedule }),
    train: { ...TRAIN, every: EVERY, ...(method.order === undefined ? {} : { order: method.order }) },
  });
}

/** Methods at the rates that end closest. */
export const transferCells = (
  methods: Parameters<typeof tunedCells<TransferCondition>>[0]['methods'],
  conditions: readonly TransferCondition[] = CONDITIONS,
): TunedCells<TransferCondition> =>
  tunedCells({
    conditions,
    methods,
    seeds: (options) => seedsOf(options, SEEDS),
    trialAt: (method, { condition }, rate, seed) => trialAt(method, condition, rate, seed),
    objective: (record) => finalValue(record, 'distance'),
  });
