/** Factors of layer-wise preconditioners as moving averages. */
import { axpby, Matrix, rowsGram, type Rows } from '../linalg/index.js';

/** A factor averaged over steps: w <- decay w + 1; F <- (1 - 1/w) F + F_batch / w. From w = 0 that is bias-corrected, the first batch
 *  alone at first; from w = 1/(1 - decay), which then stays, it is F <- decay F + (1 - decay) F_batch. */
export interface AveragedFactor {
  readonly value: Matrix; // n x n
  weight: number;
}

/** Where an average begins: with the first batch (bias-corrected), at zero, or at the identity. */
export type FactorStart = 'batch' | 'zero' | 'identity';

/** @param decay  of the steps to come, where the average is not bias-corrected */
export function averagedFactor(like: Matrix, n: number, start: FactorStart = 'batch', decay = 0): AveragedFactor {
  const value = start === 'identity' ? Matrix.identity(n, like.dtype) : Matrix.zeros(n, n, like.dtype);
  return { value, weight: start === 'batch' ? 0 : 1 / (1 - decay) };
}

/** Moves the average on to a batch's factor scale A'A (A is N x n); decay 0 keeps the last batch alone. @returns the average */
export function accumulateGram(factor: AveragedFactor, a: Rows, scale: number, decay: number): Matrix {
  factor.weight = decay * factor.weight + 1;
  // The average and the product are one call: F <- (1/w) scale A'A + (1 - 1/w) F.
  return rowsGram(factor.value, a, scale / factor.weight, 1 - 1 / factor.weight);
}

/** The same for a factor that is formed already. @returns the average */
export function accumulate(factor: AveragedFactor, batch: Matrix, decay: number): Matrix {
  factor.weight = decay * factor.weight + 1;
  return axpby(1 / factor.weight, batch, 1 - 1 / factor.weight, factor.value);
}
