import { NumericalError } from '../errors.js';

/** The native layer's word for an input with NaN or infinity in it. */
const NOT_FINITE = -1;

/** Refuses a result of an iterative routine: a NaN or infinity went in, or the iteration did not converge. */
export function requireConverged(op: string, info: number): void {
  if (info === NOT_FINITE)
    throw new NumericalError(
      'NOT_FINITE',
      `${op}: the input holds NaN or infinity; look for a diverged run or a division by zero before this call`,
    );
  if (info > 0)
    throw new NumericalError(
      'NOT_CONVERGED',
      `${op}: LAPACK's iteration did not converge (info ${info}); rescale the matrix towards norm 1, or add a small multiple of the identity`,
    );
}
