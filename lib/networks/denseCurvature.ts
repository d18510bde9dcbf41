/**
 * The curvature of all parameters as one p x p matrix, for small networks: Gauss-Newton mean_i J_i' H_i J_i (`ggn`), a Fisher matrix
 * with labels drawn from the model (`mc`), or from the data (`empirical`). Parameters in order, each row by row.
 *
 * In general it is D'D/n summed over blocks of rows D (n x p), each sample's gradient for one column of the Hessian's root. A deep linear
 * network with the squared loss needs none of that: there the block of two weights is (R_l'R_k) (x) (A_l'A_k/n), R_l what comes down to
 * layer l from the identity.
 */
import { ArgumentError } from '../errors.js';
import { denseRows, gemmInto, Matrix, rowsGram, scale, syrkInto, timesRows, type Dtype } from '../linalg/index.js';
import type { StatisticsRequest } from '../types.js';
import type { Layer } from './layers/layer.js';

/** Of a deep linear network, made once. */
interface LinearBuffers {
  readonly roots: readonly Matrix[]; // R_l, outputs x out of layer l
  readonly left: readonly (readonly Matrix[])[]; // R_i' R_j for j <= i
  readonly right: readonly (readonly Matrix[])[]; // A_i' A_j / n
}

export class DenseCurvature {
  readonly #layers: readonly Layer[];
  readonly #sizes: readonly number[];
  readonly #p: number;
  #matrix: Matrix | undefined; // p x p
  #rows: Matrix | undefined; // n x p
  #gradient: Matrix | undefined; // n x outputs
  #linear: LinearBuffers | undefined;

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
    this.#sizes = layers.map(({ parameters }) => parameters.reduce((sum, { value }) => sum + value.data.length, 0));
    this.#p = this.#sizes.reduce((a, b) => a + b, 0);
  }

  /** @param outputs  of the last forward pass; @param outputGradient  of the mean loss in them
   *  @throws ArgumentError through batch-norm, where a sample has no Jacobian of its own */
  form({ needs, loss, stream }: StatisticsRequest, outputs: Matrix, outputGradient: Matrix): Matrix {
    if (this.#layers.some((l) => l.mixesSamples))
      throw new ArgumentError(
        'the dense curvature matrix is not defined through batch-norm, which mixes the samples; use a network without it, or a layer-wise method',
      );
    const out = (this.#matrix ??= Matrix.zeros(this.#p, this.#p, outputs.dtype));
    if (
      needs.dense === 'ggn' &&
      loss.identityHessian &&
      this.#layers.every((l) => l.weighted !== undefined && l.rootTimes !== undefined && l.parameters.length === 1)
    ) {
      this.#formLinear(out, outputs.cols);
      return out;
    }
    const [n, c] = [outputs.rows, outputs.cols];
    if (this.#rows?.rows !== n) this.#rows = Matrix.zeros(n, this.#p, outputs.dtype);
    if (this.#gradient?.rows !== n) this.#gradient = Matrix.zeros(n, c, outputs.dtype);
    const g = this.#gradient;
    if (needs.dense === 'ggn')
      for (let k = 0; k < c; k++) {
        loss.hessianRoot(outputs, k, g);
        this.#add(out, g, k);
      }
    else {
      if (needs.dense === 'mc') loss.drawGradient(outputs, stream, g);
      else for (let i = 0; i < g.data.length; i++) g.data[i] = outputGradient.data[i] * n; // the mean's gradient, n times too small
      this.#add(out, g, 0);
    }
    return out;
  }

  /** out += D'D/n for the gradients in the outputs of one block; the first one replaces what was there. */
  #add(out: Matrix, gradient: Matrix, block: number): void {
    const rows = this.#rows!;
    let dy: Matrix | null = gradient;
    let end = this.#p;
    for (let l = this.#layers.length - 1; end > 0; l--) {
      const layer = this.#layers[l];
      end -= this.#sizes[l];
      layer.sampleGradients?.(dy!, rows, end);
      dy = layer.backward(dy!, null, end > 0, 'differentiated');
    }
    syrkInto(out, rows, true, 1 / rows.rows, block === 0 ? 0 : 1);
  }

  #formLinear(out: Matrix, outputs: number): void {
    const { roots, left, right } = (this.#linear ??= this.#linearBuffers(outputs, out.dtype));
    for (let l = this.#layers.length - 1; l > 0; l--) gemmInto(roots[l - 1], roots[l], this.#layers[l].parameters[0].value);
    let row = 0;
    this.#layers.forEach((a, i) => {
      let col = 0;
      const { inputs } = a.weighted!;
      for (let j = 0; j <= i; j++) {
        // Only the lowest layer's inputs may be factors, and it comes last.
        if (i === j) rowsGram(right[i][j], inputs, 1 / inputs.rows);
        else scale(1 / inputs.rows, timesRows(right[i][j], denseRows(inputs), this.#layers[j].weighted!.inputs));
        kronecker(gemmInto(left[i][j], roots[i], roots[j], 'TN'), right[i][j], out, row, col);
        col += this.#sizes[j];
      }
      row += this.#sizes[i];
    });
  }

  #linearBuffers(outputs: number, dtype: Dtype): LinearBuffers {
    const [rows, cols] = [(l: Layer) => l.parameters[0].value.rows, (l: Layer) => l.parameters[0].value.cols];
    const last = this.#layers.length - 1;
    const blocks = (size: (l: Layer) => number): Matrix[][] =>
      this.#layers.map((a, i) => this.#layers.slice(0, i + 1).map((b) => Matrix.zeros(size(a), size(b), dtype)));
    return {
      roots: this.#layers.map((l, i) => (i === last ? Matrix.identity(outputs, dtype) : Matrix.zeros(outputs, rows(l), dtype))),
      left: blocks(rows),
      right: blocks(cols),
    };
  }
}

/** Writes left (x) right into out at (row, col), and its transpose across the diagonal. */
function kronecker(left: Matrix, right: Matrix, out: Matrix, row: number, col: number): void {
  const p = out.cols;
  for (let i = 0; i < left.rows; i++)
    for (let j = 0; j < left.cols; j++)
      for (let a = 0; a < right.rows; a++)
        for (let b = 0; b < right.cols; b++) {
          const value = left.data[i * left.cols + j] * right.data[a * right.cols + b];
          const [r, c] = [row + i * right.rows + a, col + j * right.cols + b];
          out.data[r * p + c] = out.data[c * p + r] = value;
        }
}
