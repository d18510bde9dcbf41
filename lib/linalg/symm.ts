import { ArgumentError } from '../errors.js';
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

export interface SymmOptions {
  /** Where the symmetric matrix stands: A B (left, default) or B A. */
  readonly side?: 'left' | 'right';
  readonly alpha?: number;
  readonly beta?: number;
  readonly out?: Matrix;
}

/** Product with a symmetric matrix, alpha A B + beta C, or alpha B A + beta C.
 *  @param a  symmetric; its lower triangle is read
 *  @param b  m x n
 *  @returns  m x n
 *  @throws ArgumentError if a is not square, on shapes or dtypes that do not fit, or when out shares memory with an operand
 *  Source: BLAS dsymm. */
export function symm(a: Matrix, b: Matrix, options: SymmOptions = {}): Matrix {
  requireKnown('symm', options, ['side', 'alpha', 'beta', 'out']);
  const { side = 'left', alpha = 1, beta = 0 } = options;
  requireOneOf('symm', 'side', side, ['left', 'right']);
  requireSquare('symm', 'a', a);
  const order = side === 'left' ? b.rows : b.cols;
  requireShape('symm', 'a', a, order, order);
  requireSameDtype('symm', a, b);
  if (beta !== 0 && options.out === undefined) throw new ArgumentError('symm: beta other than 0 needs out');
  const out = resultOf('symm', a, b.rows, b.cols, options.out);
  requireDistinct('symm', out, a, b);
  native.symm(Int32Array.of(side === 'right' ? 1 : 0, b.rows, b.cols), alpha, a.data, b.data, beta, out.data);
  return out;
}
