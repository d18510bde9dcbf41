/**
 * The steps that scripts/bench/optimizers.ts measures, one definition for all contenders: network, loss, batches, methods with their
 * hyper-parameters, and the files through which the Python programs receive the same numbers.
 */
import { writeFileSync } from 'node:fs';
import {
  type Batch,
  type Dtype,
  type Loss,
  Matrix,
  type Network,
  type Optimizer,
  Stream,
  adamw,
  ekfac,
  foof,
  kfac,
  linearRepresentation,
  multilayerPerceptron,
  muon,
  sgd,
  shampoo,
  soap,
  softmaxCrossEntropy,
  squared,
  twoLayer,
} from '../../lib/index.js';

const FACTORIES = { sgd, adamw, kfac, ekfac, foof, shampoo, soap, muon };

interface Method {
  readonly name: keyof typeof FACTORIES;
  /** Every number that the Python programs need: they have no defaults. */
  readonly options: Readonly<Record<string, unknown>>;
}

const kronecker = { learningRate: 0.002, damping: 0.1, factorDecay: 0.95, momentum: 0.9 };
const sampledKfac = { ...kronecker, outputFactor: 'mc', dampingKind: 'factored' };

/** Periods are in steps. */
const METHODS = {
  sgd: { name: 'sgd', options: { learningRate: 0.02, momentum: 0.9 } },
  adamw: { name: 'adamw', options: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 } },
  'kfac/5': { name: 'kfac', options: { ...sampledKfac, inversePeriod: 5 } },
  'kfac/1': { name: 'kfac', options: { ...sampledKfac, inversePeriod: 1 } },
  'ekfac/20': { name: 'ekfac', options: { ...kronecker, outputFactor: 'mc', inversePeriod: 20 } },
  'foof/5': { name: 'foof', options: { ...kronecker, learningRate: 0.02, inversePeriod: 5 } },
  'shampoo/20': {
    name: 'shampoo',
    options: { learningRate: 0.002, beta1: 0.9, beta2: 1, epsilon: 1e-4, rootPeriod: 20, roots: 'eigen', rootPrecision: 'same' },
  },
  'soap/10': {
    name: 'soap',
    options: { learningRate: 0.003, beta1: 0.95, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, period: 10 },
  },
  muon: {
    name: 'muon',
    options: {
      learningRate: 0.02,
      momentum: 0.95,
      steps: 5,
      vectors: { learningRate: 3e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-10, weightDecay: 0 },
    },
  },
} as const satisfies Record<string, Method>;

export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[];

/** classifier: a ReLU network with biases under softmax cross-entropy. linear: linear representation learning, two layers without biases
 *  under squared loss. */
export type Model = 'classifier' | 'linear';

interface Shape {
  readonly model: Model;
  /** From the inputs to the outputs. */
  readonly widths: readonly number[];
  readonly batch: number;
  readonly batches: number;
}
/** What is timed. */
export const BENCHES = {
  classifier: { model: 'classifier', widths: [784, 256, 128, 10], batch: 256, batches: 8 },
  small: { model: 'linear', widths: [100, 8, 15], batch: 1024, batches: 8 },
  middle: { model: 'linear', widths: [500, 16, 50], batch: 2048, batches: 4 },
  large: { model: 'linear', widths: [2000, 32, 100], batch: 8192, batches: 1 },
} as const satisfies Record<string, Shape>;
export type Bench = keyof typeof BENCHES;
/** What is compared before: small, and such that every method has one outcome, whatever the library. No factor has a null space of two or
 *  more dimensions, in which eigenvectors are arbitrary and EKFAC and SOAP depend on them. */
const CHECKS: Readonly<Record<Model, Shape>> = {
  classifier: { model: 'classifier', widths: [24, 24, 24, 24], batch: 96, batches: 4 },
  linear: { model: 'linear', widths: [24, 24, 24], batch: 96, batches: 4 },
};
/** Then no period is longer than `longest`, so that every basis is renewed twice. */
export const CHECK = { steps: 8, longest: 3 } as const;
/** Of a bench, or of its check. */
export type Purpose = Bench | `${Model} check`;

const LABELS_SEED = 1;

