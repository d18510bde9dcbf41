/**
 * Rows X = U R of a batch, white rows U (n x d, normals or signs) times a symmetric root R of their covariance, without the product of
 * n d^2 operations. What layers and their statistics need of X costs less:
 *   X W' = U (W R)'     d^2 h for W R, then n d h
 *   G'X  = (G'U) R
 *   X'X  = R (U'U) R
 * for an h x d weight W and an n x h matrix G. With signs the products with U are additions, and U'U is counted.
 */
import { ArgumentError } from '../errors.js';
import { axpby, copy, mirrorLower, transpose } from './entrywise.js';
import { gemmInto } from './gemm.js';
import { type Dtype, type Floats, Matrix, requireShape } from './matrix.js';
import { scaleColumns, scaleRows } from './rowsAndColumns.js';
import { SignMatrix } from './signMatrix.js';
import { syrkInto } from './syrk.js';

/** A symmetric root R of a covariance, with its inverse. */
export class Colouring {
  readonly dimension: number;
  readonly dtype: Dtype;
  /** Whether R is diagonal, so that products with it cost no more than a pass over the data. */
  readonly diagonal: boolean;
  /** Whether R has an inverse worth the name. */
  readonly invertible: boolean;
  readonly #power: (exponent: number) => Matrix;
  readonly #held = new Map<number, Matrix>();
  /** Where R is diagonal. */
  #precision: Matrix | undefined;

  /** @param power  of the covariance, in float64 or this dtype: 1/2 is R; d x d, or its diagonal as 1 x d; asked for when first needed, and
   *                kept as it is where it has this dtype */
  constructor({
    dimension,
    dtype,
    diagonal,
    invertible,
    power,
  }: Pick<Colouring, 'dimension' | 'dtype' | 'diagonal' | 'invertible'> & { readonly power: (exponent: number) => Matrix }) {
    this.dimension = dimension;
    this.dtype = dtype;
    this.diagonal = diagonal;
    this.invertible = invertible;
    this.#power = power;
  }

  /** out = W R. @param w  h x d @param out  the same, another matrix */
  colour(w: Matrix, out: Matrix): Matrix {
    return this.#times(w, 1 / 2, out);
  }

  /** out = R W'. @param w  h x d @param out  d x h */
  colourDown(w: Matrix, out: Matrix): Matrix {
    return this.diagonal ? scaleRows(transpose(w, out), this.root.data) : gemmInto(out, this.root, w, 'NT');
  }

  /** out = A'R. @param a  d x h @param out  h x d */
  colourUp(a: Matrix, out: Matrix): Matrix {
    return this.#up(a, 1 / 2, out);
  }

  /** out = A'R^-1. @param a  d x h @param out  h x d */
  whitenUp(a: Matrix, out: Matrix): Matrix {
    return this.#up(a, -1 / 2, out);
  }

  /** out = W R^-1. @param w  h x d @param out  the same, another matrix */
  whiten(w: Matrix, out: Matrix): Matrix {
    return this.#times(w, -1 / 2, out);
  }

  /** out = R C R for a symmetric C, both triangles. @param work  d x d, overwritten */
  colourSides(c: Matrix, out: Matrix, work: Matrix): Matrix {
    this.colour(c, work);
    return mirrorLower(this.diagonal ? scaleRows(copy(work, out), this.root.data) : gemmInto(out, this.root, work));
  }

  /** R itself: d x d, or 1 x d where it is diagonal. */
  get root(): Matrix {
    return this.#matrix(1 / 2);
  }

  /** R^-2, d x d: the inverse of the covariance. */
  get precision(): Matrix {
    if (!this.diagonal) return this.#matrix(-1);
    return (this.#precision ??= Matrix.diagonal(this.#matrix(-1).data, this.dtype));
  }

  #up(a: Matrix, exponent: number, out: Matrix): Matrix {
    const root = this.#matrix(exponent);
    return this.diagonal ? scaleColumns(transpose(a, out), root.data) : gemmInto(out, a, root, 'TN');
  }

  #times(w: Matrix, exponent: number, out: Matrix): Matrix {
    if (!this.diagonal) return gemmInto(out, w, this.#matrix(exponent));
    if (out !== w) copy(w, out);
    const { data } = this.#matrix(exponent);
    return scaleColumns(out, data);
  }

  /** A power in this dtype. */
  #matrix(exponent: number): Matrix {
    let held = this.#held.get(exponent);
    if (held === undefined) {
      const given = this.#power(exponent);
      this.#held.set(exponent, (held = given.dtype === this.dtype ? given : given.clone(this.dtype)));
    }
    return held;
  }
}

export class ColouredRows {
  readonly colouring: Colouring;
  readonly #white: Matrix | SignMatrix;
  #formed: Matrix | undefined;
  #isFormed = false;
  /** Scratch, d x h, by h. */
  readonly #narrow = new Map<number, Matrix>();
  #square: { gram: Matrix; product: Matrix } | undefined;
  #sum: Matrix | undefined;
  /** The last product with a gradient, and what it was before R. */
  #last: { readonly product: Matrix; readonly kept: Matrix; readonly white: Matrix } | undefined;
  #kept: Matrix | undefined;

