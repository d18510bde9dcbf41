import { native } from '../native/index.js';
import type { Matrix } from './matrix.js';

export type ActivationName = 'relu' | 'tanh';

const KINDS: Record<ActivationName, Int32Array> = { relu: Int32Array.of(0), tanh: Int32Array.of(1) };

/** out = s(x) and derivative = s'(x), entry by entry; ReLU's derivative at 0 is 0. @returns out */
export function activate(name: ActivationName, x: Matrix, out: Matrix, derivative: Matrix): Matrix {
  native.activation(KINDS[name], x.data, out.data, derivative.data);
  return out;
}
