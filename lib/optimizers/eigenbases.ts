/** Eigenbases of a weight's Kronecker factors, A = Q_A diag(l_A) Q_A' and B = Q_B diag(l_B) Q_B'. */
import { gemmInto, Matrix, type SymmetricEigen } from '../linalg/index.js';
import { clippedEigen, noiseFloor, undampedAndSingular } from './inverse.js';
import type { Dampings, Factors } from './kronecker.js';

export interface Eigenbases {
  readonly input: SymmetricEigen; // of A
  readonly output: SymmetricEigen; // of B
  inputClipped: number;
  outputClipped: number;
  /** lambda when they were renewed. */
  damping: number;
}

export function eigenbases(like: Matrix, m: number, n: number): Eigenbases {
  const side = (size: number): SymmetricEigen => ({
    values: Matrix.zeros(1, size, like.dtype).data,
    vectors: Matrix.zeros(size, size, like.dtype),
  });
  return { input: side(n), output: side(m), inputClipped: 0, outputClipped: 0, damping: 0 };
}

/** Renews them. @param note  told of eigenvalues clipped where there is no damping */
export function decompose(
  bases: Eigenbases,
  { input, output, outputIsIdentity }: Factors,
  { input: damping }: Dampings,
  note: (message: string) => void,
): void {
  bases.damping = damping;
  bases.inputClipped = clippedEigen(input.value, bases.input);
  bases.outputClipped = outputIsIdentity === 1 ? 0 : clippedEigen(output.value, bases.output);
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

/** What rounding leaves of an eigenvalue 0 of B (x) A; 0 where a factor is. */
export const noiseFloorOf = ({ input, output }: Eigenbases, identityOutput: boolean): number =>
  noiseFloor(input) * (identityOutput ? 1 : output.values.at(-1)!);

export const inspectBases = ({ inputClipped, outputClipped, damping }: Eigenbases): Readonly<Record<string, number>> => ({
  damping,
  'input.clipped': inputClipped,
  'output.clipped': outputClipped,
});
