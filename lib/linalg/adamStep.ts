import { native } from '../native/index.js';
import { type Matrix, requireAlike } from './matrix.js';

/** Moves Adam's moments on and writes its step; the numbers are [learningRate, beta1, beta2, epsilon, 1 - beta1^t, 1 - beta2^t].
 *  @param most  running maximum of the second moment (AMSGrad), or null
 *  Source: Kingma & Ba 2015, algorithm 1, in PyTorch's order of operations. */
export function adamStep(hyper: Float64Array, gradient: Matrix, mean: Matrix, square: Matrix, most: Matrix | null, step: Matrix): Matrix {
  requireAlike('adamStep', gradient, mean);
  requireAlike('adamStep', gradient, square);
  requireAlike('adamStep', gradient, step);
  if (most !== null) requireAlike('adamStep', gradient, most);
  native.adam(hyper, gradient.data, mean.data, square.data, most === null ? null : most.data, step.data);
  return step;
}
