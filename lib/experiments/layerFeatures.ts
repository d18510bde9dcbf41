/** The features s(G x) of one layer after another over the same samples, in memory that is held: `one-step` takes hundreds of layers. */
import { affineRows, batchNormForward, gemmInto, Matrix } from '../linalg/index.js';
import type { Link } from '../links/index.js';

/** Samples with their targets. */
export interface Sample {
  readonly x: Matrix; // n x d
  readonly y: Matrix; // n x 1
}

/** Rows of a block, whose features stay in the cache while they are made and used. */
const BLOCK = 512;
/** Of batch-norm. */
const EPSILON = 1e-5;

export class LayerFeatures {
  readonly #link: Link;
  readonly #head: Matrix;
  readonly #hidden: Matrix;
  readonly #out: Matrix;
  readonly #moments: Matrix;
  /** Scale and shift of every feature, 2 x h. */
  readonly #affine: Matrix;
  #layer: { readonly g: Matrix; readonly normalised: boolean } | null = null;

  /** @param head  the samples that batch-norm standardises by, n x d; @param width  h */
  constructor(link: Link, head: Matrix, width: number) {
    this.#link = link;
    this.#head = head;
    const rows = Math.max(head.rows, BLOCK);
    this.#hidden = Matrix.zeros(rows, width);
    this.#out = Matrix.zeros(rows, width);
    this.#moments = Matrix.zeros(2, width);
    this.#affine = Matrix.zeros(2, width);
  }

  /** Turns to a layer G, h x d. @param normalised  whether G x is standardised, to mean 0 and variance 1 over the head's samples
   *  @returns features of the head's samples, n x h, until the next call of anything here */
  take(g: Matrix, normalised: boolean): Matrix {
    this.#layer = { g, normalised };
    const [hidden, out] = [this.#hidden, this.#out].map((m) => firstRows(m, this.#head.rows));
    gemmInto(hidden, this.#head, g, 'NT');
    if (!normalised) return this.#link.apply(hidden, out);
    batchNormForward(hidden, EPSILON, this.#moments, out);
    const [moments, affine, h] = [this.#moments.data, this.#affine.data, g.rows];
    for (let j = 0; j < h; j++) {
      affine[j] = 1 / Math.sqrt(moments[h + j] + EPSILON);
      affine[h + j] = -moments[j] * affine[j];
    }
    hidden.data.set(out.data);
    return this.#link.apply(hidden, out);
  }

  /** Mean squared error of z'b over the variance of the targets, for each b (column of h x r). The layer is the one taken last. */
  relativeErrors({ x, y }: Sample, coefficients: Matrix): Float64Array {
    const { g, normalised } = this.#layer!;
    const r = coefficients.cols;
    const errors = new Float64Array(r);
    const predicted = Matrix.zeros(BLOCK, r);
    let [sum, squares] = [0, 0];
    for (let from = 0; from < x.rows; from += BLOCK) {
      const rows = Math.min(BLOCK, x.rows - from);
      const hidden = gemmInto(
        firstRows(this.#hidden, rows),
        Matrix.wrap(x.data.subarray(from * x.cols, (from + rows) * x.cols), rows, x.cols),
        g,
        'NT',
      );
      if (normalised) affineRows(hidden, this.#affine, hidden);
      const z = this.#link.apply(hidden, firstRows(this.#out, rows));
      const values = gemmInto(firstRows(predicted, rows), z, coefficients).data;
      for (let i = 0; i < rows; i++) {
        const target = y.data[from + i];
        sum += target;
        squares += target * target;
        for (let j = 0; j < r; j++) errors[j] += (values[i * r + j] - target) ** 2;
      }
    }
    const variance = squares - (sum * sum) / x.rows;
    return errors.map((error) => error / variance);
  }
}

const firstRows = (m: Matrix, rows: number): Matrix => Matrix.wrap(m.data.subarray(0, rows * m.cols), rows, m.cols);
