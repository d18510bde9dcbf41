/**
 * The steps that scripts/bench/optimizers.ts measures, one definition for all contenders: network, batches, methods with their
 * hyper-parameters, and the files through which the Python programs receive the same numbers.
 */
import { writeFileSync } from 'node:fs';
import {
  type Batch,
  type Dtype,
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

/** bench: what is timed. check: small, and such that every method has one outcome, whatever the library: no factor has a null space of
 *  two or more dimensions, in which eigenvectors are arbitrary and EKFAC and SOAP depend on them; and no period is longer than `longest`,
 *  so that every basis is renewed twice. */
const PURPOSES = {
  bench: { widths: [784, 256, 128, 10], batch: 256, batches: 8, longest: Infinity, draws: 0 },
  check: { widths: [24, 24, 24, 24], batch: 96, batches: 4, longest: 3, draws: 8 },
} as const;
export type Purpose = keyof typeof PURPOSES;

/** Steps of the check: as many as there are draws of the model's labels. */
export const CHECK_STEPS = PURPOSES.check.draws;

const LABELS_SEED = 1;

export interface Problem {
  readonly dtype: Dtype;
  /** From the inputs to the outputs. */
  readonly widths: readonly number[];
  readonly batches: readonly Batch[];
  readonly network: Network;
  /** Of each method, as this problem runs it. */
  readonly methods: Readonly<Record<MethodName, Method>>;
  /** Uniform numbers that decide the labels drawn from the model, of all steps; none where contenders draw their own. */
  readonly draws: Float64Array;
}

export function problemOf(purpose: Purpose, dtype: Dtype): Problem {
  const { widths, batch, batches, longest, draws } = PURPOSES[purpose];
  const [inputs, outputs] = [widths[0], widths.at(-1)!];
  const task = linearRepresentation({
    inputs,
    outputs,
    rank: outputs,
    covariance: { family: 'log', condition: 1000, basis: 'haar' },
    dtype,
  });
  const stream = new Stream(0).substream('batches');
  return {
    dtype,
    widths,
    network: multilayerPerceptron({ inputs, hidden: widths.slice(1, -1), outputs, activation: 'relu', dtype }),
    batches: Array.from({ length: batches }, () => {
      const drawn = { inputs: Matrix.zeros(batch, inputs, dtype), targets: Matrix.zeros(batch, outputs, dtype) };
      task.sample(stream, drawn);
      return { inputs: drawn.inputs, targets: largest(drawn.targets) };
    }),
    methods: Object.fromEntries(Object.entries(METHODS).map(([key, method]) => [key, shortened(method, longest)])) as Problem['methods'],
    draws: labelsStream().uniform(new Float64Array(draws * batch)),
  };
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

/** Writes `path`, JSON, and `path`.f64: the parameters in order, the inputs and the labels of all batches, and the draws. */
export function writeProblem(path: string, { dtype, widths, batches, network, methods, draws }: Problem): void {
  const batch = batches[0].inputs.rows;
  writeFileSync(path, JSON.stringify({ dtype, widths, batch, batches: batches.length, draws: draws.length, methods }));
  const matrices = [
    ...network.params.map(({ value }) => value),
    ...batches.map(({ inputs }) => inputs),
    ...batches.map(({ targets }) => targets),
  ];
  const arrays = [...matrices.map(({ data }) => Float64Array.from(data)), draws];
  writeFileSync(`${path}.f64`, Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength))));
}
