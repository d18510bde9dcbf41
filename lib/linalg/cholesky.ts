import { ArgumentError, NumericalError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireAlike, requireDistinct, requireSameDtype, requireShape, requireSquare, resultOf, shape } from './matrix.js';

const factorInts = new Int32Array(1);
const solveInts = new Int32Array(3);
const potrsInts = new Int32Array(4);

/** Cholesky factorisation, A = L L'.
 *  @param a    n x n symmetric positive definite; lower triangle read; not modified unless it is out
 *  @param out  where L goes; may be a itself
 *  @returns    n x n lower triangular
 *  @throws ArgumentError if not square; NumericalError NOT_POSITIVE_DEFINITE with the failing minor
 *  Cost n^3/3. Source: LAPACK dpotrf. */
export function cholesky(a: Matrix, out?: Matrix): Matrix {
  requireSquare('cholesky', 'a', a);
  const l = resultOf('cholesky', a, a.rows, a.cols, out);
  if (l !== a) {
    requireDistinct('cholesky', l, a);
    l.data.set(a.data);
  }
  factorInts[0] = a.rows;
  const info = native.potrf(factorInts, l.data);
  requirePositiveDefinite('cholesky', info, a.rows);
  return l;
}

function requireSide(op: string, side: string): void {
  if (side !== 'left' && side !== 'right') throw new ArgumentError(`${op}: side must be one of left, right; got ${JSON.stringify(side)}`);
}

export function requirePositiveDefinite(op: string, info: number, n: number): void {
  if (info > 0)
    throw new NumericalError(
      'NOT_POSITIVE_DEFINITE',
      `${op}: the leading minor of order ${info} of ${n} is not positive definite; add damping (a multiple of the identity), use more samples than dimensions, or check for NaN`,
    );
}

/** Solves A X = B (side left) or X A = B (side right) from the Cholesky factor of A.
 *  @param l    n x n, from cholesky
 *  @param b    n x m (left) or m x n (right)
 *  @param out  where X goes; may be b itself
 *  @returns    X, of b's shape
 *  @throws ArgumentError on shapes or dtypes that do not fit
 *  Cost 2 n^2 m. Source: LAPACK dpotrs. */
export function choleskySolve(l: Matrix, b: Matrix, side: 'left' | 'right' = 'left', out?: Matrix): Matrix {
  requireSide('choleskySolve', side);
  requireSquare('choleskySolve', 'l', l);
  const n = l.rows;
  if (side === 'left') requireShape('choleskySolve', 'b', b, n, b.cols);
  else requireShape('choleskySolve', 'b', b, b.rows, n);
  requireSameDtype('choleskySolve', l, b);
  const x = resultOf('choleskySolve', b, b.rows, b.cols, out);
  if (x !== b) {
    requireDistinct('choleskySolve', x, l, b);
    x.data.set(b.data);
  }
  potrsInts[0] = side === 'right' ? 1 : 0;
  potrsInts[1] = 0;
  potrsInts[2] = n;
  potrsInts[3] = side === 'left' ? b.cols : b.rows;
  native.potrs(potrsInts, l.data, x.data);
  return x;
}

/** x <- (A + damping D)^-1 x (side left) or x (A + damping D)^-1 (side right), in place: factorisation and solve in one call.
 *  @param a     n x n symmetric positive semi-definite, upper triangle read; not modified
 *  @param x     n x m (left) or m x n (right)
 *  @param work  n x n, overwritten
 *  @param d     D, likewise; the identity where not given
 *  @returns     x
 *  @throws ArgumentError on shapes or dtypes that do not fit; NumericalError NOT_POSITIVE_DEFINITE
 *  Cost n^3/3 + 2 n^2 m. Source: LAPACK dpotrf and dpotrs. */
export function dampedSolve(a: Matrix, damping: number, x: Matrix, side: 'left' | 'right', work: Matrix, d: Matrix | null = null): Matrix {
  requireSide('dampedSolve', side);
  requireSquare('dampedSolve', 'a', a);
  const n = a.rows;
  if ((side === 'left' ? x.rows : x.cols) !== n) throw new ArgumentError(`dampedSolve: a is ${shape(a)}, x is ${shape(x)} (${side})`);
  requireAlike('dampedSolve', a, work);
  requireSameDtype('dampedSolve', a, x);
  if (d !== null) requireAlike('dampedSolve', a, d);
  solveInts[0] = side === 'right' ? 1 : 0;
  solveInts[1] = n;
  solveInts[2] = side === 'left' ? x.cols : x.rows;
  requirePositiveDefinite('dampedSolve', native.dampedSolve(solveInts, damping, a.data, d?.data ?? null, x.data, work.data), n);
  return x;
}
