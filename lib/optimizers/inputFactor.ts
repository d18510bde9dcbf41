/**
 * The input factor Q = X'X/N of the paper's update and its damped solve. Where the inputs are factors X = U R with an invertible root R, Q is
 * kept in the coordinates where they are white, Q = R C R with C = U'U/N, and a gradient V = W R (W = G'U) becomes
 *   V (Q + damping I)^-1 = W (C + damping R^-2)^-1 R^-1,
 * which does without Q's n^2 N operations (U'U of signs is counted), and loses no digits to the condition number of the covariance.
 */
import { ColouredRows, copy, dampedSolve, Matrix, transpose, type Colouring } from '../linalg/index.js';
import type { LayerStats } from '../types.js';
import { accumulateGram, type AveragedFactor } from './factors.js';

/** Scratch of one weight, m x n. */
export interface InputFactorWork {
  /** Of the coordinates in which the average stands; null: those of the inputs. */
  colouring: Colouring | null;
  readonly cholesky: Matrix; // n x n
  readonly white: Matrix; // m x n
  readonly down: Matrix; // n x m
}

export const inputFactorWork = ({ rows: m, cols: n, dtype }: Matrix): InputFactorWork => ({
  colouring: null,
  cholesky: Matrix.zeros(n, n, dtype),
  white: Matrix.zeros(m, n, dtype),
  down: Matrix.zeros(n, m, dtype),
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

/** step <- gradient (Q + damping I)^-1. @param gradient  m x n, of the batch in `stats`; @param step  m x n, written
 *  @throws NumericalError NOT_POSITIVE_DEFINITE */
export function solveInputs(
  { value }: AveragedFactor,
  { inputs }: LayerStats,
  damping: number,
  gradient: Matrix,
  step: Matrix,
  { colouring, cholesky, white, down }: InputFactorWork,
): void {
  if (!(inputs instanceof ColouredRows) || colouring === null) {
    dampedSolve(value, damping, copy(gradient, step), 'right', cholesky);
    return;
  }
  const v = inputs.takeWhite(gradient) ?? transpose(colouring.whiten(gradient, white), down);
  colouring.whitenUp(dampedSolve(value, damping, v, 'left', cholesky, colouring.precision), step);
}

/** Q itself, for those who look at it. */
export function inputFactor({ value }: AveragedFactor, { colouring }: InputFactorWork): Matrix {
  const { rows: n, dtype } = value;
  return colouring === null ? value : colouring.colourSides(value, Matrix.zeros(n, n, dtype), Matrix.zeros(n, n, dtype));
}
