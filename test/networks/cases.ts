/** The networks that laws are checked over, and what the checks are made of: plain losses, finite differences, dense blocks. */
import { expect } from 'vitest';
import { denseRows, Matrix, type Dtype, type Floats } from '../../lib/linalg/index.js';
import { losses, type LossName } from '../../lib/losses/index.js';
import { sequential, type SequentialOptions } from '../../lib/networks/index.js';
import { Stream } from '../../lib/random/index.js';
import type { Batch, Loss, Needs, Network } from '../../lib/types.js';
import { build, maxAbs, maxAbsDiff, random } from '../close.js';

// ---- Networks. ----

export type Layers = SequentialOptions['layers'];
type Spec = Layers[number];
export interface Case {
  readonly title: string;
  readonly inputs: SequentialOptions['inputs'];
  readonly layers: Layers;
}

export const dense = (outputs: number, bias = true): Spec => ({ kind: 'dense', outputs, bias });
type Activation = (Spec & { kind: 'activation' })['activation'];
export const activation = (name: Activation): Spec => ({ kind: 'activation', activation: name });
export const convolution = (channels: number, kernel: number, stride = 1, padding = 0, bias = true): Spec => ({
  kind: 'convolution',
  channels,
  kernel,
  stride,
  padding,
  bias,
});
export const layerNorm: Spec = { kind: 'layerNorm' };
export const batchNorm: Spec = { kind: 'batchNorm' };
export const flatten: Spec = { kind: 'flatten' };
export const pool = (kind: 'maxPool' | 'averagePool', size: number, stride?: number): Spec => ({ kind, size, stride });
const tanh = activation('tanh');

export const ACTIVATIONS: readonly Activation[] = [
  'identity',
  'relu',
  'leakyRelu',
  'tanh',
  'sigmoid',
  'gelu',
  { name: 'leakyRelu', slope: -0.4 },
  { name: 'polynomial', coefficients: [0.3, -0.7, 0.2, 0.1] },
  { name: 'hermite', coefficients: [0.2, 1, -0.5, 0.3] },
];

export const nameOf = (a: Activation): string => (typeof a === 'string' ? a : `${a.name} of given numbers`);

const IMAGE = { height: 5, width: 4, channels: 2 };

/** Of layers that keep the samples apart. */
export const PLAIN: readonly Case[] = [
  { title: 'a linear model', inputs: 4, layers: [dense(3)] },
  { title: 'a deep linear net without biases', inputs: 4, layers: [dense(3, false), dense(6, false), dense(2, false)] },
  { title: 'a deep linear net with biases', inputs: 3, layers: [dense(5), dense(2), dense(4)] },
  { title: 'widths of 1', inputs: 1, layers: [dense(1), tanh, dense(1)] },
  ...ACTIVATIONS.map((a) => ({ title: `4-5-3 with ${nameOf(a)}`, inputs: 4, layers: [dense(5), activation(a), dense(3)] })),
  { title: 'activations first, twice and last', inputs: 3, layers: [tanh, dense(4), activation('gelu'), tanh, dense(3), tanh] },
  { title: 'layer-norm before an activation', inputs: 4, layers: [dense(5), layerNorm, tanh, dense(3)] },
  { title: 'layer-norm first and last', inputs: 5, layers: [layerNorm, dense(3), tanh, dense(4), layerNorm] },
  {
    title: 'convolution, max-pooling',
    inputs: IMAGE,
    layers: [convolution(3, 3, 1, 1), tanh, pool('maxPool', 2), flatten, dense(2)],
  },
  {
    title: 'strided convolution without bias',
    inputs: IMAGE,
    layers: [convolution(3, 2, 2, 0, false), activation('relu'), flatten, dense(3)],
  },
  {
    title: 'strided, padded convolution, layer-norm, average pooling',
    inputs: IMAGE,
    layers: [convolution(2, 3, 2, 1), layerNorm, activation('gelu'), pool('averagePool', 2, 1), flatten, dense(3, false)],
  },
  { title: 'convolutions to the end', inputs: IMAGE, layers: [convolution(2, 3, 1, 1), tanh, convolution(2, 3, 2)] },
  { title: 'convolution and an activation last', inputs: IMAGE, layers: [convolution(2, 3), tanh] },
  { title: 'linear convolutions', inputs: IMAGE, layers: [convolution(3, 2, 1, 0, false), convolution(2, 3, 1, 1), flatten, dense(2)] },
  { title: 'pooling first', inputs: IMAGE, layers: [pool('averagePool', 2), pool('maxPool', 2, 1), flatten, dense(3)] },
  {
    title: 'convolutions down to one pixel and past it',
    inputs: { height: 3, width: 3, channels: 1 },
    layers: [convolution(4, 3, 1, 0, false), convolution(2, 3, 1, 1, false), dense(2, false)],
  },
];

