/** Kronecker-factored methods the slow way: layer inputs by plain loops, output factors from Jacobians, Kronecker products formed and solved
 *  by LU. A layer's gradient, step and curvature block are m x n (mn x mn), row by row, the bias as last column where joint. */
import { Matrix, solve, symmetricEigen } from '../../lib/linalg/index.js';
import { losses, type LossName } from '../../lib/losses/index.js';
import { multilayerPerceptron } from '../../lib/networks/index.js';
import { Stream } from '../../lib/random/index.js';
import type { Batch, Loss, Network } from '../../lib/types.js';
import { build, multiply, random, scaleColumns, sumOver, transposed } from '../close.js';

// ---- Networks and batches. ----

const ACTIVATIONS = {
  identity: (x: number) => x,
  relu: (x: number) => Math.max(0, x),
  tanh: Math.tanh,
} as const;
export type ActivationOf = keyof typeof ACTIVATIONS;

export interface SceneOptions {
  /** Widths from the inputs to the outputs. */
  readonly widths?: readonly number[];
  readonly activation?: ActivationOf;
  readonly loss?: LossName;
  readonly samples?: number;
  readonly bias?: boolean;
  readonly seed?: number;
}

export interface Scene {
  readonly network: Network;
  readonly loss: Loss;
  readonly batch: Batch;
  readonly activation: ActivationOf;
}

/** Tall, wide and square weights. */
export const WIDTHS = [4, 6, 3, 3, 5] as const;

/** A fully connected network with biases other than 0, a loss and a batch. */
export function sceneOf(options: SceneOptions = {}): Scene {
  const { widths = WIDTHS, activation = 'tanh', loss = 'squared', samples = 30, bias = true, seed = 1 } = options;
  const [inputs, ...rest] = widths;
  const outputs = rest.pop()!;
  const network = multilayerPerceptron({ inputs, hidden: rest, outputs, activation, bias, init: 'lecun', seed });
  network.params.forEach(({ value, role }, i) => {
    if (role === 'bias') value.data.set(random(1, value.cols, 'float64', 50 * seed + i).data.map((x) => 0.3 * x));
  });
  return { network, loss: losses[loss], batch: batchFor(network, loss, samples, seed), activation };
}

export function batchFor({ inputs, outputs }: Network, loss: LossName, samples: number, seed: number): Batch {
  const stream = new Stream(seed).substream('batch');
  const x = stream.normal(Matrix.zeros(samples, inputs));
  for (let i = 0; i < x.data.length; i++) x.data[i] = x.data[i] * (1 + (i % inputs)) + 0.2; // columns of unlike size, and a mean
  if (loss === 'squared') return { inputs: x, targets: stream.normal(Matrix.zeros(samples, outputs)) };
  if (loss === 'logistic') return { inputs: x, targets: build(samples, outputs, (i, j) => ((i * 7 + j * 5 + seed) % 3 === 0 ? 1 : 0)) };
  return { inputs: x, targets: build(samples, 1, (i) => (i * 7 + seed) % outputs) };
}

export const weightsOf = ({ params }: Network): number[] => params.flatMap(({ role }, i) => (role === 'weight' ? [i] : []));
/** Index of the bias of a weight's layer; -1 where there is none. */
export const biasOf = ({ params }: Network, weight: number): number =>
  params.findIndex(({ role, layer }) => role === 'bias' && layer === params[weight].layer);

/** What each weight layer of a fully connected network is given, by plain loops. @returns n x width each */
export function layerInputs({ network, activation }: Scene, inputs: Matrix): Matrix[] {
  let x = inputs;
  return weightsOf(network).map((w) => {
    const given = x;
    const weight = network.params[w].value;
    const bias = biasOf(network, w);
    x = build(given.rows, weight.rows, (i, r) => {
      let z = bias < 0 ? 0 : network.params[bias].value.data[r];
      for (let c = 0; c < weight.cols; c++) z += weight.get(r, c) * given.get(i, c);
      return ACTIVATIONS[activation](z);
    });
    return given;
  });
}

export const withOnes = (x: Matrix): Matrix => build(x.rows, x.cols + 1, (i, j) => (j < x.cols ? x.get(i, j) : 1));

/** scale sum_i r_i r_i' over the rows; their mean by default. */
export const gramOf = (rows: Matrix, scale = 1 / rows.rows): Matrix => {
  const sum = multiply(transposed(rows), rows);
  return build(sum.rows, sum.cols, (i, j) => scale * sum.get(i, j));
};

/** A of every weight layer. */
export const inputFactors = (scene: Scene, inputs: Matrix, joint: boolean): Matrix[] =>
  layerInputs(scene, inputs).map((x) => gramOf(joint ? withOnes(x) : x));

