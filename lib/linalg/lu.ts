import { NumericalError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireDistinct, requireSameDtype, requireShape, requireSquare, resultOf } from './matrix.js';

/** Packed factors of A with partial pivoting, as `luSolve` reads them. */
export interface Lu {
  readonly factors: Matrix;
  readonly pivots: Int32Array;
}

/** LU factorisation with partial pivoting of a general square matrix.
 *  @param a  n x n; not modified
 *  @throws ArgumentError if not square; NumericalError SINGULAR with the zero pivot
 *  Cost 2n^3/3. Source: LAPACK dgetrf. */
export function lu(a: Matrix): Lu {
  requireSquare('lu', 'a', a);
  const factors = a.clone();
  const pivots = new Int32Array(a.rows);
  const info = native.getrf(Int32Array.of(a.rows), factors.data, pivots);
  if (info > 0)
    throw new NumericalError(
      'SINGULAR',
      `lu: pivot ${info} of ${a.rows} is exactly zero, the matrix is singular; use leastSquares for a minimum-norm solution`,
    );
  return { factors, pivots };
}

/** Solves A X = B from A's LU factors.
 *  @param b    n x m; not modified unless it is out
 *  @returns    X, n x m
 *  @throws ArgumentError on shapes or dtypes that do not fit, or when out shares memory with the factors */
export function luSolve({ factors, pivots }: Lu, b: Matrix, out?: Matrix): Matrix {
  requireShape('luSolve', 'b', b, factors.rows, b.cols);
  requireSameDtype('luSolve', factors, b);
  const x = resultOf('luSolve', b, b.rows, b.cols, out);
  requireDistinct('luSolve', x, factors);
  if (x !== b) {
    requireDistinct('luSolve', x, b);
    x.data.set(b.data);
  }
  native.getrs(Int32Array.of(b.rows, b.cols), factors.data, pivots, x.data);
  return x;
}

/** Solves A X = B for a general square A. @throws NumericalError SINGULAR */
export function solve(a: Matrix, b: Matrix): Matrix {
  return luSolve(lu(a), b);
}