export const MIXING: readonly Case[] = [
  { title: 'batch-norm before an activation', inputs: 4, layers: [dense(5, false), batchNorm, tanh, dense(3)] },
  { title: 'batch-norm in a linear net', inputs: 4, layers: [dense(5), batchNorm, dense(3), batchNorm, dense(2)] },
  { title: 'batch-norm first and last', inputs: 4, layers: [batchNorm, dense(3), tanh, dense(3), batchNorm] },
  { title: 'batch-norm after an activation', inputs: 4, layers: [dense(5), tanh, batchNorm, dense(4), tanh, dense(2)] },
  {
    title: 'batch-norm of images',
    inputs: IMAGE,
    layers: [convolution(3, 3, 1, 1, false), batchNorm, tanh, convolution(2, 2), batchNorm, flatten, dense(2)],
  },
];

export const CASES: readonly Case[] = [...PLAIN, ...MIXING];

/** A network whose biases, scales and shifts are away from where they start. */
export function networkOf({ inputs, layers }: Pick<Case, 'inputs' | 'layers'>, dtype: Dtype = 'float64'): Network {
  const network = sequential({ inputs, layers, dtype, seed: 7 });
  const stream = new Stream(8).substream('test-vectors');
  for (const { role, value } of network.params) {
    const by = stream.normal(Matrix.zeros(value.rows, value.cols), 0.3);
    if (role !== 'weight') value.data.forEach((at, i) => (value.data[i] = at + by.data[i]));
  }
  return network;
}

type InputShape = SequentialOptions['inputs'];

/** Of each layer, the shape of its outputs and the indices of its parameters. */
export function shapesOf(inputs: InputShape, layers: Layers): { shape: InputShape; parameters: number[] }[] {
  let [shape, next] = [inputs, 0];
  return layers.map((spec) => {
    const { height, width, channels = 1 } = typeof shape === 'number' ? { height: 1, width: 1, channels: shape } : shape;
    const slide = (kernel: number, stride: number, padding: number, to: number): InputShape => {
      const steps = (length: number): number => Math.floor((length + 2 * padding - kernel) / stride) + 1;
      return { height: steps(height), width: steps(width), channels: to };
    };
    let count = 0;
    switch (spec.kind) {
      case 'dense':
        [shape, count] = [spec.outputs, spec.bias === false ? 1 : 2];
        break;
      case 'convolution':
        shape = slide(spec.kernel!, spec.stride!, spec.padding!, spec.channels);
        count = spec.bias === false ? 1 : 2;
        break;
      case 'layerNorm':
      case 'batchNorm':
        count = 2;
        break;
      case 'maxPool':
      case 'averagePool':
        shape = slide(spec.size!, spec.stride ?? spec.size!, 0, channels);
        break;
      case 'flatten':
        shape = height * width * channels;
        break;
    }
    const parameters = Array.from({ length: count }, () => next++);
    return { shape, parameters };
  });
}

export const every = (network: Network): number[] => network.params.map((_, i) => i);

// ---- Losses, from their definitions in plain loops. ----

