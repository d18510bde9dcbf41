/** Every optimiser of the table: a row each. */
import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { optimizers } from '../../lib/optimizers/index.js';
import type { Optimizer, RepresentationTask } from '../../lib/types.js';
import { decodeCheckpoint, encodeCheckpoint, encodeState, restoreState, Training } from '../../lib/train/index.js';
import { subspaceDistance } from '../../lib/metrics/index.js';
import { matricesMadeBy } from './byHand.js';
import { batchOf, bothDtypes, evaluate, smallNetwork, smallTask, stepsOf } from '../fixtures.js';

interface Row {
  readonly name: keyof typeof optimizers;
  readonly options: object;
  /** The loss after 60 steps is below this many times the first; the noise alone is 0.012 of it. */
  readonly bound: number;
  readonly batchNorm?: boolean;
  /** Why the last bits of a gradient come to decide the whole of a step. */
  readonly decidedByRounding?: string;
}
const NULL_SPACE = 'the eigenbasis of a factor of rank 3 in 9 dimensions is arbitrary in the other 6';
const ROWS: readonly Row[] = [
  { name: 'sgd', options: { learningRate: 0.1 }, bound: 0.1 },
  { name: 'sgd', options: { learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }, bound: 0.05 },
  { name: 'sgd', options: { learningRate: 0.1, momentum: 0.5 }, bound: 0.07, batchNorm: true },
  { name: 'adam', options: { learningRate: 0.03, amsgrad: true }, bound: 0.05 },
  { name: 'adam', options: { learningRate: 0.03 }, bound: 0.06, batchNorm: true },
  { name: 'adamw', options: { learningRate: [0.03, 0.02] }, bound: 0.05 },
  { name: 'layerwise', options: { learningRate: 0.1 }, bound: 0.02 },
  { name: 'layerwise', options: { learningRate: 0.1, factorDecay: 0.9, damping: 1e-4 }, bound: 0.02 },
  { name: 'layerwise', options: { learningRate: 0.1, outputFactor: 'none', damping: 1e-4 }, bound: 0.025, batchNorm: true },
  { name: 'amgd', options: { learningRate: 0.3 }, bound: 0.035 },
  { name: 'amgd', options: { learningRate: 0.3, whitened: true, damping: 1e-6 }, bound: 0.025 },
  { name: 'kfac', options: { learningRate: 0.1, damping: 1e-4, factorPeriod: 2, inversePeriod: 5, momentum: 0.3 }, bound: 0.03 },
  {
    name: 'kfac',
    options: { learningRate: 0.1, outputFactor: 'mc', dampingKind: 'exact', inversePeriod: 3, normConstraint: 0.1 },
    bound: 0.03,
  },
  { name: 'kfac', options: { learningRate: 0.2, damping: 1, levenbergMarquardt: {} }, bound: 0.1 },
  { name: 'kfac', options: { learningRate: 0.1, outputFactor: 'none' }, bound: 0.05, batchNorm: true },
  { name: 'ekfac', options: { learningRate: 0.1, inversePeriod: 4, outputFactor: 'mc' }, bound: 0.03 },
  { name: 'foof', options: { learningRate: 0.1, damping: 0.01, inversePeriod: 3, momentum: 0.5, weightDecay: 1e-4 }, bound: 0.05 },
  { name: 'shampoo', options: { learningRate: 0.1, rootPeriod: 3, factorPeriod: 2, epsilon: 1e-4 }, bound: 0.05 },
  {
    name: 'shampoo',
    options: { learningRate: 0.03, grafting: 'adam', startStep: 5, beta2: 0.95, blockSize: 4 },
    bound: 0.05,
    batchNorm: true,
  },
  { name: 'soap', options: { learningRate: 0.03, period: 4 }, bound: 0.08, decidedByRounding: NULL_SPACE },
  { name: 'soap', options: { learningRate: 0.03, bases: 'right' }, bound: 0.05, batchNorm: true, decidedByRounding: NULL_SPACE },
  { name: 'muon', options: { learningRate: 0.02 }, bound: 0.06 },
  { name: 'muon', options: { learningRate: 0.02, exact: true }, bound: 0.1 },
  { name: 'muon', options: { learningRate: 0.02, vectors: { learningRate: 0.01 } }, bound: 0.08, batchNorm: true },
  { name: 'gaussNewton', options: { learningRate: 0.2 }, bound: 0.02 },
  {
    name: 'gaussNewton',
    options: { learningRate: 0.2, solver: 'cg', iterations: 20, warmStart: 0.9 },
    bound: 0.02,
    decidedByRounding: 'conjugate gradients have lost their orthogonality by the twentieth iteration',
  },
  { name: 'naturalGradient', options: { learningRate: 0.02, damping: 0.01, fisher: 'mc' }, bound: 0.1 },
];

const create = ({ name, options }: Row): Optimizer => (optimizers[name].create as (o: object) => Optimizer)(options);

const CASES = ROWS.flatMap((row) =>
  bothDtypes.map((dtype) => ({
    ...row,
    dtype,
    title: `${row.name} ${JSON.stringify(row.options)}${row.batchNorm === true ? ' with batch-norm' : ''}`,
  })),
);

