import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Dtype, type Floats, Matrix, allocate, requireDistinct, requireSquare, requireVector, resultOf } from './matrix.js';
import { requireConverged } from './lapack.js';
import { scaleColumns } from './rowsAndColumns.js';

export interface SymmetricEigen {
  /** Eigenvalues, ascending. */
  readonly values: Floats;
  /** Eigenvectors as columns: column j belongs to values[j]. */
  readonly vectors: Matrix;
}

const ints = new Int32Array(2);

/** All eigenvalues and eigenvectors of a symmetric matrix, A = V diag(w) V'.
 *  @param a    n x n symmetric; lower triangle read; not modified unless it is out.vectors
 *  @param out  buffers for values and vectors
 *  @throws ArgumentError if not square; NumericalError NOT_FINITE, or NOT_CONVERGED
 *  Cost about 9n^3. Source: LAPACK dsyevd (divide and conquer). */
export function symmetricEigen(a: Matrix, out?: SymmetricEigen): SymmetricEigen {
  requireSquare('symmetricEigen', 'a', a);
  const vectors = resultOf('symmetricEigen', a, a.rows, a.rows, out?.vectors);
  const values = out?.values ?? allocate(a.rows, a.dtype);
  requireVector('symmetricEigen', 'out.values', values, a.rows, a.dtype);
  if (vectors !== a) {
    requireDistinct('symmetricEigen', vectors, a);
    vectors.data.set(a.data);
  }
  ints[0] = a.rows;
  ints[1] = 1;
  requireConverged('symmetricEigen', native.syevd(ints, vectors.data, values));
  return out ?? { values, vectors };
}

/** Eigenvalues alone, ascending. @throws as symmetricEigen */
export function symmetricEigenvalues(a: Matrix): Floats {
  requireSquare('symmetricEigenvalues', 'a', a);
  return symmetricEigenvaluesInto(allocate(a.rows, a.dtype), a.clone());
}

/** The same for hot loops: writes n eigenvalues and destroys a. @returns values */
export function symmetricEigenvaluesInto(values: Floats, a: Matrix): Floats {
  requireSquare('symmetricEigenvalues', 'a', a);
  ints[0] = a.rows;
  ints[1] = 0;
  requireConverged('symmetricEigenvalues', native.syevd(ints, a.data, values));
  return values;
}

/** Eigenpairs number first to last, counted from 0 in ascending order, both included.
 *  @param a  n x n symmetric; lower triangle read; not modified
 *  @throws ArgumentError if not square or the range is not within [0, n); NumericalError NOT_FINITE, or NOT_CONVERGED
 *  Source: LAPACK dsyevr (relatively robust representations). */
export function symmetricEigenRange(a: Matrix, first: number, last: number): SymmetricEigen {
  requireSquare('symmetricEigenRange', 'a', a);
  if (!(Number.isInteger(first) && Number.isInteger(last) && first >= 0 && first <= last && last < a.rows))
    throw new ArgumentError(`symmetricEigenRange: the range must satisfy 0 <= first <= last < ${a.rows}, got ${first} to ${last}`);
  const m = last - first + 1;
  const values = allocate(m, a.dtype);
  const vectors = Matrix.zeros(a.rows, m, a.dtype);
  requireConverged('symmetricEigenRange', native.syevr(Int32Array.of(a.rows, first + 1, last + 1), a.data, values, vectors.data));
  return { values, vectors };
}

/** f(A) = V diag(f(w)) V' for a symmetric A: square roots, inverses, powers. @returns new n x n */
export function symmetricFunction(a: Matrix, f: (eigenvalue: number) => number): Matrix {
  const { values, vectors } = symmetricEigen(a);
  return fromEigen(Array.from(values, f), vectors);
}

/** V diag(w) V' from eigenvectors in columns.
 *  @param values   m numbers, rounded to the dtype of the eigenvectors
 *  @param vectors  n x m
 *  @returns new n x n
 *  @param dtype    what the result is rounded to; that of the eigenvectors where not given
 *  @throws ArgumentError when there is not one value for each vector */
export function fromEigen(values: ArrayLike<number>, vectors: Matrix, dtype: Dtype = vectors.dtype): Matrix {
  const { rows: n, cols: m } = vectors;
  const w = vectors.data instanceof Float64Array ? Float64Array.from(values) : Float32Array.from(values);
  requireVector('fromEigen', 'values', w, m, vectors.dtype);
  const out = Matrix.zeros(n, n, dtype);
  // By blocks of rows: a scaled copy of all of a large basis would be half of what its task takes.
  const scaled = Matrix.zeros(Math.min(n, BLOCK), m, vectors.dtype);
  const rounded = dtype === vectors.dtype ? null : allocate(Math.min(n, BLOCK) * n, vectors.dtype);
  for (let from = 0; from < n; from += BLOCK) {
    const rows = Math.min(BLOCK, n - from);
    scaled.data.set(vectors.data.subarray(from * m, (from + rows) * m));
    scaleColumns(scaled, w);
    const part = out.data.subarray(from * n, (from + rows) * n);
    const product = rounded === null ? part : rounded.subarray(0, rows * n);
    native.gemm(Int32Array.of(0, 1, rows, n, m), 1, scaled.data.subarray(0, rows * m), vectors.data, 0, product);
    if (product !== part) part.set(product);
  }
  return out;
}

const BLOCK = 256;
