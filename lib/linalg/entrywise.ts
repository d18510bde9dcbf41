/** Operations on matrices as bags of entries; shapes must agree. None allocates. */
import { native } from '../native/index.js';
import { type Matrix, requireAlike, requireDistinct, requireSquare, resultOf } from './matrix.js';

/** y = alpha x + beta y, in place; y is not read when beta is 0. @returns y */
export function axpby(alpha: number, x: Matrix, beta: number, y: Matrix): Matrix {
  requireAlike('axpby', x, y);
  native.axpby(alpha, x.data, beta, y.data);
  return y;
}

/** Exponential moving average, in place: average = decay average + (1 - decay) value. @returns average */
export function ema(average: Matrix, value: Matrix, decay: number): Matrix {
  return axpby(1 - decay, value, decay, average);
}

/** x = alpha x, in place. @returns x */
export function scale(alpha: number, x: Matrix): Matrix {
  native.scale(alpha, x.data);
  return x;
}

/** out = x o y, entry by entry; out may be x or y. @returns out */
export function hadamard(x: Matrix, y: Matrix, out: Matrix): Matrix {
  requireAlike('hadamard', x, y);
  requireAlike('hadamard', x, out);
  native.hadamard(x.data, y.data, out.data);
  return out;
}

/** x_ij /= y_ij + damping, in place. @returns x */
export function divideEntries(x: Matrix, y: Matrix, damping: number): Matrix {
  requireAlike('divideEntries', x, y);
  native.divideEntries(x.data, y.data, damping);
  return x;
}

/** Sum of x_ij y_ij. */
export function dot(x: Matrix, y: Matrix): number {
  requireAlike('dot', x, y);
  return native.dot(x.data, y.data);
}

/** Frobenius norm, |x|_F. */
export function norm(x: Matrix): number {
  return native.nrm2(x.data);
}

/** Copies x's entries into y. @returns y */
export function copy(x: Matrix, y: Matrix): Matrix {
  requireAlike('copy', x, y);
  y.data.set(x.data);
  return y;
}

/** Adds `value` to the diagonal, in place. @returns a */
export function addToDiagonal(a: Matrix, value: number): Matrix {
  const n = Math.min(a.rows, a.cols);
  for (let i = 0; i < n; i++) a.data[i * a.cols + i] += value;
  return a;
}

const mirrorInts = new Int32Array(1);

/** The lower triangle copied onto the upper one, in place: for a product that is symmetric but for rounding. @returns a */
export function mirrorLower(a: Matrix): Matrix {
  requireSquare('mirrorLower', 'a', a);
  mirrorInts[0] = a.rows;
  native.mirrorLower(mirrorInts, null, a.data);
  return a;
}

/** Sum of the diagonal. */
export function trace(a: Matrix): number {
  let sum = 0;
  for (let i = 0; i < Math.min(a.rows, a.cols); i++) sum += a.data[i * a.cols + i];
  return sum;
}

const transposeInts = new Int32Array(2);

/** A'. @returns n x m for a m x n */
export function transpose(a: Matrix, out?: Matrix): Matrix {
  const result = resultOf('transpose', a, a.cols, a.rows, out);
  requireDistinct('transpose', result, a);
  transposeInts[0] = a.rows;
  transposeInts[1] = a.cols;
  native.transpose(transposeInts, a.data, result.data);
  return result;
}
