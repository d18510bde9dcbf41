import { native } from '../native/index.js';
import {
  type Matrix,
  requireDistinct,
  requireSameDtype,
  requireShape,
  requireSquare,
  resultOf,
  requireKnown,
  requireOneOf,
} from './matrix.js';

export interface TrsmOptions {
  /** op(A) X = alpha B (left, default) or X op(A) = alpha B. */
  readonly side?: 'left' | 'right';
  /** Which triangle of A is read; default lower. */
  readonly triangle?: 'lower' | 'upper';
  readonly transpose?: boolean;
  /** Take the diagonal of A as ones. */
  readonly unit?: boolean;
  readonly alpha?: number;
  /** May be b itself: the solution then overwrites it. */
  readonly out?: Matrix;
}

/** Solves a triangular system for X. A zero on the diagonal gives infinities, as in BLAS.
 *  @param a  triangular, n x n
 *  @param b  n x m (left) or m x n (right)
 *  @returns  X, of b's shape
 *  @throws ArgumentError on shapes or dtypes that do not fit
 *  Cost n^2 m. Source: BLAS dtrsm. */
export function trsm(a: Matrix, b: Matrix, options: TrsmOptions = {}): Matrix {
  requireKnown('trsm', options, ['side', 'triangle', 'transpose', 'unit', 'alpha', 'out']);
  const { side = 'left', triangle = 'lower', transpose = false, unit = false, alpha = 1 } = options;
  requireOneOf('trsm', 'side', side, ['left', 'right']);
  requireOneOf('trsm', 'triangle', triangle, ['lower', 'upper']);
  requireSquare('trsm', 'a', a);
  const order = side === 'left' ? b.rows : b.cols;
  requireShape('trsm', 'a', a, order, order);
  requireSameDtype('trsm', a, b);
  const out = resultOf('trsm', b, b.rows, b.cols, options.out);
  requireDistinct('trsm', out, a);
  if (out !== b) {
    requireDistinct('trsm', out, b);
    out.data.set(b.data);
  }
  native.trsm(
    Int32Array.of(side === 'right' ? 1 : 0, triangle === 'lower' ? 1 : 0, transpose ? 1 : 0, unit ? 1 : 0, b.rows, b.cols),
    alpha,
    a.data,
    out.data,
  );
  return out;
}