function trainingOf(
  row: (typeof CASES)[number],
  resume?: Uint8Array,
  task: RepresentationTask = smallTask({ dtype: row.dtype }),
): Training {
  return new Training({
    task,
    network: smallNetwork({ dtype: row.dtype, batchNorm: row.batchNorm ?? false }),
    optimizer: create(row),
    batch: 64,
    steps: 60,
    every: 1,
    metrics: { distance: subspaceDistance(task) },
    resume: resume === undefined ? undefined : decodeCheckpoint(resume),
  });
}

describe.each(CASES)('$title in $dtype', (row) => {
  it('decreases the loss and keeps parameters finite', () => {
    const training = trainingOf(row);
    while (training.advance(100));
    const { status, metrics } = training.record();
    expect(status).toBe('done');
    expect(metrics['loss'].values.at(-1)).toBeLessThan(row.bound * metrics['loss'].values[0]);
    for (const { value } of training.network.params) expect(value.data.every(Number.isFinite)).toBe(true);
  });

  it('goes on from a checkpoint bit for bit', () => {
    const whole = trainingOf(row);
    while (whole.advance(100));
    const first = trainingOf(row);
    first.advance(23);
    const second = trainingOf(row, encodeCheckpoint(first.checkpoint()));
    expect(second.step).toBe(23);
    while (second.advance(10));
    expect(second.record().metrics).toEqual(whole.record().metrics);
    second.network.params.forEach(({ value }, i) => expect(value.data).toEqual(whole.network.params[i].value.data));
  });
});

describe.each(CASES.filter((row) => row.decidedByRounding === undefined))('$title in $dtype', (row) => {
  it.each(['rademacher', 'gaussian'] as const)(
    'learns the same from factors of %s inputs as from the inputs multiplied out',
    (distribution) => {
      const task = smallTask({ dtype: row.dtype, distribution });
      expect(task.colouredBatch?.(64, 3)).toBeDefined();
      const plain = { ...task };
      delete plain.colouredBatch;
      const runs = [task, plain].map((t) => trainingOf(row, undefined, t));
      for (const run of runs) run.advance(12);
      runs[0].network.params.forEach(({ value, name }, i) => {
        const other = runs[1].network.params[i].value;
        const size = Math.max(...other.data.map(Math.abs));
        const apart = Math.max(...value.data.map((x, j) => Math.abs(x - other.data[j])));
        expect(apart, name).toBeLessThan((row.dtype === 'float64' ? 1e-9 : 2e-3) * size);
      });
    },
  );
});

it.each(CASES)('the state of $title in $dtype goes into one file and back', (row) => {
  const network = smallNetwork({ dtype: row.dtype, batchNorm: row.batchNorm ?? false });
  const optimizer = create(row);
  const [held, fresh] = [optimizer.init(network.params), optimizer.init(network.params)];
  const step = (t: number, state: object): Matrix[] => {
    evaluate(network, batchOf(smallTask({ dtype: row.dtype }), 32, t), optimizer.needs(t));
    return stepsOf(optimizer, network, state, t);
  };
  for (let t = 1; t <= 7; t++) step(t, held);
  restoreState(fresh, encodeState(held));
  for (let t = 8; t <= 13; t++) {
    const [a, b] = [step(t, held), step(t, fresh)];
    a.forEach((m, i) => expect(b[i].data).toEqual(m.data));
  }
  const other = smallNetwork({ hidden: 2, dtype: row.dtype, batchNorm: row.batchNorm ?? false });
  if (encodeState(held).length > encodeState(optimizer.init(other.params)).length)
    expect(() => restoreState(optimizer.init(other.params), encodeState(held))).toThrow(/does not fit/);
});

it('every optimiser of the table has a row', () => {
  expect(new Set(ROWS.map((r) => r.name))).toEqual(new Set(Object.keys(optimizers)));
});

it.each(Object.keys(optimizers) as (keyof typeof optimizers)[])(
  '%s throws OptionsError naming an unknown key and a negative rate',
  (name) => {
    const make = (options: object) => () => create({ name, options, bound: 1 });
    expect(make({ learningrate: 0.1 })).toThrow(new RegExp(`${name}: learningrate: unknown key`));
    expect(make({ learningRate: -1 })).toThrow(/learningRate: must be at least 0; got -1/);
    expect(make({ learningRate: -1 })).toThrow(OptionsError);
  },
);

it.each(Object.keys(optimizers) as (keyof typeof optimizers)[])(
  '%s throws OptionsError for a list of rates that is not one a layer',
  (name) => {
    expect(() => create({ name, options: { learningRate: [0.1, 0.2, 0.3] }, bound: 1 }).init(smallNetwork().params)).toThrow(
      /one a layer \(2 layers\); got 3/,
    );
  },
);

it.each(CASES)('the loop makes no matrix after its first steps: $title in $dtype', (row) => {
  const training = trainingOf(row);
  training.advance(5); // as many as the longest period, of Levenberg-Marquardt
  const made = matricesMadeBy(() => training.advance(20));
  expect(made).toBe(0);
});
