/** Operations that treat the rows or the columns of a matrix alike. None allocates. */
import { native } from '../native/index.js';
import { type Floats, type Matrix, requireSameDtype, requireShape, requireVector } from './matrix.js';

const ints = new Int32Array(2);

function shapeOf(m: Matrix): Int32Array {
  ints[0] = m.rows;
  ints[1] = m.cols;
  return ints;
}

/** Every row of out becomes `row`.
 *  @param row  1 x d
 *  @param out  n x d, written
 *  @returns out
 *  @throws ArgumentError when row is not 1 x d, or dtypes differ */
export function broadcastRow(row: Matrix, out: Matrix): Matrix {
  requireShape('broadcastRow', 'row', row, 1, out.cols);
  requireSameDtype('broadcastRow', row, out);
  native.broadcastRow(shapeOf(out), row.data, out.data);
  return out;
}

/** out = alpha times the sums of x's columns. Rows are summed 64 at a time, and then the sums, so that float32 keeps its digits.
 *  @param x    n x d
 *  @param out  1 x d, written
 *  @returns out
 *  @throws ArgumentError when out is not 1 x d, or dtypes differ */
export function columnSums(x: Matrix, out: Matrix, alpha = 1): Matrix {
  requireShape('columnSums', 'out', out, 1, x.cols);
  requireSameDtype('columnSums', x, out);
  native.columnSums(shapeOf(x), alpha, x.data, out.data);
  return out;
}

/** x = diag(s) x, in place.
 *  @param x  m x n
 *  @param s  m entries of x's dtype
 *  @returns x
 *  @throws ArgumentError when s has another length or dtype */
export function scaleRows(x: Matrix, s: Floats): Matrix {
  requireVector('scaleRows', 's', s, x.rows, x.dtype);
  native.scaleRows(shapeOf(x), x.data, s);
  return x;
}

/** x = x diag(s), in place.
 *  @param x  m x n
 *  @param s  n entries of x's dtype
 *  @returns x
 *  @throws ArgumentError when s has another length or dtype */
export function scaleColumns(x: Matrix, s: Floats): Matrix {
  requireVector('scaleColumns', 's', s, x.cols, x.dtype);
  native.scaleColumns(shapeOf(x), x.data, s);
  return x;
}

/** x_ij /= left_i right_j + damping, in place: the inverse of a damped Kronecker product in its eigenbasis.
 *  @param x      m x n
 *  @param left   m entries of x's dtype, or null for ones
 *  @param right  n entries of x's dtype
 *  @returns x
 *  @throws ArgumentError when left or right has another length or dtype */
export function divideByOuterSum(x: Matrix, left: Floats | null, right: Floats, damping: number): Matrix {
  if (left !== null) requireVector('divideByOuterSum', 'left', left, x.rows, x.dtype);
  requireVector('divideByOuterSum', 'right', right, x.cols, x.dtype);
  native.divideByOuterSum(shapeOf(x), x.data, left, right, damping);
  return x;
}
