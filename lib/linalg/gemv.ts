import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireDistinct, requireSameDtype, requireShape, resultOf, requireKnown } from './matrix.js';

export interface GemvOptions {
  readonly transpose?: boolean;
  readonly alpha?: number;
  readonly beta?: number;
  readonly out?: Matrix;
}

/** Matrix-vector product, alpha op(A) x + beta y.
 *  @param a  m x n
 *  @param x  n x 1 (m x 1 when transpose)
 *  @returns  y, m x 1 (n x 1 when transpose)
 *  @throws ArgumentError on shapes or dtypes that do not fit, or when out shares memory with an operand
 *  Source: BLAS dgemv. */
export function gemv(a: Matrix, x: Matrix, options: GemvOptions = {}): Matrix {
  requireKnown('gemv', options, ['transpose', 'alpha', 'beta', 'out']);
  const { transpose = false, alpha = 1, beta = 0 } = options;
  requireShape('gemv', 'x', x, transpose ? a.rows : a.cols, 1);
  requireSameDtype('gemv', a, x);
  if (beta !== 0 && options.out === undefined) throw new ArgumentError('gemv: beta other than 0 needs out');
  const out = resultOf('gemv', a, transpose ? a.cols : a.rows, 1, options.out);
  requireDistinct('gemv', out, a, x);
  native.gemv(Int32Array.of(transpose ? 1 : 0, a.rows, a.cols), alpha, a.data, x.data, beta, out.data);
  return out;
}