interface PlainLoss {
  readonly loss: Loss;
  targets(n: number, outputs: number): Matrix;
  /** Of one sample. */
  value(f: Floats, y: Floats): number;
  gradient(f: Floats, y: Floats): number[];
  hessian(f: Floats): Matrix;
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const probabilities = (f: Floats): number[] => {
  const e = Array.from(f, Math.exp);
  return e.map((x) => x / sum(e));
};
const e = (i: number, j: number): number => (i === j ? 1 : 0);

export const PLAIN_LOSSES: Readonly<Record<LossName, PlainLoss>> = {
  squared: {
    loss: losses.squared,
    targets: (n, c) => random(n, c, 'float64', 11),
    value: (f, y) => sum(f.map((x, j) => (x - y[j]) ** 2)) / 2,
    gradient: (f, y) => Array.from(f, (x, j) => x - y[j]),
    hessian: (f) => Matrix.identity(f.length),
  },
  'softmax-cross-entropy': {
    loss: losses['softmax-cross-entropy'],
    targets: (n, c) => build(n, 1, (i) => (2 * i + 1) % c),
    value: (f, y) => Math.log(sum(f.map(Math.exp))) - f[y[0]],
    gradient: (f, y) => probabilities(f).map((p, j) => p - e(j, y[0])),
    hessian: (f) => {
      const p = probabilities(f);
      return build(p.length, p.length, (i, j) => e(i, j) * p[i] - p[i] * p[j]);
    },
  },
  logistic: {
    loss: losses.logistic,
    targets: (n, c) => build(n, c, (i, j) => [0, 1, 0.3, 1, 0][(3 * i + j) % 5]),
    value: (f, y) => sum(f.map((x, j) => Math.log(1 + Math.exp(x)) - y[j] * x)),
    gradient: (f, y) => Array.from(f, (x, j) => sigmoid(x) - y[j]),
    hessian: (f) => build(f.length, f.length, (i, j) => e(i, j) * sigmoid(f[i]) * sigmoid(-f[i])),
  },
};
export const LOSS_NAMES = Object.keys(PLAIN_LOSSES) as LossName[];

export const rowOf = (m: Matrix, i: number): Floats => m.data.subarray(i * m.cols, (i + 1) * m.cols);

/** Mean of a plain loss over the rows. */
export const meanLoss = (name: LossName, outputs: Matrix, targets: Matrix): number =>
  sum(Array.from({ length: outputs.rows }, (_, i) => PLAIN_LOSSES[name].value(rowOf(outputs, i), rowOf(targets, i)))) / outputs.rows;

export const batchFor = (network: Network, name: LossName, n: number): Batch => ({
  inputs: random(n, network.inputs, 'float64', 12),
  targets: PLAIN_LOSSES[name].targets(n, network.outputs),
});

// ---- Passes. ----

export const labels = (): Stream => new Stream(5).substream('test-labels');

export const NEEDS: Needs = { inputs: true, outputFactor: 'none', outputRows: false, dense: 'none' };

/** Forward and backward passes, and the report asked for. */
export function pass(
  network: Network,
  loss: Loss,
  { inputs, targets }: Batch,
  needs: Partial<Needs> = {},
  parameters: readonly number[] = every(network),
  stream = labels(),
): number {
  const outputs = network.forward(inputs, false);
  const gradient = outputs.clone();
  const value = loss.evaluate(outputs, targets, gradient);
  network.backward(gradient, parameters);
  network.report({ needs: { ...NEEDS, ...needs }, loss, stream }, parameters);
  return value;
}

/** The output factor of parameter i; the identity where the report says null. */
export const factorOf = (network: Network, i: number): Matrix =>
  network.stats[i]!.outputFactor ?? Matrix.identity(network.params[i].value.rows);

export const weightsOf = (network: Network): number[] => every(network).filter((i) => network.params[i].role === 'weight');

// ---- Finite differences, to fourth order: errors of about 1e-12 for derivatives of order 1. ----

/** d f / d data[i]; f returns the same memory or new. */
export function derivative(data: Floats, i: number, f: () => ArrayLike<number>, h = 1e-4): Float64Array {
  const at = data[i];
  const [up, down, up2, down2] = [h, -h, 2 * h, -2 * h].map((step) => {
    data[i] = at + step;
    return Float64Array.from(f());
  });
  data[i] = at;
  return up.map((_, k) => (8 * (up[k] - down[k]) - (up2[k] - down2[k])) / (12 * h));
}

/** d outputs / d parameters of training mode, (n c) x p. */
export function jacobianByDifferences(network: Network, inputs: Matrix): Matrix {
  const columns = network.params.flatMap(({ value: { data } }) =>
    Array.from(data, (_, i) => derivative(data, i, () => network.forward(inputs, false).data)),
  );
  return build(columns[0].length, columns.length, (row, p) => columns[p][row]);
}

/** mean_i J_i' M_i J_i, J (n c) x q. */
export function sandwich(j: Matrix, middles: readonly Matrix[], scale = 1 / middles.length): Matrix {
  const out = Matrix.zeros(j.cols, j.cols);
  middles.forEach((m, i) => {
    const c = m.rows;
    for (let k = 0; k < c; k++)
      for (let l = 0; l < c; l++) {
        const [left, right, weight] = [rowOf(j, i * c + k), rowOf(j, i * c + l), scale * m.get(k, l)];
        if (weight === 0) continue;
        for (let p = 0; p < j.cols; p++) for (let q = 0; q < j.cols; q++) out.data[p * j.cols + q] += weight * left[p] * right[q];
      }
  });
  return out;
}

// ---- Dense matrices. ----

export const kronecker = (left: Matrix, right: Matrix): Matrix =>
  build(left.rows * right.rows, left.cols * right.cols, (i, j) => {
    const [r, c] = [right.rows, right.cols];
    return left.get(Math.floor(i / r), Math.floor(j / c)) * right.get(i % r, j % c);
  });

/** Where parameter i starts among all entries. */
export const startOf = (network: Network, i: number): number => sum(network.params.slice(0, i).map(({ value }) => value.data.length));

/** Rows and columns of m in the order given. */
export const selected = (m: Matrix, which: readonly number[]): Matrix =>
  build(which.length, which.length, (i, j) => m.get(which[i], which[j]));

/** Entries of a weight among all, with those of the bias that follows it as an additional column of the weight. */
export function entriesOfLayer(network: Network, i: number): number[] {
  const { rows, cols } = network.params[i].value;
  const start = startOf(network, i);
  const biased = network.params[i + 1]?.role === 'bias';
  return Array.from({ length: rows }, (_, r) => [
    ...Array.from({ length: cols }, (_, c) => start + r * cols + c),
    ...(biased ? [start + rows * cols + r] : []),
  ]).flat();
}

/** A layer's inputs, with a 1 appended where it has a bias. */
export function inputsOf(network: Network, i: number): Matrix {
  const inputs = denseRows(network.stats[i]!.inputs);
  return network.params[i + 1]?.role !== 'bias'
    ? inputs.clone()
    : build(inputs.rows, inputs.cols + 1, (r, c) => (c < inputs.cols ? inputs.get(r, c) : 1));
}

/** X'X / n. */
export const secondMoment = (x: Matrix, n = x.rows): Matrix =>
  build(x.cols, x.cols, (i, j) => sum(Array.from({ length: x.rows }, (_, r) => x.get(r, i) * x.get(r, j))) / n);

// ---- Comparisons. ----

/** Asserts that the largest difference is at most `tolerance` of the largest entry expected, or 1e-11 where all are tiny. */
export function expectNear(actual: Matrix | ArrayLike<number>, expected: Matrix | ArrayLike<number>, tolerance: number): void {
  if (actual instanceof Matrix && expected instanceof Matrix)
    expect([actual.rows, actual.cols], 'shape').toEqual([expected.rows, expected.cols]);
  expect(maxAbsDiff(actual, expected), 'largest difference').toBeLessThanOrEqual(Math.max(tolerance * maxAbs(expected), 1e-11));
}

/** Asserts that the mean of draws is what is expected, within 5 standard errors each of at most `most` of the largest entry. */
export function expectMean(draws: readonly ArrayLike<number>[], expected: ArrayLike<number>, most: number): void {
  const r = draws.length;
  const largest = maxAbs(expected);
  for (let i = 0; i < expected.length; i++) {
    let [mean, square] = [0, 0];
    for (const draw of draws) {
      mean += draw[i] / r;
      square += draw[i] ** 2 / r;
    }
    const error = Math.sqrt(Math.max(0, square - mean ** 2) / r);
    expect(error, `standard error of entry ${i}`).toBeLessThan(most * largest);
    expect(Math.abs(mean - expected[i]), `error of entry ${i}`).toBeLessThan(5 * error + 1e-9 * largest);
  }
}
