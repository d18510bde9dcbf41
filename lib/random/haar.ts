import { ArgumentError } from '../errors.js';
import { Matrix, orthonormaliseColumns, transpose } from '../linalg/index.js';
import type { Stream } from './stream.js';

/** A Haar-distributed orthogonal matrix: QR of a Gaussian matrix with R's diagonal made positive (Mezzadri 2007).
 *  @returns n x n */
export function haar(n: number, stream: Stream): Matrix {
  return orthonormalColumns(n, n, stream);
}

/** k orthonormal rows spanning a uniformly random k-dimensional subspace of R^d. @returns k x d */
export function orthonormalRows(k: number, d: number, stream: Stream): Matrix {
  if (k > d) throw new ArgumentError(`orthonormalRows: ${k} orthonormal rows do not fit in dimension ${d}`);
  return transpose(orthonormalColumns(d, k, stream));
}

/** @returns n x k, k at most n */
export function orthonormalColumns(n: number, k: number, stream: Stream): Matrix {
  return orthonormaliseColumns(stream.normal(Matrix.zeros(n, k)));
}
