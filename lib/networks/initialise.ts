/**
 * Initial weights, m x n with fan-in n and fan-out m (a convolution's are its patch, and kernel^2 times its channels out):
 *   lecun        N(0, 1/n): outputs of variance 1 from inputs of variance 1 (LeCun et al. 1998); the NTK scaling of every layer
 *   he           N(0, 2/n): the same through ReLU (He et al. 2015)
 *   glorot       N(0, 2/(n + m)) (Glorot & Bengio 2010)
 *   orthogonal   orthonormal rows or columns, Haar-random (Saxe et al. 2014)
 *   mean-field   N(0, 1/n^2): entries of order 1/n, for the output layer of a network in the mean-field (feature learning) scaling
 * Biases start at 0.
 */
import { z } from 'zod';
import { Matrix, transpose, type Dtype } from '../linalg/index.js';
import { orthonormalColumns, type Stream } from '../random/index.js';

export const initialisation = z.enum(['lecun', 'he', 'glorot', 'orthogonal', 'mean-field']);
export type Initialisation = z.output<typeof initialisation>;

const DEVIATIONS: Readonly<Record<Exclude<Initialisation, 'orthogonal'>, (m: number, n: number) => number>> = {
  lecun: (_m, n) => 1 / Math.sqrt(n),
  he: (_m, n) => Math.sqrt(2 / n),
  glorot: (m, n) => Math.sqrt(2 / (m + n)),
  'mean-field': (_m, n) => 1 / n,
};

/** @param fanOut  m of the formulas above, where the weight is used at several places; @returns m x n */
export function initialWeight(kind: Initialisation, m: number, n: number, dtype: Dtype, stream: Stream, fanOut = m): Matrix {
  if (kind !== 'orthogonal') return stream.normal(Matrix.zeros(m, n, dtype), DEVIATIONS[kind](fanOut, n));
  const columns = orthonormalColumns(Math.max(m, n), Math.min(m, n), stream);
  return (m >= n ? columns : transpose(columns)).clone(dtype);
}
