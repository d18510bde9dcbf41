import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Floats, Matrix, allocate, epsilonOf, requireSameDtype, requireShape } from './matrix.js';
import { requireConverged } from './lapack.js';
import { singularValues } from './svd.js';

export interface LeastSquares {
  /** n x r, the minimiser of least Frobenius norm. */
  readonly solution: Matrix;
  /** Number of singular values above rcond times the largest. */
  readonly rank: number;
  readonly singularValues: Floats;
}

/** Least squares by SVD: X of least norm among the minimisers of |A X - B|_F.
 *  @param a      m x n; not modified; any rank
 *  @param b      m x r; not modified
 *  @param rcond  singular values up to rcond times the largest count as zero; default epsilon max(m, n), as numpy
 *  @throws ArgumentError on shapes or dtypes that do not fit, or a negative rcond; NumericalError NOT_FINITE, or NOT_CONVERGED
 *  Source: LAPACK dgelsd. */
export function leastSquares(a: Matrix, b: Matrix, rcond?: number): LeastSquares {
  requireShape('leastSquares', 'b', b, a.rows, b.cols);
  requireSameDtype('leastSquares', a, b);
  const cut = rcond ?? epsilonOf(a) * Math.max(a.rows, a.cols);
  if (!(cut >= 0)) throw new ArgumentError(`leastSquares: rcond must be at least 0, got ${cut}`);
  const solution = Matrix.zeros(a.cols, b.cols, a.dtype);
  const s = allocate(Math.min(a.rows, a.cols), a.dtype);
  if (b.cols === 0)
    s.set(singularValues(a)); // gelsd wants a right-hand side
  else requireConverged('leastSquares', native.gelsd(Int32Array.of(a.rows, a.cols, b.cols), a.data, b.data, solution.data, s, cut));
  return { solution, rank: s.filter((x) => x > cut * s[0]).length, singularValues: s };
}
