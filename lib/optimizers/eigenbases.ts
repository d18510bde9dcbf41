/** Eigenbases of a weight's Kronecker factors, A = Q_A diag(l_A) Q_A' and B = Q_B diag(l_B) Q_B'. */
import { divideByOuterSum, gemmInto, Matrix, type SymmetricEigen } from '../linalg/index.js';
import { clippedEigen, noiseFloor, undampedAndSingular, zeroFactor } from './inverse.js';
import type { Dampings, Factors } from './kronecker.js';

export interface Eigenbases {
  readonly input: SymmetricEigen; // of A
  readonly output: SymmetricEigen; // of B
  inputClipped: number;
  outputClipped: number;
  /** lambda of the last step. */
  damping: number;
}

export function eigenbases(like: Matrix, m: number, n: number): Eigenbases {
  const side = (size: number): SymmetricEigen => ({
    values: Matrix.zeros(1, size, like.dtype).data,
    vectors: Matrix.zeros(size, size, like.dtype),
  });
  return { input: side(n), output: side(m), inputClipped: 0, outputClipped: 0, damping: 0 };
}

/** Renews them. Beside damping, eigenvalues that rounding made negative are 0; without it they are raised above the level of rounding.
 *  @param note  told of eigenvalues raised where there is no damping */
export function decompose(
  bases: Eigenbases,
  { input, output, outputIsIdentity }: Factors,
  { input: damping }: Dampings,
  note: (message: string) => void,
): void {
  const least = damping > 0 ? 0 : undefined;
  bases.inputClipped = clippedEigen(input.value, bases.input, least);
  bases.outputClipped = outputIsIdentity === 1 ? 0 : clippedEigen(output.value, bases.output, least);
  if (damping > 0) return;
  for (const [side, clipped] of [['input', bases.inputClipped] as const, ['output', bases.outputClipped] as const])
    if (clipped > 0) note(`${side} factor: ${undampedAndSingular(clipped)}`);
}

/** x becomes Q_B' x Q_A ('in') or Q_B x Q_A' ('out'), in place. @param work  of x's shape */
export function rotate({ input, output }: Eigenbases, x: Matrix, way: 'in' | 'out', identityOutput: boolean, work: Matrix): Matrix {
  if (identityOutput) {
    work.data.set(x.data);
    return gemmInto(x, work, input.vectors, way === 'in' ? 'NN' : 'NT');
  }
  gemmInto(work, x, input.vectors, way === 'in' ? 'NN' : 'NT');
  return gemmInto(x, output.vectors, work, way === 'in' ? 'TN' : 'NN');
}

/** v_ij /= l_B,i l_A,j + damping or, without damping, by l_B,i l_A,j raised above the level of rounding. */
export function divideByEigenvalues(bases: Eigenbases, v: Matrix, damping: number, identityOutput: boolean): void {
  const { input, output } = bases;
  const least = dampingOrNoise(bases, damping, identityOutput);
  if (damping > 0) {
    divideByOuterSum(v, identityOutput ? null : output.values, input.values, damping);
    return;
  }
  for (let i = 0, at = 0; i < v.rows; i++)
    for (let j = 0; j < v.cols; j++, at++) v.data[at] /= Math.max(least, (identityOutput ? 1 : output.values[i]) * input.values[j]);
}

/** The damping or, without any, what rounding leaves of an eigenvalue 0 of B (x) A, which a quotient would multiply out into the step.
 *  @throws NumericalError SINGULAR without damping where a factor is zero */
export function dampingOrNoise(bases: Eigenbases, damping: number, identityOutput: boolean): number {
  bases.damping = damping;
  const least = damping > 0 ? damping : noiseFloor(bases.input) * (identityOutput ? 1 : bases.output.values.at(-1)!);
  if (least === 0) throw zeroFactor();
  return least;
}

export const inspectBases = ({ inputClipped, outputClipped, damping }: Eigenbases): Readonly<Record<string, number>> => ({
  damping,
  'input.clipped': inputClipped,
  'output.clipped': outputClipped,
});
