/** How well conditioned a factor is. */
import { symmetricEigenvalues, type Matrix } from '../linalg/index.js';

export interface Spectrum {
  /** Largest over smallest eigenvalue; Infinity where the smallest is not positive. */
  readonly condition: number;
  /** exp(-sum p log p), p the eigenvalues (negative ones as 0) over their sum: n for a multiple of the identity, 1 for rank one; 0 for
   *  the zero matrix. Source: Roy & Vetterli 2007. */
  readonly effectiveRank: number;
}

/** Condition number and effective rank of a symmetric positive semi-definite matrix, from its eigenvalues in float64.
 *  @param a  n x n; lower triangle read; not modified
 *  @throws NumericalError NOT_FINITE, or NOT_CONVERGED
 *  Cost about 4n^3/3. */
export function spectrumOf(a: Matrix): Spectrum {
  const values = Array.from(symmetricEigenvalues(a.clone('float64')));
  const smallest = values.at(0) ?? 0;
  const condition = smallest > 0 ? values.at(-1)! / smallest : Infinity;
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return { condition, effectiveRank: 0 };
  const sum = positive.reduce((total, value) => total + value, 0);
  const entropy = positive.reduce((total, value) => total - (value / sum) * Math.log(value / sum), 0);
  return { condition, effectiveRank: Math.exp(entropy) };
}

/** What `inspect` tells of a two-sided preconditioner: the largest condition number and the mean effective rank of each side's factors
 *  (one each, or one a block); nothing for a side without. */
export function sidesReport(left: readonly Matrix[], right: readonly Matrix[]): Record<string, number> {
  const report: Record<string, number> = {};
  for (const [side, factors] of Object.entries({ left, right })) {
    if (factors.length === 0) continue;
    const spectra = factors.map(spectrumOf);
    report[`${side}.condition`] = Math.max(...spectra.map((s) => s.condition));
    report[`${side}.effectiveRank`] = spectra.reduce((sum, s) => sum + s.effectiveRank, 0) / spectra.length;
  }
  return report;
}

/** Condition number and effective rank of each factor, under its name: 'input.condition', 'input.effectiveRank', ... */
export const prefixedSpectra = (factors: Readonly<Record<string, Matrix>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(factors).flatMap(([name, factor]) =>
      Object.entries(spectrumOf(factor)).map(([quantity, value]) => [`${name}.${quantity}`, value as number]),
    ),
  );
