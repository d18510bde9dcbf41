/** The rows of a batch, whether they are multiplied out or known by their factors: what layers and statistics do with them. */
import { ColouredRows, type Colouring } from './colouredRows.js';
import { gemmInto } from './gemm.js';
import { Matrix } from './matrix.js';
import { syrkInto } from './syrk.js';

export type Rows = Matrix | ColouredRows;

/** out = X W' + beta out. @param x  n x d @param w  h x d @param out  n x h */
export const rowsTimes = (out: Matrix, x: Rows, w: Matrix, beta = 0): Matrix =>
  x instanceof ColouredRows ? x.timesTransposed(w, out, beta) : gemmInto(out, x, w, 'NT', 1, beta);

/** X -> X W' for a W that stays as it is: what depends on W and a colouring alone is computed once. */
export function projectionOn(w: Matrix): (out: Matrix, x: Rows) => Matrix {
  let known: { readonly colouring: Colouring; readonly coloured: Matrix } | undefined;
  return (out, x) => {
    if (!(x instanceof ColouredRows)) return rowsTimes(out, x, w);
    const { colouring } = x;
    if (known?.colouring !== colouring) known = { colouring, coloured: colouring.colourDown(w, Matrix.zeros(w.cols, w.rows, w.dtype)) };
    return x.timesColoured(known.coloured, out);
  };
}

/** out = G'X. @param g  n x h @param x  n x d @param out  h x d */
export const timesRows = (out: Matrix, g: Matrix, x: Rows): Matrix =>
  x instanceof ColouredRows ? x.transposedTimes(g, out) : gemmInto(out, g, x, 'TN');

/** out = alpha X'X + beta out. @param x  n x d @param out  d x d */
export const rowsGram = (out: Matrix, x: Rows, alpha = 1, beta = 0): Matrix =>
  x instanceof ColouredRows ? x.gram(out, alpha, beta) : syrkInto(out, x, true, alpha, beta);

/** X as a matrix: itself, or the product, held until the rows are drawn anew. @returns n x d */
export const denseRows = (x: Rows): Matrix => (x instanceof ColouredRows ? x.matrix : x);
