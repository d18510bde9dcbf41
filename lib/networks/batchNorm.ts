/**
 * Batch normalisation of a hidden layer (Ioffe & Szegedy 2015), with PyTorch's conventions: epsilon 1e-5; running statistics moved by
 * 0.1 a batch, the variance unbiased; gamma starts at 1 and beta at 0.
 */
import { Matrix, affineRows, batchNormBackward, batchNormForward, copy, type Dtype } from '../linalg/index.js';

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

export class BatchNorm {
  /** 1 x h views of one 2 x h buffer, as the native passes read it. */
  readonly gamma: Matrix;
  readonly beta: Matrix;
  readonly gammaGradient: Matrix;
  readonly betaGradient: Matrix;
  /** 2 x h: running mean and unbiased variance. */
  readonly running: Matrix;
  /** n x h: outputs of the last forward pass. */
  outputs: Matrix;

  readonly #affine: Matrix; // 2 x h: gamma, beta
  readonly #gradients: Matrix; // 2 x h
  readonly #moments: Matrix; // 2 x h: batch mean and biased variance
  readonly #scales: Matrix; // 2 x h: gamma and batch variance
  readonly #evaluation: Matrix; // 2 x h
  #normalised: Matrix; // n x h

  constructor(h: number, dtype: Dtype) {
    const pair = (): Matrix => Matrix.zeros(2, h, dtype);
    const view = (m: Matrix, row: number): Matrix => Matrix.wrap(m.data.subarray(row * h, (row + 1) * h), 1, h);
    this.#affine = pair();
    this.#affine.data.fill(1, 0, h);
    this.#gradients = pair();
    this.#moments = pair();
    this.#scales = pair();
    this.#evaluation = pair();
    this.running = pair();
    this.running.data.fill(1, h);
    this.gamma = view(this.#affine, 0);
    this.beta = view(this.#affine, 1);
    this.gammaGradient = view(this.#gradients, 0);
    this.betaGradient = view(this.#gradients, 1);
    this.outputs = this.#normalised = Matrix.zeros(0, h, dtype);
  }

  /** Normalises h by its own batch, and moves the running statistics when the batch is fresh. @returns n x h, a held buffer */
  forward(h: Matrix, fresh: boolean): Matrix {
    if (this.outputs.rows !== h.rows) {
      this.outputs = Matrix.zeros(h.rows, h.cols, h.dtype);
      this.#normalised = Matrix.zeros(h.rows, h.cols, h.dtype);
    }
    batchNormForward(h, EPSILON, this.#moments, this.#normalised);
    if (!fresh) return affineRows(this.#normalised, this.#affine, this.outputs);
    const unbiased = h.rows > 1 ? h.rows / (h.rows - 1) : 1;
    for (let j = 0; j < h.cols; j++) {
      this.#blendRunning(j, this.#moments.data[j]);
      this.#blendRunning(h.cols + j, this.#moments.data[h.cols + j] * unbiased);
    }
    return affineRows(this.#normalised, this.#affine, this.outputs);
  }

  /** Turns the gradient of the outputs into that of the inputs, in place, and writes those of gamma and beta. */
  backward(gradient: Matrix): void {
    const h = gradient.cols;
    copy(this.#affine, this.#scales);
    for (let j = 0; j < h; j++) this.#scales.data[h + j] = this.#moments.data[h + j];
    batchNormBackward(this.#normalised, EPSILON, this.#scales, gradient, this.#gradients);
  }

  /** Scale and shift (2 x h) that replace the layer in evaluation mode. */
  evaluationMap(): Matrix {
    const h = this.gamma.cols;
    const { data } = this.#evaluation;
    for (let j = 0; j < h; j++) {
      data[j] = this.gamma.data[j] / Math.sqrt(this.running.data[h + j] + EPSILON);
      data[h + j] = this.beta.data[j] - this.running.data[j] * data[j];
    }
    return this.#evaluation;
  }

  /** factor_ij times (gamma/sigma)_i (gamma/sigma)_j: the factor seen from below the layer, statistics held fixed. */
  scaleBothSides(factor: Matrix): void {
    const h = factor.rows;
    const slope = (j: number): number => this.gamma.data[j] / Math.sqrt(this.#moments.data[h + j] + EPSILON);
    for (let i = 0; i < h; i++) for (let j = 0; j < h; j++) factor.data[i * h + j] *= slope(i) * slope(j);
  }

  #blendRunning(at: number, value: number): void {
    this.running.data[at] += MOMENTUM * (value - this.running.data[at]);
  }
}
