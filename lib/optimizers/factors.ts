/** Factors of layer-wise preconditioners: their moving averages and damped solves. See optimizers.md, Factors. */
import { addToDiagonal, axpby, cholesky, choleskySolve, copy, Matrix } from '../linalg/index.js';

/** A factor averaged over steps, bias-corrected: w <- decay w + 1; F <- (1 - 1/w) F + F_batch / w. */
export interface AveragedFactor {
  readonly value: Matrix; // n x n
  /** w; 0 before the first batch. */
  weight: number;
}

export const averagedFactor = (like: Matrix, n: number): AveragedFactor => ({ value: Matrix.zeros(n, n, like.dtype), weight: 0 });

/** Takes a batch's factor into the average; decay 0 keeps the last batch alone. @returns the average */
export function accumulate(factor: AveragedFactor, batch: Matrix, decay: number): Matrix {
  factor.weight = decay * factor.weight + 1;
  return axpby(1 / factor.weight, batch, 1 - 1 / factor.weight, factor.value);
}

/** x <- (A + damping I)^-1 x (left) or x (A + damping I)^-1 (right), in place; `work` (n x n) receives the Cholesky factor.
 *  @throws NumericalError NOT_POSITIVE_DEFINITE */
export function dampedSolve(a: Matrix, damping: number, x: Matrix, side: 'left' | 'right', work: Matrix): Matrix {
  copy(a, work);
  addToDiagonal(work, damping);
  cholesky(work, work);
  return choleskySolve(work, x, side, x);
}
