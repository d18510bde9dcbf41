/**
 * The steps of linear representation learning that scripts/bench measures, one definition for all contenders: sizes, task, network and
 * hyper-parameters, and the files through which the C++ and Python programs receive the same numbers.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Dtype,
  type Network,
  type Optimizer,
  Stream,
  Training,
  type TrainOptions,
  type RepresentationTask,
  adam,
  layerwise,
  linearRepresentation,
  sgd,
  subspaceDistance,
  twoLayer,
} from '../../lib/index.js';

export const METHODS = ['sgd', 'adam', 'layerwise'] as const;
export type Method = (typeof METHODS)[number];

export const SIZES = {
  small: { inputs: 100, outputs: 15, rank: 8, batch: 1024 },
  middle: { inputs: 500, outputs: 50, rank: 16, batch: 2048 },
  large: { inputs: 2000, outputs: 100, rank: 32, batch: 8192 },
} as const;
export type Size = keyof typeof SIZES;
export const SIZE_NAMES = Object.keys(SIZES) as Size[];

/** What is asked for: METHOD:SIZE:DTYPE. */
export interface Question {
  readonly method: Method;
  readonly size: Size;
  readonly dtype: Dtype;
}
export const written = ({ method, size, dtype }: Question): string => [method, size, dtype].join(':');
export function parseQuestion(text: string): Question {
  const [method, size, dtype] = text.split(':');
  return { method, size, dtype } as Question;
}

const RATE = { sgd: 0.1, adam: 1e-3, layerwise: 0.1 } as const;
const DAMPING = 1e-8;
const BATCH_SEED = 0;

const task = (size: Size, dtype: Dtype): RepresentationTask => {
  const { inputs, outputs, rank } = SIZES[size];
  return linearRepresentation({ inputs, outputs, rank, noise: 0.1, covariance: { family: 'log', condition: 100, basis: 'haar' }, dtype });
};
const network = ({ inputs, outputs, features, dtype }: RepresentationTask): Network =>
  twoLayer({ inputs, outputs, hidden: features.rows, dtype });

const OPTIMIZERS: Readonly<Record<Method, () => Optimizer>> = {
  sgd: () => sgd({ learningRate: RATE.sgd }),
  adam: () => adam({ learningRate: RATE.adam }),
  layerwise: () => layerwise({ learningRate: RATE.layerwise, damping: DAMPING, outputFactor: 'ggn' }),
};

/** A run of the benchmark's step; the subspace distance is taken every `every` steps. */
export const training = (question: Question, steps: number, every: number): Training =>
  new Training(trainingOptions(question, steps, every));

export function trainingOptions({ method, size, dtype }: Question, steps: number, every: number): TrainOptions {
  const t = task(size, dtype);
  return {
    task: t,
    network: network(t),
    optimizer: OPTIMIZERS[method](),
    order: method === 'layerwise' ? 'alternating' : 'simultaneous',
    metrics: { distance: subspaceDistance(t) },
    batch: SIZES[size].batch,
    seed: BATCH_SEED,
    steps,
    every,
  };
}

/** Writes a problem as float64 into FOLDER/SIZE.f64: n, d_X, d_Y, k, noise, rate, Adam's rate, damping, seed and stream id of the batches;
 *  then G0, F0, G*, F*, Sigma^(1/2), Sigma^(-1/2), Sigma^-1, each row-major. */
export function writeProblem(folder: string, size: Size): void {
  const t = task(size, 'float64');
  const [g, f] = network(t).params.map((p) => p.value);
  // The stream Training draws its batches from: step.cc then draws the same ones.
  const { seed, stream } = new Stream(BATCH_SEED).substream('batches').state;
  const header = Float64Array.of(
    ...[SIZES[size].batch, t.inputs, t.outputs, t.features.rows, t.noise, RATE.sgd, RATE.adam, DAMPING, seed, stream],
  );
  const { root, power } = t.covariance;
  const arrays = [header, ...[g, f, t.features, t.head, root, power(-1 / 2), power(-1)].map((m) => m.data)];
  writeFileSync(join(folder, `${size}.f64`), Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength))));
}
