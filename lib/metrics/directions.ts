/** How well a first layer knows the directions of an index model, whatever its width. */
import { ArgumentError } from '../errors.js';
import { axpby, copy, dot, gemm, Matrix, singularValues, topRightSingularVectors } from '../linalg/index.js';
import type { IndexTask, Metric } from '../types.js';

export interface Overlap {
  /** r x r, between learned and true directions, both orthonormal. */
  readonly matrix: Matrix;
  /** Mean squared cosine of the principal angles, |matrix|_F^2 / r: 1 where the spaces are one, about r/d by chance. */
  readonly share: number;
  /** Largest principal angle in radians. */
  readonly angle: number;
}

/** Overlap of the r leading right singular vectors of G (h x d), or of what has become of an initial G0 (G - G0), with the directions'
 *  span. @param basis  r x d, orthonormal rows
 *  @throws ArgumentError on shapes that do not fit; NumericalError NOT_FINITE
 *  @returns null where G has not moved, or has fewer than r directions */
export function directionOverlap(g: Matrix, basis: Matrix, initial?: Matrix): Overlap | null {
  const r = basis.rows;
  if (g.cols !== basis.cols) throw new ArgumentError(`directionOverlap: features have ${g.cols} columns, the directions ${basis.cols}`);
  const moved = initial === undefined ? g.clone('float64') : axpby(-1, initial.clone('float64'), 1, g.clone('float64'));
  const { values, vectors } = topRightSingularVectors(moved, Math.min(r, moved.rows, moved.cols));
  if (values.length < r || !(values[r - 1] > 1e-12 * Math.max(values[0], Number.MIN_VALUE))) return null;
  const matrix = gemm(vectors, basis.clone('float64'), { transposeB: true });
  const cosines = singularValues(matrix);
  return {
    matrix,
    share: dot(matrix, matrix) / r,
    angle: Math.acos(Math.min(1, cosines[r - 1])),
  };
}

/** `share` of the overlap as a metric for `train`; NaN where there is nothing to compare.
 *  @param initial  G0; a copy is taken */
export function directionShare(task: Pick<IndexTask, 'features'>, initial?: Matrix): Metric {
  const of = overlapOf(task, initial);
  return (network) => of(network.features)?.share ?? NaN;
}

/** `angle` of the overlap, in radians, as a metric for `train`; pi/2 where there is nothing to compare. */
export function directionAngle(task: Pick<IndexTask, 'features'>, initial?: Matrix): Metric {
  const of = overlapOf(task, initial);
  return (network) => of(network.features)?.angle ?? Math.PI / 2;
}

function overlapOf({ features }: Pick<IndexTask, 'features'>, initial?: Matrix): (g: Matrix) => Overlap | null {
  const start = initial === undefined ? undefined : copy(initial, Matrix.zeros(initial.rows, initial.cols, initial.dtype));
  return (g) => directionOverlap(g, features, start);
}
