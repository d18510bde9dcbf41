/** Passes of layer normalisation over an n x d batch, d at least 1 (Ba, Kiros & Hinton 2016). */
import { native } from '../native/index.js';
import { type Matrix, requireAlike, requireSameDtype, requireShape } from './matrix.js';

const ints = new Int32Array(2);

function shapeOf(m: Matrix): Int32Array {
  ints[0] = m.rows;
  ints[1] = m.cols;
  return ints;
}

/** Writes z = (x - mean) / sqrt(variance + epsilon), mean and biased variance being those of each row.
 *  @param x                  n x d
 *  @param normalised         n x d, written; not x
 *  @param inverseDeviations  1 x n, written: 1 / sqrt(variance + epsilon)
 *  @returns normalised
 *  @throws ArgumentError when shapes or dtypes differ
 *  Source: Ba, Kiros & Hinton 2016, section 3 */
export function layerNormForward(x: Matrix, epsilon: number, normalised: Matrix, inverseDeviations: Matrix): Matrix {
  requireAlike('layerNormForward', x, normalised);
  requireShape('layerNormForward', 'inverseDeviations', inverseDeviations, 1, x.rows);
  requireSameDtype('layerNormForward', x, inverseDeviations);
  native.layerNormForward(shapeOf(x), epsilon, x.data, normalised.data, inverseDeviations.data);
  return normalised;
}

/** Turns dy, the gradient of y = gamma z + beta, into dx in place. With g = gamma o dy, row by row:
 *  dx = inverseDeviation (g - mean(g) - z mean(g o z)).
 *  @param normalised         n x d, of layerNormForward
 *  @param inverseDeviations  1 x n, of layerNormForward
 *  @param gamma              1 x d
 *  @param dy                 n x d, overwritten
 *  @param grads              2 x d, written: the gradients of gamma and beta
 *  @returns dy, now dx
 *  @throws ArgumentError when shapes or dtypes differ */
export function layerNormBackward(normalised: Matrix, inverseDeviations: Matrix, gamma: Matrix, dy: Matrix, grads: Matrix): Matrix {
  requireAlike('layerNormBackward', normalised, dy);
  requireShape('layerNormBackward', 'inverseDeviations', inverseDeviations, 1, dy.rows);
  requireShape('layerNormBackward', 'gamma', gamma, 1, dy.cols);
  requireShape('layerNormBackward', 'grads', grads, 2, dy.cols);
  requireSameDtype('layerNormBackward', dy, inverseDeviations);
  requireSameDtype('layerNormBackward', dy, gamma);
  requireSameDtype('layerNormBackward', dy, grads);
  native.layerNormBackward(shapeOf(dy), normalised.data, inverseDeviations.data, gamma.data, dy.data, grads.data);
  return dy;
}
