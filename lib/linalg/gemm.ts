import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireDistinct, requireSameDtype, resultOf, shape, requireKnown } from './matrix.js';

export interface GemmOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Default 1. */
  readonly alpha?: number;
  /** Default 0; anything else needs `out`, whose entries it scales. */
  readonly beta?: number;
  readonly out?: Matrix;
}

/** Which operands are read transposed, in BLAS's letters: N as it is, T transposed. */
export type Operands = 'NN' | 'NT' | 'TN' | 'TT';

/** Matrix product, alpha op(A) op(B) + beta C.
 *  @param a  m x k (k x m when transposeA)
 *  @param b  k x n (n x k when transposeB)
 *  @returns  m x n: `out` when given, else new
 *  @throws ArgumentError on shapes or dtypes that do not fit, or when out shares memory with an operand
 *  Cost 2 m n k. Source: BLAS dgemm. */
export function gemm(a: Matrix, b: Matrix, options: GemmOptions = {}): Matrix {
  requireKnown('gemm', options, ['transposeA', 'transposeB', 'alpha', 'beta', 'out']);
  const { transposeA = false, transposeB = false, alpha = 1, beta = 0 } = options;
  if (beta !== 0 && options.out === undefined) throw new ArgumentError('gemm: beta other than 0 needs out');
  const out = resultOf('gemm', a, transposeA ? a.cols : a.rows, transposeB ? b.rows : b.cols, options.out);
  return gemmInto(out, a, b, transposeA ? (transposeB ? 'TT' : 'TN') : transposeB ? 'NT' : 'NN', alpha, beta);
}

const ints = new Int32Array(5);

/** The same without an options object: for hot loops, which allocate nothing. C = alpha op(A) op(B) + beta C. */
export function gemmInto(out: Matrix, a: Matrix, b: Matrix, operands: Operands = 'NN', alpha = 1, beta = 0): Matrix {
  if (operands !== 'NN' && operands !== 'NT' && operands !== 'TN' && operands !== 'TT')
    throw new ArgumentError(`gemm: operands must be one of NN, NT, TN, TT; got ${JSON.stringify(operands)}`);
  const ta = operands === 'TN' || operands === 'TT';
  const tb = operands === 'NT' || operands === 'TT';
  const m = ta ? a.cols : a.rows;
  const k = ta ? a.rows : a.cols;
  const n = tb ? b.rows : b.cols;
  if ((tb ? b.cols : b.rows) !== k || out.rows !== m || out.cols !== n)
    throw new ArgumentError(`gemm: ${shape(a)} and ${shape(b)} (${operands}) do not multiply into ${shape(out)}`);
  requireSameDtype('gemm', a, b);
  requireSameDtype('gemm', a, out);
  requireDistinct('gemm', out, a, b);
  ints[0] = ta ? 1 : 0;
  ints[1] = tb ? 1 : 0;
  ints[2] = m;
  ints[3] = n;
  ints[4] = k;
  native.gemm(ints, alpha, a.data, b.data, beta, out.data);
  return out;
}
