/** Numerical failures of an update, with the name of the parameter it was for. */
import { NumericalError } from '../errors.js';
import { norm, type Matrix } from '../linalg/index.js';

/** Runs a computation; a NumericalError it throws gets `subject` before its message. */
export function naming<T>(subject: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
    throw new NumericalError(error.code, `${subject}: ${error.message}`, { cause: error });
  }
}

/** @throws NumericalError NOT_FINITE */
export function requireFinite(subject: string, m: Matrix): void {
  if (!Number.isFinite(norm(m)))
    throw new NumericalError(
      'NOT_FINITE',
      `${subject} holds NaN or infinity; the gradient does, or its square leaves the range of ${m.dtype}: lower the learning rate, clip, or use float64`,
    );
}
