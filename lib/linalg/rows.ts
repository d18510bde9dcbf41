/** The rows of a batch, whether they are multiplied out or known by their factors: what layers and statistics do with them. */
import { ColouredRows } from './colouredRows.js';
import { gemmInto } from './gemm.js';
import type { Matrix } from './matrix.js';
import { syrkInto } from './syrk.js';

export type Rows = Matrix | ColouredRows;

/** out = X W' + beta out. @param x  n x d @param w  h x d @param out  n x h */
export const rowsTimes = (out: Matrix, x: Rows, w: Matrix, beta = 0): Matrix =>
  x instanceof ColouredRows ? x.timesTransposed(w, out, beta) : gemmInto(out, x, w, 'NT', 1, beta);

/** out = G'X. @param g  n x h @param x  n x d @param out  h x d */
export const timesRows = (out: Matrix, g: Matrix, x: Rows): Matrix =>
  x instanceof ColouredRows ? x.transposedTimes(g, out) : gemmInto(out, g, x, 'TN');

/** out = alpha X'X + beta out. @param x  n x d @param out  d x d */
export const rowsGram = (out: Matrix, x: Rows, alpha = 1, beta = 0): Matrix =>
  x instanceof ColouredRows ? x.gram(out, alpha, beta) : syrkInto(out, x, true, alpha, beta);

/** X as a matrix: itself, or the product, held until the rows are drawn anew. @returns n x d */
export const denseRows = (x: Rows): Matrix => (x instanceof ColouredRows ? x.matrix : x);
