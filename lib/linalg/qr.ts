import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { Matrix, requireDistinct, resultOf } from './matrix.js';
import { requireConverged } from './lapack.js';

export interface Qr {
  /** m x k with orthonormal columns, k = min(m, n). */
  readonly q: Matrix;
  /** k x n upper triangular (trapezoidal); the signs of its diagonal are LAPACK's. */
  readonly r: Matrix;
}

const ints = new Int32Array(2);

/** Thin QR factorisation, A = Q R.
 *  @param a    m x n; not modified
 *  @param out  buffers for q and r
 *  @throws ArgumentError on buffers that do not fit
 *  Cost 2mn^2 - 2n^3/3 for m >= n. Source: LAPACK dgeqrf and dorgqr. */
export function qr(a: Matrix, out?: Qr): Qr {
  const k = Math.min(a.rows, a.cols);
  const q = resultOf('qr', a, a.rows, k, out?.q);
  const r = resultOf('qr', a, k, a.cols, out?.r);
  requireDistinct('qr', q, a, r);
  requireDistinct('qr', r, a);
  ints[0] = a.rows;
  ints[1] = a.cols;
  requireConverged('qr', native.qr(ints, a.data, q.data, r.data));
  return out ?? { q, r };
}

/** Makes the columns of a orthonormal, in its place: Q of its QR factorisation with R's diagonal positive, which decides Q.
 *  @param a  m x n, m >= n, replaced  @returns a
 *  @throws ArgumentError for m < n
 *  Cost 4mn^2 - 4n^3/3. Memory beside a: one copy, given back. Source: LAPACK dgeqrf and dorgqr. */
export function orthonormaliseColumns(a: Matrix): Matrix {
  if (a.rows < a.cols)
    throw new ArgumentError(`orthonormaliseColumns: a ${a.rows} x ${a.cols} matrix has more columns than can be orthonormal`);
  ints[0] = a.rows;
  ints[1] = a.cols;
  requireConverged('orthonormaliseColumns', native.orthonormalColumns(ints, a.data));
  return a;
}