export interface Problem extends Shape {
  readonly dtype: Dtype;
  readonly data: readonly Batch[];
  readonly network: Network;
  readonly loss: Loss;
  /** Of each method, as this problem runs it. */
  readonly methods: Readonly<Record<MethodName, Method>>;
  /** What decides the labels drawn from the model, of all steps: a uniform number a row for classes, normal noise n x m under squared loss.
   *  None where contenders draw their own. */
  readonly draws: Float64Array;
}

export function problemOf(purpose: Purpose, dtype: Dtype): Problem {
  const checks = purpose === 'classifier check' || purpose === 'linear check';
  const shape: Shape = checks ? CHECKS[purpose === 'linear check' ? 'linear' : 'classifier'] : BENCHES[purpose];
  const { model, widths, batch, batches } = shape;
  const [inputs, outputs] = [widths[0], widths.at(-1)!];
  const linear = model === 'linear';
  const task = linearRepresentation({
    inputs,
    outputs,
    rank: linear ? widths[1] : outputs,
    covariance: { family: 'log', condition: linear ? 100 : 1000, basis: 'haar' },
    ...(linear ? { noise: 0.1 } : {}),
    dtype,
  });
  const stream = new Stream(0).substream('batches');
  const longest = checks ? CHECK.longest : Infinity;
  const steps = checks ? CHECK.steps : 0;
  return {
    ...shape,
    dtype,
    network: linear
      ? twoLayer({ inputs, outputs, hidden: widths[1], dtype })
      : multilayerPerceptron({ inputs, hidden: widths.slice(1, -1), outputs, activation: 'relu', dtype }),
    loss: linear ? squared : softmaxCrossEntropy,
    data: Array.from({ length: batches }, () => {
      const drawn = { inputs: Matrix.zeros(batch, inputs, dtype), targets: Matrix.zeros(batch, outputs, dtype) };
      task.sample(stream, drawn);
      return { inputs: drawn.inputs, targets: linear ? drawn.targets : largest(drawn.targets) };
    }),
    methods: Object.fromEntries(Object.entries(METHODS).map(([key, method]) => [key, shortened(method, longest)])) as Problem['methods'],
    draws: linear ? normals(steps, batch, outputs, dtype) : labelsStream().uniform(new Float64Array(steps * batch)),
  };
}

/** As a step after another draws them. */
function normals(steps: number, batch: number, outputs: number, dtype: Dtype): Float64Array {
  const stream = labelsStream();
  const blocks = Array.from({ length: steps }, () => stream.normal(Matrix.zeros(batch, outputs, dtype)).data);
  return Float64Array.from(blocks.flatMap((block) => [...block]));
}

/** Steps of a block, so that every method's period is in it as often as in training. */
export function stepsOf(method: MethodName, least: number): number {
  const periods = Object.entries(METHODS[method].options).flatMap(([option, value]) => (/period$/i.test(option) ? [Number(value)] : []));
  return Math.max(least, ...periods);
}

/** The method with no period longer than `longest`. */
function shortened({ name, options }: Method, longest: number): Method {
  const entries = Object.entries(options).map(([option, value]): [string, unknown] => {
    return [option, /period$/i.test(option) ? Math.min(Number(value), longest) : value];
  });
  return { name, options: Object.fromEntries(entries) };
}

/** Of the labels drawn from the model; what `draws` holds are its first numbers. */
export const labelsStream = (): Stream => new Stream(LABELS_SEED);

export function optimizerOf({ name, options }: Method): Optimizer {
  return (FACTORIES[name] as (o: object) => Optimizer)(options);
}

/** Column of the largest entry of each row, n x 1: the class. */
function largest(scores: Matrix): Matrix {
  return Matrix.from(
    scores.toRows().map((row) => [row.indexOf(Math.max(...row))]),
    scores.dtype,
  );
}

/** Writes `path`, JSON, and `path`.f64: the parameters in order, the inputs and the targets of all batches, and the draws. */
export function writeProblem(path: string, { model, dtype, widths, batch, batches, data, network, methods, draws }: Problem): void {
  writeFileSync(path, JSON.stringify({ model, dtype, widths, batch, batches, draws: draws.length, methods }));
  const matrices = [
    ...network.params.map(({ value }) => value),
    ...data.map(({ inputs }) => inputs),
    ...data.map(({ targets }) => targets),
  ];
  const arrays = [...matrices.map(({ data }) => Float64Array.from(data)), draws];
  writeFileSync(`${path}.f64`, Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength))));
}
