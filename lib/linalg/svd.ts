import { native } from '../native/index.js';
import { type Floats, Matrix, allocate } from './matrix.js';
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
 *  @param a  m x n; not modified
 *  @throws NumericalError NOT_FINITE, or NOT_CONVERGED
 *  Source: LAPACK dgesdd. */
export function svd(a: Matrix): Svd {
  const k = Math.min(a.rows, a.cols);
  const u = Matrix.zeros(a.rows, k, a.dtype);
  const vt = Matrix.zeros(k, a.cols, a.dtype);
  const s = allocate(k, a.dtype);
  requireConverged('svd', native.gesdd(Int32Array.of(a.rows, a.cols), a.data, u.data, s, vt.data));
  return { u, s, vt };
}

/** Singular values alone, descending. @throws NumericalError NOT_FINITE, or NOT_CONVERGED */
export function singularValues(a: Matrix): Floats {
  const s = allocate(Math.min(a.rows, a.cols), a.dtype);
  requireConverged('singularValues', native.gesdd(Int32Array.of(a.rows, a.cols), a.data, null, s, null));
  return s;
}
