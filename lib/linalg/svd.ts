import { native } from '../native/index.js';
import { type Floats, allocate, type Matrix, requireDistinct, requireVector, resultOf } from './matrix.js';
import { requireConverged } from './lapack.js';

export interface Svd {
  /** m x k, orthonormal columns, k = min(m, n). */
  readonly u: Matrix;
  /** k singular values, descending. */
  readonly s: Floats;
  /** k x n: V', orthonormal rows, as numpy returns it. */
  readonly vt: Matrix;
}

/** Thin singular value decomposition, A = U diag(s) V'.
 *  @param a    m x n; not modified
 *  @param out  buffers for the three, distinct from a and each other
 *  @throws ArgumentError when out does not fit; NumericalError NOT_FINITE, or NOT_CONVERGED
 *  Source: LAPACK dgesdd. */
export function svd(a: Matrix, out?: Svd): Svd {
  const k = Math.min(a.rows, a.cols);
  const u = resultOf('svd', a, a.rows, k, out?.u);
  const vt = resultOf('svd', a, k, a.cols, out?.vt);
  const s = out?.s ?? allocate(k, a.dtype);
  requireVector('svd', 'out.s', s, k, a.dtype);
  requireDistinct('svd', u, a, vt);
  requireDistinct('svd', vt, a);
  requireConverged('svd', native.gesdd(Int32Array.of(a.rows, a.cols), a.data, u.data, s, vt.data));
  return out ?? { u, s, vt };
}

/** Singular values alone, descending. @throws NumericalError NOT_FINITE, or NOT_CONVERGED */
export function singularValues(a: Matrix): Floats {
  const s = allocate(Math.min(a.rows, a.cols), a.dtype);
  requireConverged('singularValues', native.gesdd(Int32Array.of(a.rows, a.cols), a.data, null, s, null));
  return s;
}
