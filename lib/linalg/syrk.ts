import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireDistinct, requireSameDtype, requireShape, resultOf, requireKnown } from './matrix.js';

export interface SyrkOptions {
  /** A' A instead of A A'. */
  readonly transpose?: boolean;
  readonly alpha?: number;
  readonly beta?: number;
  readonly out?: Matrix;
}

/** Symmetric rank-k product, alpha A A' + beta C, or alpha A' A + beta C when transpose; both triangles are written.
 *  @param a  n x k (k x n when transpose)
 *  @returns  n x n symmetric
 *  @throws ArgumentError on shapes or dtypes that do not fit, or when out shares memory with a
 *  Cost n^2 k, half of gemm's. Source: BLAS dsyrk. */
export function syrk(a: Matrix, options: SyrkOptions = {}): Matrix {
  requireKnown('syrk', options, ['transpose', 'alpha', 'beta', 'out']);
  const { transpose = false, alpha = 1, beta = 0 } = options;
  if (beta !== 0 && options.out === undefined) throw new ArgumentError('syrk: beta other than 0 needs out');
  const n = transpose ? a.cols : a.rows;
  return syrkInto(resultOf('syrk', a, n, n, options.out), a, transpose, alpha, beta);
}

const ints = new Int32Array(3);

/** The same without an options object. C = alpha A A' + beta C, or alpha A' A + beta C when transpose. */
export function syrkInto(out: Matrix, a: Matrix, transpose: boolean, alpha = 1, beta = 0): Matrix {
  const n = transpose ? a.cols : a.rows;
  requireShape('syrk', 'out', out, n, n);
  requireSameDtype('syrk', a, out);
  requireDistinct('syrk', out, a);
  ints[0] = transpose ? 1 : 0;
  ints[1] = n;
  ints[2] = transpose ? a.rows : a.cols;
  native.syrk(ints, alpha, a.data, beta, out.data);
  return out;
}
