/**
 * Batch normalisation (Ioffe & Szegedy 2015) of every channel over the batch and, in images, over the pixels. With PyTorch's
 * conventions: epsilon 1e-5; running statistics moved by 0.1 a batch, the variance unbiased; gamma starts at 1 and beta at 0.
 * Unlike there a batch of one row is taken, as it is in a run of one-sample batches: everything is normalised to 0.
 */
import { ArgumentError } from '../../errors.js';
import {
  Matrix,
  affineRows,
  batchNormBackward,
  batchNormForward,
  copy,
  scaleColumns,
  type Dtype,
  type Floats,
} from '../../linalg/index.js';
import type { BatchStatistics, Layer, OwnParameter, Shape } from './layer.js';

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

export class BatchNorm implements Layer {
  readonly shape: Shape;
  readonly parameters: readonly OwnParameter[];
  readonly gradients: readonly Matrix[];
  readonly affine = true;
  readonly mixesSamples = true;
  readonly columnwise = true;
  readonly state: Readonly<Record<string, Matrix>>;

  readonly #channels: number;
  readonly #affine: Matrix; // 2 x h: gamma, beta
  readonly #pair: Matrix; // 2 x h: their gradients in the last pass
  readonly #pairRows: readonly Matrix[]; // views of its rows
  readonly #running: Matrix; // 2 x h: mean and unbiased variance
  readonly #moments: Matrix; // 2 x h: batch mean and biased variance
  readonly #scales: Matrix; // 2 x h: gamma and batch variance
  readonly #slopes: Floats; // h: gamma / sigma
  #root: Matrix;
  #outputs: Matrix; // n x h
  #normalised: Matrix; // n x h

  /** @param running  name of the running statistics in checkpoints */
  constructor(names: { gamma: string; beta: string; running: string }, shape: Shape, dtype: Dtype) {
    const h = shape.channels;
    const pair = (): Matrix => Matrix.zeros(2, h, dtype);
    const view = (m: Matrix, row: number): Matrix => Matrix.wrap(m.data.subarray(row * h, (row + 1) * h), 1, h);
    this.shape = shape;
    this.#channels = h;
    this.#affine = pair();
    this.#affine.data.fill(1, 0, h);
    this.#pair = pair();
    this.#moments = pair();
    this.#scales = pair();
    this.#running = pair();
    this.#running.data.fill(1, h);
    this.#slopes = Matrix.zeros(1, h, dtype).data;
    this.#root = this.#outputs = this.#normalised = Matrix.zeros(0, h, dtype);
    this.parameters = [
      { name: names.gamma, value: view(this.#affine, 0), role: 'vector' },
      { name: names.beta, value: view(this.#affine, 1), role: 'vector' },
    ];
    this.#pairRows = [view(this.#pair, 0), view(this.#pair, 1)];
    this.gradients = [Matrix.zeros(1, h, dtype), Matrix.zeros(1, h, dtype)];
    this.state = { [names.running]: this.#running };
  }

  /** Moves the running statistics when the batch is fresh. */
  forward(x: Matrix, fresh: boolean): Matrix {
    if (this.#outputs.rows !== x.rows || this.#outputs.cols !== x.cols) {
      this.#outputs = Matrix.zeros(x.rows, x.cols, x.dtype);
      this.#normalised = Matrix.zeros(x.rows, x.cols, x.dtype);
    }
    const pixels = this.#pixels(x);
    batchNormForward(pixels, EPSILON, this.#moments, this.#pixels(this.#normalised));
    affineRows(this.#pixels(this.#normalised), this.#affine, this.#pixels(this.#outputs));
    if (fresh) this.#blendRunning(pixels.rows);
    return this.#outputs;
  }

  backward(dy: Matrix, gradients: readonly Matrix[] | null, _input: boolean, statistics: BatchStatistics): Matrix {
    if (statistics === 'fixed') {
      scaleColumns(this.#pixels(dy), this.#slope());
      return dy;
    }
    const h = this.#channels;
    copy(this.#affine, this.#scales);
    for (let j = 0; j < h; j++) this.#scales.data[h + j] = this.#moments.data[h + j];
    batchNormBackward(this.#pixels(this.#normalised), EPSILON, this.#scales, this.#pixels(dy), this.#pair);
    gradients?.forEach((g, p) => copy(this.#pairRows[p], g));
    return dy;
  }

  tangent(): never {
    throw new ArgumentError(
      'products with the Gauss-Newton matrix are not defined through batch-norm, which mixes the samples; use a network without it, or a layer-wise method',
    );
  }

  predict(x: Matrix): Matrix {
    const out = Matrix.zeros(x.rows, x.cols, x.dtype);
    affineRows(this.#pixels(x), this.#evaluationMap(), this.#pixels(out));
    return out;
  }

  rootTimes(root: Matrix): Matrix {
    if (this.#root.rows !== root.rows || this.#root.cols !== root.cols) this.#root = Matrix.zeros(root.rows, root.cols, root.dtype);
    scaleColumns(this.#pixels(copy(root, this.#root)), this.#slope());
    return this.#root;
  }

  /** gamma / sigma of the batch. */
  #slope(): Floats {
    const h = this.#channels;
    for (let j = 0; j < h; j++) this.#slopes[j] = this.#affine.data[j] / Math.sqrt(this.#moments.data[h + j] + EPSILON);
    return this.#slopes;
  }

  /** Scale and shift (2 x h) that replace the layer in evaluation mode. */
  #evaluationMap(): Matrix {
    const h = this.#channels;
    const map = this.#affine.clone();
    for (let j = 0; j < h; j++) {
      map.data[j] /= Math.sqrt(this.#running.data[h + j] + EPSILON);
      map.data[h + j] -= this.#running.data[j] * map.data[j];
    }
    return map;
  }

  #blendRunning(rows: number): void {
    const [h, unbiased] = [this.#channels, rows > 1 ? rows / (rows - 1) : 1];
    const { data: running } = this.#running;
    const { data: moments } = this.#moments;
    for (let j = 0; j < h; j++) {
      running[j] += MOMENTUM * (moments[j] - running[j]);
      running[h + j] += MOMENTUM * (moments[h + j] * unbiased - running[h + j]);
    }
  }

  /** The batch with a pixel a row. */
  #pixels(x: Matrix): Matrix {
    return x.cols === this.#channels ? x : Matrix.wrap(x.data, x.data.length / this.#channels, this.#channels);
  }
}
