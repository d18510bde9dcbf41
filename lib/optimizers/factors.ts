/** Factors of layer-wise preconditioners as bias-corrected moving averages. */
import { axpby, Matrix, syrkInto } from '../linalg/index.js';

/** A factor averaged over steps, bias-corrected: w <- decay w + 1; F <- (1 - 1/w) F + F_batch / w. */
export interface AveragedFactor {
  readonly value: Matrix; // n x n
  /** w; 0 before the first batch. */
  weight: number;
}

export const averagedFactor = (like: Matrix, n: number): AveragedFactor => ({ value: Matrix.zeros(n, n, like.dtype), weight: 0 });

/** Moves the average on to a batch's factor scale A'A (A is N x n); decay 0 keeps the last batch alone. @returns the average */
export function accumulateGram(factor: AveragedFactor, a: Matrix, scale: number, decay: number): Matrix {
  factor.weight = decay * factor.weight + 1;
  // The average and the product are one call: F <- (1/w) scale A'A + (1 - 1/w) F.
  return syrkInto(factor.value, a, true, scale / factor.weight, 1 - 1 / factor.weight);
}

/** The same for a factor that is formed already. @returns the average */
export function accumulate(factor: AveragedFactor, batch: Matrix, decay: number): Matrix {
  factor.weight = decay * factor.weight + 1;
  return axpby(1 / factor.weight, batch, 1 - 1 / factor.weight, factor.value);
}
