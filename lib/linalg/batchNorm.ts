/** Passes of batch normalisation over an n x d batch (Ioffe & Szegedy 2015). */
import { native } from '../native/index.js';
import { type Matrix, requireAlike, requireSameDtype, requireShape } from './matrix.js';

const ints = new Int32Array(2);

function shapeOf(m: Matrix): Int32Array {
  ints[0] = m.rows;
  ints[1] = m.cols;
  return ints;
}

/** Writes column means and biased variances (moments, 2 x d) and (h - mean) / sqrt(variance + epsilon). */
export function batchNormForward(h: Matrix, epsilon: number, moments: Matrix, normalised: Matrix): Matrix {
  requireShape('batchNormForward', 'moments', moments, 2, h.cols);
  requireSameDtype('batchNormForward', h, moments);
  requireAlike('batchNormForward', h, normalised);
  native.batchNormForward(shapeOf(h), epsilon, h.data, moments.data, normalised.data);
  return normalised;
}

/** y = x scale + shift by columns, affine (2 x d) holding scale and shift. y may be x. */
export function affineRows(x: Matrix, affine: Matrix, y: Matrix): Matrix {
  requireShape('affineRows', 'affine', affine, 2, x.cols);
  requireSameDtype('affineRows', x, affine);
  requireAlike('affineRows', x, y);
  native.affineRows(shapeOf(x), x.data, affine.data, y.data);
  return y;
}

/** Turns dy into dh in place and writes the gradients of scale and shift (grads, 2 x d); scales (2 x d) holds gamma and the
 *  batch variance. */
export function batchNormBackward(normalised: Matrix, epsilon: number, scales: Matrix, dy: Matrix, grads: Matrix): Matrix {
  requireShape('batchNormBackward', 'scales', scales, 2, dy.cols);
  requireShape('batchNormBackward', 'grads', grads, 2, dy.cols);
  requireAlike('batchNormBackward', scales, grads);
  requireAlike('batchNormBackward', normalised, dy);
  requireSameDtype('batchNormBackward', dy, grads);
  native.batchNormBackward(shapeOf(dy), epsilon, normalised.data, scales.data, dy.data, grads.data);
  return dy;
}
