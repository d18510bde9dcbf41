/**
 * The input factor Q = X'X/N of the paper's update and its damped solve. Where the inputs are factors X = U R with an invertible root R, Q is
 * kept in the coordinates where they are white, Q = R C R with C = U'U/N, and
 *   V (Q + damping I)^-1 = (V R^-1) (C + damping R^-2)^-1 R^-1,
 * which does without Q's n^2 N operations (U'U of signs is counted), and loses no digits to the condition number of the covariance.
 */
import { ColouredRows, type Colouring, Matrix, dampedSolve } from '../linalg/index.js';
import type { LayerStats } from '../types.js';
import { accumulateGram, type AveragedFactor } from './factors.js';

/** Scratch of one weight, m x n. */
export interface InputFactorWork {
  /** Of the coordinates in which the average stands; null: those of the inputs. */
  colouring: Colouring | null;
  readonly cholesky: Matrix; // n x n
  readonly white: Matrix; // m x n
}

export const inputFactorWork = ({ rows: m, cols: n, dtype }: Matrix): InputFactorWork => ({
  colouring: null,
  cholesky: Matrix.zeros(n, n, dtype),
  white: Matrix.zeros(m, n, dtype),
});

/** Moves the average on to the batch's factor. */
export function accumulateInputs(factor: AveragedFactor, { inputs, positions }: LayerStats, decay: number, work: InputFactorWork): void {
  const share = positions / inputs.rows;
  work.colouring = inputs instanceof ColouredRows && inputs.colouring.invertible ? inputs.colouring : null;
  if (!(inputs instanceof ColouredRows) || work.colouring === null) {
    accumulateGram(factor, inputs, share, decay);
    return;
  }
  factor.weight = decay * factor.weight + 1;
  inputs.whiteGram(factor.value, share / factor.weight, 1 - 1 / factor.weight);
}

/** v <- v (Q + damping I)^-1, in place. @param v  m x n  @throws NumericalError NOT_POSITIVE_DEFINITE */
export function solveInputs({ value }: AveragedFactor, damping: number, v: Matrix, { colouring, cholesky, white }: InputFactorWork): void {
  if (colouring === null) {
    dampedSolve(value, damping, v, 'right', cholesky);
    return;
  }
  dampedSolve(value, damping, colouring.whiten(v, white), 'right', cholesky, colouring.precision);
  colouring.whiten(white, v);
}

/** Q itself, for those who look at it. */
export function inputFactor({ value }: AveragedFactor, { colouring }: InputFactorWork): Matrix {
  const { rows: n, dtype } = value;
  return colouring === null ? value : colouring.colourSides(value, Matrix.zeros(n, n, dtype), Matrix.zeros(n, n, dtype));
}
