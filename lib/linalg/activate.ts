import { native } from '../native/index.js';
import { type Matrix, requireAlike } from './matrix.js';

export type ActivationName = 'relu' | 'tanh';

const KINDS: Record<ActivationName, Int32Array> = { relu: Int32Array.of(0), tanh: Int32Array.of(1) };

/** out = s(x) and derivative = s'(x), entry by entry; ReLU's derivative at 0 is 0.
 *  @returns out
 *  @throws ArgumentError when shapes or dtypes differ */
export function activate(name: ActivationName, x: Matrix, out: Matrix, derivative: Matrix): Matrix {
  requireAlike('activate', x, out);
  requireAlike('activate', x, derivative);
  native.activation(KINDS[name], x.data, out.data, derivative.data);
  return out;
}
