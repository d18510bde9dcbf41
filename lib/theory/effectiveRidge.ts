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
    const { value, slope } = equation(eigenvalues, samples, rank, kappa);
    let next = kappa - (value - lambda) / slope;
    // Where the step is all of kappa but for rounding the equation is linear there: lambda over its slope.
    if (!(next > 0) && rank <= samples) next = lambda / (value / kappa);
    // The root is approached from above until rounding: then the step no longer shortens it.
    if (!(next < kappa && next > 0)) break;
    kappa = next;
  }
  // From wherever it came to rest, above the root or (in the linear part) below, a few steps more give the last digits.
  for (let polish = 0; polish < 4; polish++) {
    const at = equation(eigenvalues, samples, rank, kappa);
    const next = kappa - (at.value - lambda) / at.slope;
    if (next > 0.5 * kappa && next < 2 * kappa) kappa = next;
  }
  const { value, terms } = equation(eigenvalues, samples, rank, kappa);
  if (!(Math.abs(value - lambda) <= 1e-10 * (lambda + terms)))
    throw new NumericalError(
      'NOT_CONVERGED',
      `effectiveRidge: the equation for kappa is off by ${Math.abs(value - lambda)} at ${kappa} (lambda ${lambda}, ${samples} samples)`,
    );
  return { kappa, ...degrees(eigenvalues, kappa) };
}

/** The right-hand side and its slope. With enough samples 1 - df1/n is (n - rank + sum kappa / (l + kappa)) / n, of positive terms: it
 *  keeps its digits down to the smallest kappa. @returns also the size of what had to cancel */
function equation(
  eigenvalues: ArrayLike<number>,
  samples: number,
  rank: number,
  kappa: number,
): { value: number; slope: number; terms: number } {
  let [lost, lost2] = [0, 0];
  for (let i = 0; i < eigenvalues.length; i++) {
    const l = eigenvalues[i];
    if (l === 0) continue;
    const rest = kappa / (l + kappa);
    lost += rest;
    lost2 += rest * (1 + l / (l + kappa));
  }
  const spare = samples - rank;
  return {
    value: (kappa * (spare + lost)) / samples,
    slope: (spare + lost2) / samples,
    terms: spare >= 0 ? 0 : (kappa * rank) / samples,
  };
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
