/** The spectrum of a population covariance, checked, as theory takes it. */
import { ArgumentError } from '../errors.js';

export interface Population {
  /** Its positive eigenvalues, each once, ascending. */
  readonly values: Float64Array;
  /** Share of the dimension that each has. */
  readonly weights: Float64Array;
  /** Share of the eigenvalues that are 0. */
  readonly zero: number;
}

/** @throws ArgumentError unless the eigenvalues are finite, at least 0, and one is positive */
export function requireEigenvalues(op: string, eigenvalues: ArrayLike<number>): void {
  let positive = false;
  for (let i = 0; i < eigenvalues.length; i++) {
    const l: unknown = eigenvalues[i];
    if (!(typeof l === 'number' && l >= 0 && l < Infinity))
      throw new ArgumentError(`${op}: eigenvalues[${i}] must be a finite number of at least 0, got ${String(l)}`);
    positive ||= l > 0;
  }
  if (!positive) throw new ArgumentError(`${op}: eigenvalues must hold a positive number`);
}

export function populationOf(op: string, eigenvalues: ArrayLike<number>): Population {
  requireEigenvalues(op, eigenvalues);
  const counts = new Map<number, number>();
  for (const l of Float64Array.from(eigenvalues)) counts.set(l, (counts.get(l) ?? 0) + 1);
  const values = Float64Array.from(counts.keys()).filter((l) => l > 0).sort(); // prettier-ignore
  return {
    values,
    weights: values.map((l) => counts.get(l)! / eigenvalues.length),
    zero: (counts.get(0) ?? 0) / eigenvalues.length,
  };
}
