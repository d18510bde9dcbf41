/**
 * The deterministic equivalent of ridge regression: (X'X/n + lambda I)^-1 acts on the population like (Sigma + kappa I)^-1, up to the
 * factor kappa / lambda, where
 *   lambda = kappa (1 - (1/n) tr Sigma (Sigma + kappa I)^-1),
 * the largest root kappa >= 0: for lambda > 0 the only positive one; for lambda = 0 it is 0 where n is at least the rank, and positive
 * where samples are fewer. Holds as n, d -> infinity with d/n fixed, for Gaussian samples or signs through Sigma^(1/2).
 * Source: Marchenko & Pastur 1967; Bach 2024, section 2; Dobriban & Wager 2018, theorem 2.1.
 */
import { ArgumentError, NumericalError } from '../errors.js';
import { requireEigenvalues } from './population.js';

export interface EffectiveRidge {
  readonly kappa: number;
  /** tr Sigma (Sigma + kappa)^-1. */
  readonly df1: number;
  /** tr Sigma^2 (Sigma + kappa)^-2. */
  readonly df2: number;
}

const ITERATIONS = 1000;

/** Solves for kappa by Newton's method from above, where the right-hand side is convex: the iterates fall to the root.
 *  @param eigenvalues  of Sigma; @param samples  n, which need not be whole
 *  @throws ArgumentError; NumericalError NOT_CONVERGED where the equation is not satisfied in the end */
export function effectiveRidge(eigenvalues: ArrayLike<number>, samples: number, lambda: number): EffectiveRidge {
  requireEigenvalues('effectiveRidge', eigenvalues);
  if (!(samples > 0 && samples < Infinity)) throw new ArgumentError(`effectiveRidge: samples must be positive, got ${samples}`);
  if (!(lambda >= 0 && lambda < Infinity)) throw new ArgumentError(`effectiveRidge: lambda must be finite and at least 0, got ${lambda}`);
  let [trace, rank] = [0, 0];
  for (let i = 0; i < eigenvalues.length; i++) {
    trace += eigenvalues[i];
    if (eigenvalues[i] > 0) rank++;
  }
  if (lambda === 0 && rank <= samples) return { kappa: 0, df1: rank, df2: rank };
  let kappa = lambda + trace / samples;
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const { df1, df2 } = degrees(eigenvalues, kappa);
    const excess = kappa * (1 - df1 / samples) - lambda;
    const next = kappa - excess / (1 - df2 / samples);
    // The root is approached from above until rounding: then the step no longer shortens it.
    if (!(next < kappa && next > 0)) break;
    kappa = next;
  }
  const { df1, df2 } = degrees(eigenvalues, kappa);
  const residual = Math.abs(kappa * (1 - df1 / samples) - lambda);
  if (!(residual <= 1e-10 * (lambda + (kappa * df1) / samples)))
    throw new NumericalError(
      'NOT_CONVERGED',
      `effectiveRidge: the equation for kappa is off by ${residual} at ${kappa} (lambda ${lambda}, ${samples} samples)`,
    );
  return { kappa, df1, df2 };
}

function degrees(eigenvalues: ArrayLike<number>, kappa: number): { df1: number; df2: number } {
  let [df1, df2] = [0, 0];
  for (let i = 0; i < eigenvalues.length; i++) {
    const share = eigenvalues[i] / (eigenvalues[i] + kappa);
    df1 += share;
    df2 += share * share;
  }
  return { df1, df2 };
}
