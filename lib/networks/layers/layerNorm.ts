/** Layer normalisation (Ba, Kiros & Hinton 2016): each sample has mean 0 and variance 1 over its entries, then gamma and beta. With
 *  PyTorch's conventions: epsilon 1e-5, gamma starts at 1 and beta at 0. */
import { affineRows, layerNormBackward, layerNormForward, Matrix, type Dtype } from '../../linalg/index.js';
import { sizeOf, type Layer, type OwnParameter, type Shape } from './layer.js';

const EPSILON = 1e-5;

interface Buffers {
  readonly normalised: Matrix; // n x d
  readonly inverseDeviations: Matrix; // 1 x n
  readonly outputs: Matrix; // n x d
  readonly tangent: Matrix; // n x d
}

export class LayerNorm implements Layer {
  readonly shape: Shape;
  readonly parameters: readonly OwnParameter[];
  readonly gradients: readonly Matrix[];
  readonly affine = false;
  readonly mixesSamples = false;
  readonly state = {};

  readonly #d: number;
  readonly #dtype: Dtype;
  readonly #scale: Matrix; // 2 x d: gamma, beta
  readonly #gamma: Matrix; // 1 x d, a view
  readonly #pair: Matrix; // 2 x d: their gradients
  #held: Buffers | undefined;

  constructor(names: { gamma: string; beta: string }, shape: Shape, dtype: Dtype) {
    const d = sizeOf(shape);
    this.shape = shape;
    this.#d = d;
    this.#dtype = dtype;
    this.#scale = Matrix.zeros(2, d, dtype);
    this.#scale.data.fill(1, 0, d);
    this.#pair = Matrix.zeros(2, d, dtype);
    const view = (m: Matrix, row: number): Matrix => Matrix.wrap(m.data.subarray(row * d, (row + 1) * d), 1, d);
    this.#gamma = view(this.#scale, 0);
    this.parameters = [
      { name: names.gamma, value: this.#gamma, role: 'vector' },
      { name: names.beta, value: view(this.#scale, 1), role: 'vector' },
    ];
    this.gradients = [Matrix.zeros(1, d, dtype), Matrix.zeros(1, d, dtype)];
  }

  forward(x: Matrix): Matrix {
    const { normalised, inverseDeviations, outputs } = this.#buffers(x.rows);
    layerNormForward(x, EPSILON, normalised, inverseDeviations);
    return affineRows(normalised, this.#scale, outputs);
  }

  backward(dy: Matrix, gradients: readonly Matrix[] | null): Matrix {
    const { normalised, inverseDeviations } = this.#buffers(dy.rows);
    layerNormBackward(normalised, inverseDeviations, this.#gamma, dy, this.#pair);
    if (gradients !== null)
      for (let p = 0; p < 2; p++) for (let j = 0; j < this.#d; j++) gradients[p].data[j] = this.#pair.data[p * this.#d + j];
    return dy;
  }

  /** d(gamma o z + beta) with dz_i = (dx - mean dx - z mean(z o dx)) / sigma, means over the sample. */
  tangent(dx: Matrix | null, [gamma, beta]: readonly Matrix[]): Matrix {
    const held = this.#held!;
    const { normalised: z, inverseDeviations, tangent: out } = held;
    const d = this.#d;
    for (let i = 0, row = 0; i < z.rows; i++, row += d) {
      for (let j = 0; j < d; j++) out.data[row + j] = gamma.data[j] * z.data[row + j] + beta.data[j];
      if (dx === null) continue;
      let [mean, along] = [0, 0];
      for (let j = row; j < row + d; j++) {
        mean += dx.data[j] / d;
        along += (z.data[j] * dx.data[j]) / d;
      }
      const inverse = inverseDeviations.data[i];
      for (let j = 0; j < d; j++) out.data[row + j] += this.#gamma.data[j] * inverse * (dx.data[row + j] - mean - z.data[row + j] * along);
    }
    return out;
  }

  predict(x: Matrix): Matrix {
    const normalised = Matrix.zeros(x.rows, x.cols, x.dtype);
    layerNormForward(x, EPSILON, normalised, Matrix.zeros(1, x.rows, x.dtype));
    return affineRows(normalised, this.#scale, normalised);
  }

  sampleGradients(dy: Matrix, into: Matrix, offset: number): void {
    const { normalised: z } = this.#held!;
    const d = this.#d;
    for (let i = 0; i < dy.rows; i++)
      for (let j = 0; j < d; j++) {
        into.data[i * into.cols + offset + j] = dy.data[i * d + j] * z.data[i * d + j];
        into.data[i * into.cols + offset + d + j] = dy.data[i * d + j];
      }
  }

  #buffers(rows: number): Buffers {
    if (this.#held?.outputs.rows === rows) return this.#held;
    const matrix = (): Matrix => Matrix.zeros(rows, this.#d, this.#dtype);
    return (this.#held = {
      normalised: matrix(),
      inverseDeviations: Matrix.zeros(1, rows, this.#dtype),
      outputs: matrix(),
      tangent: matrix(),
    });
  }
}