// ---- Lists of matrices, one a parameter, as one matrix a weight. ----

/** The weight's matrix of a list, with the bias's as last column. */
export function jointOf(network: Network, list: readonly Matrix[], weight: number, joint = true): Matrix {
  const bias = joint ? biasOf(network, weight) : -1;
  const w = list[weight];
  return bias < 0 ? w.clone() : build(w.rows, w.cols + 1, (i, j) => (j < w.cols ? w.get(i, j) : list[bias].data[i]));
}

/** Where the entries of the weight (and its bias) are among all parameters. */
function placesOf({ params }: Network, weight: number, bias: number): number[] {
  const start = (i: number): number => params.slice(0, i).reduce((sum, { value }) => sum + value.data.length, 0);
  const { rows, cols } = params[weight].value;
  const places: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) places.push(start(weight) + r * cols + c);
    if (bias >= 0) places.push(start(bias) + r);
  }
  return places;
}

/** The block of a weight (with its bias) in a curvature matrix of all parameters. */
export function blockOf(dense: Matrix, network: Network, weight: number, joint = true): Matrix {
  const places = placesOf(network, weight, joint ? biasOf(network, weight) : -1);
  return build(places.length, places.length, (i, j) => dense.get(places[i], places[j]));
}

/** B of a weight layer with a bias: a bias shifts the layer's outputs, so B is the block of the bias. */
export function outputFactor(dense: Matrix, network: Network, weight: number): Matrix {
  const { rows } = network.params[weight].value;
  const start = network.params.slice(0, biasOf(network, weight)).reduce((sum, { value }) => sum + value.data.length, 0);
  return build(rows, rows, (i, j) => dense.get(start + i, start + j));
}

// ---- Dense algebra. ----

/** B (x) A: what V -> B V A is to V row by row. */
export function kron(b: Matrix, a: Matrix): Matrix {
  const n = a.rows;
  return build(b.rows * n, b.rows * n, (i, j) => b.get(Math.floor(i / n), Math.floor(j / n)) * a.get(i % n, j % n));
}

export const plusDiagonal = (a: Matrix, value: number): Matrix => build(a.rows, a.cols, (i, j) => a.get(i, j) + (i === j ? value : 0));

/** K^-1 v for the entries of v row by row, by LU. */
export function solveFor(k: Matrix, v: Matrix): Matrix {
  return Matrix.wrap(solve(k, Matrix.wrap(v.data.slice(), v.data.length, 1)).data, v.rows, v.cols);
}

/** a^e of a positive definite matrix. */
export function power(a: Matrix, e: number): Matrix {
  if (e === 0) return Matrix.identity(a.rows);
  if (e === 1) return a;
  const { values, vectors } = symmetricEigen(a);
  return multiply(
    scaleColumns(
      vectors,
      Array.from(values, (l) => l ** e),
    ),
    transposed(vectors),
  );
}

export const times = (factor: number, m: Matrix): Matrix => build(m.rows, m.cols, (i, j) => factor * m.get(i, j));

export function frobenius(m: Matrix): number {
  return Math.sqrt(sumOver(m.data, (x) => x * x));
}

export const inner = (a: Matrix, b: Matrix): number => sumOver(a.data, (x, i) => x * b.data[i]);

export type Kind = 'exact' | 'factored' | 'plain' | 'separate';
export const KINDS: readonly Kind[] = ['exact', 'factored', 'plain', 'separate'];

export interface Damped {
  readonly kind: Kind;
  readonly damping: number;
  readonly outputDamping?: number;
  readonly alpha?: number;
  readonly beta?: number;
}

const meanEigenvalue = (a: Matrix): number => {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) sum += a.get(i, i);
  return sum / a.rows;
};

/** U of a weight from its factors. @param b  B; null for an identity that the method knows of, which `separate` leaves out */
export function preconditioned(
  { kind, damping, outputDamping = damping, alpha = 1, beta = 1 }: Damped,
  b: Matrix | null,
  a: Matrix,
  v: Matrix,
): Matrix {
  const left = b ?? Matrix.identity(v.rows);
  if (kind === 'exact') return solveFor(plusDiagonal(kron(left, a), damping), v);
  const pi = kind === 'factored' ? Math.sqrt(meanEigenvalue(a) / meanEigenvalue(left)) : 1;
  const [lA, lB] = kind === 'separate' ? [damping, b === null ? 0 : outputDamping] : [Math.sqrt(damping) * pi, Math.sqrt(damping) / pi];
  return solveFor(kron(power(plusDiagonal(left, lB), alpha), power(plusDiagonal(a, lA), beta)), v);
}