  /** @param white  n x d; a matrix of the colouring's dtype, or signs  @throws ArgumentError where they do not fit */
  constructor(white: Matrix | SignMatrix, colouring: Colouring) {
    const { dimension, dtype } = colouring;
    if (white.cols !== dimension)
      throw new ArgumentError(`ColouredRows: rows have ${white.cols} entries, the colouring is of dimension ${dimension}`);
    if (white instanceof Matrix && white.dtype !== dtype)
      throw new ArgumentError(`ColouredRows: rows are ${white.dtype}, the colouring is ${dtype}; they must agree`);
    this.#white = white;
    this.colouring = colouring;
  }

  get rows(): number {
    return this.#white.rows;
  }

  get cols(): number {
    return this.#white.cols;
  }

  get dtype(): Dtype {
    return this.colouring.dtype;
  }

  /** For those who draw: U, to be filled. */
  refill(fill: (white: Matrix | SignMatrix) => void): void {
    fill(this.#white);
    this.#isFormed = false;
    this.#last = undefined;
  }

  /** The arrays that U is held in, for those who copy it from elsewhere, within `refill`. */
  arrays(): readonly (Floats | Uint32Array | Uint8Array)[] {
    return this.#white instanceof SignMatrix ? this.#white.arrays() : [this.#white.data];
  }

  /** X multiplied out, n x d, held: once for each filling. */
  get matrix(): Matrix {
    const out = (this.#formed ??= Matrix.zeros(this.rows, this.cols, this.dtype));
    if (!this.#isFormed) {
      if (!(this.#white instanceof SignMatrix)) this.colouring.colour(this.#white, out);
      else if (this.colouring.diagonal) this.colouring.colour(this.#white.toMatrix(out), out);
      else this.#white.times(this.colouring.root, out);
      this.#isFormed = true;
    }
    return out;
  }

  /** out = X W' + beta out. @param w  h x d @param out  n x h */
  timesTransposed(w: Matrix, out: Matrix, beta = 0): Matrix {
    return this.timesColoured(this.colouring.colourDown(w, this.#down(w.rows)), out, beta);
  }

  /** The same for a W whose product R W' is known. @param coloured  d x h */
  timesColoured(coloured: Matrix, out: Matrix, beta = 0): Matrix {
    if (!(this.#white instanceof SignMatrix)) return gemmInto(out, this.#white, coloured, 'NN', 1, beta);
    if (beta === 0) return this.#white.times(coloured, out);
    return axpby(1, this.#white.times(coloured, this.#sumLike(out)), beta, out);
  }

  /** out = G'X. @param g  n x h @param out  h x d */
  transposedTimes(g: Matrix, out: Matrix): Matrix {
    const down = this.#down(g.cols);
    if (this.#white instanceof SignMatrix) this.#white.times(g, down, true);
    else gemmInto(down, this.#white, g, 'TN');
    this.colouring.colourUp(down, out);
    if (this.#kept?.rows !== out.rows) this.#kept = Matrix.zeros(out.rows, out.cols, this.dtype);
    this.#last = { product: out, kept: copy(out, this.#kept), white: down };
    return out;
  }

  /** U'G for the product G'X = (U'G)'R that was written into `product` last, where both are as they were: who wants it without R need not
   *  divide it out again. The caller may overwrite it. @returns d x h, or null */
  takeWhite(product: Matrix): Matrix | null {
    const last = this.#last;
    this.#last = undefined;
    return last?.product === product && sameBytes(product, last.kept) ? last.white : null;
  }

  /** out = alpha X'X + beta out. @param out  d x d, both triangles written */
  gram(out: Matrix, alpha = 1, beta = 0): Matrix {
    const { gram, product } = this.#squares();
    this.whiteGram(gram, alpha);
    if (beta === 0) return this.colouring.colourSides(gram, out, product);
    return axpby(1, this.colouring.colourSides(gram, this.#sumLike(out), product), beta, out);
  }

  /** out = alpha U'U + beta out: in the coordinates where X is white. */
  whiteGram(out: Matrix, alpha = 1, beta = 0): Matrix {
    requireShape('ColouredRows', 'out', out, this.cols, this.cols);
    return this.#white instanceof SignMatrix ? this.#white.gram(out, alpha, beta) : syrkInto(out, this.#white, true, alpha, beta);
  }

  #down(h: number): Matrix {
    let held = this.#narrow.get(h);
    if (held === this.#last?.white) this.#last = undefined;
    if (held === undefined) this.#narrow.set(h, (held = Matrix.zeros(this.cols, h, this.dtype)));
    return held;
  }

  #sumLike({ rows, cols }: Matrix): Matrix {
    if (this.#sum?.rows !== rows || this.#sum.cols !== cols) this.#sum = Matrix.zeros(rows, cols, this.dtype);
    return this.#sum;
  }

  #squares(): { gram: Matrix; product: Matrix } {
    const { cols: d, dtype } = this;
    return (this.#square ??= { gram: Matrix.zeros(d, d, dtype), product: Matrix.zeros(d, d, dtype) });
  }
}

const bytesOf = ({ data }: Matrix): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const sameBytes = (a: Matrix, b: Matrix): boolean => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
