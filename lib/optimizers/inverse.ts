/**
 * Inverses and powers (F + damping I)^-e of one side's factor, computed now and then and held in between (they are state: a resumed run
 * needs the stale ones). An inverse is a Cholesky factor and a solve; where the factorisation fails, ten times the damping; where that
 * fails too, the eigen-decomposition with its eigenvalues clipped from below. Whatever was done beyond the plain way is noted.
 */
import { NumericalError } from '../errors.js';
import {
  addToDiagonal,
  cholesky,
  choleskySolve,
  copy,
  epsilonOf,
  gemmInto,
  Matrix,
  scaleColumns,
  symmetricEigen,
  type SymmetricEigen,
} from '../linalg/index.js';

const CHOLESKY = 0;
const EXPLICIT = 1;

export interface Inverse {
  /** n x n: the Cholesky factor of F + damping I, or the power itself. */
  readonly matrix: Matrix;
  form: number;
  /** What was added to the diagonal. */
  damping: number;
  /** Eigenvalues that were raised. */
  clipped: number;
  /** How often the plain way failed. */
  fallbacks: number;
  /** Made when first needed. */
  readonly work: { eigen?: SymmetricEigen; scaled?: Matrix };
}

export function makeInverse(like: Matrix, n: number): Inverse {
  return { matrix: Matrix.zeros(n, n, like.dtype), form: CHOLESKY, damping: 0, clipped: 0, fallbacks: 0, work: {} };
}

/** Recomputes it for the factor as it stands.
 *  @param note  told when the plain way failed
 *  @throws NumericalError NOT_FINITE for a factor that is not of numbers; SINGULAR for a zero one without damping */
export function invert(held: Inverse, factor: Matrix, damping: number, exponent: number, note: (message: string) => void): void {
  held.clipped = 0;
  if (exponent !== 1) {
    explicitPower(held, factor, damping, exponent);
    if (damping === 0 && held.clipped > 0) note(undampedAndSingular(held.clipped));
    return;
  }
  if (factorised(held, factor, damping)) return;
  held.fallbacks++;
  const more = 10 * damping;
  if (damping > 0 && factorised(held, factor, more)) {
    note(`factorisation failed with damping ${short(damping)}, done with ${short(more)}`);
    return;
  }
  explicitPower(held, factor, damping, 1);
  const tried = damping > 0 ? `with damping ${short(damping)} and ten times that` : 'without damping';
  note(`factorisation failed ${tried}: eigen-decomposition, ${held.clipped} eigenvalues clipped`);
}

/** x <- (F + damping I)^-e x (left) or x (F + damping I)^-e (right), in place. @param work  of x's shape */
export function applyInverse({ matrix, form }: Inverse, x: Matrix, side: 'left' | 'right', work: Matrix): Matrix {
  if (form === CHOLESKY) return choleskySolve(matrix, x, side, x);
  copy(x, work);
  return side === 'left' ? gemmInto(x, matrix, work) : gemmInto(x, work, matrix);
}

function factorised(held: Inverse, factor: Matrix, damping: number): boolean {
  const { matrix } = held;
  addToDiagonal(copy(factor, matrix), damping);
  try {
    cholesky(matrix, matrix);
  } catch (error) {
    if (error instanceof NumericalError) return false;
    throw error;
  }
  // A pivot at the level of rounding is noise: the solve would multiply it out into the step.
  const n = matrix.rows;
  const noise = n * epsilonOf(matrix);
  for (let i = 0; i < n; i++) if (!(matrix.data[i * n + i] ** 2 > noise * (factor.data[i * n + i] + damping))) return false;
  held.form = CHOLESKY;
  held.damping = damping;
  return true;
}

/** Q (l + damping)^-e Q' with eigenvalues l of at least n eps times the largest. */
function explicitPower(held: Inverse, factor: Matrix, damping: number, exponent: number): void {
  const { matrix, work } = held;
  const { rows: n, dtype } = matrix;
  const eigen = (work.eigen ??= { values: Matrix.zeros(1, n, dtype).data, vectors: Matrix.zeros(n, n, dtype) });
  const scaled = (work.scaled ??= Matrix.zeros(n, n, dtype));
  held.clipped = clippedEigen(factor, eigen);
  copy(eigen.vectors, scaled);
  for (let i = 0; i < n; i++) eigen.values[i] = (eigen.values[i] + damping) ** -exponent;
  if (!eigen.values.every(Number.isFinite)) throw zeroFactor();
  gemmInto(matrix, scaleColumns(scaled, eigen.values), eigen.vectors, 'NT');
  held.form = EXPLICIT;
  held.damping = damping;
}

/** The eigen-decomposition of a positive semi-definite matrix, ascending, with eigenvalues raised to at least `least`: by default n eps
 *  times the largest, below which they are rounding errors.
 *  @returns how many were raised  @throws NumericalError NOT_FINITE */
export function clippedEigen(factor: Matrix, into: SymmetricEigen, least?: number): number {
  const { values } = symmetricEigen(factor, into);
  const floor = least ?? noiseFloor(into);
  let raised = 0;
  for (let i = 0; i < values.length && values[i] < floor; i++) {
    values[i] = floor;
    raised++;
  }
  return raised;
}

/** For the record, where an eigen-decomposition is the plain way, and no damping there beside which the clipping would not matter. */
export const undampedAndSingular = (clipped: number): string => `undamped and singular, ${clipped} eigenvalues clipped`;

/** What there is to say where the damped eigenvalues are (nearly) zero, clipped or not. */
export const zeroFactor = (): NumericalError =>
  new NumericalError('SINGULAR', 'a factor is zero (no signal has reached this layer) and undamped; use damping above 0');

/** What rounding leaves of an eigenvalue 0: n eps times the largest. */
export const noiseFloor = ({ values, vectors }: SymmetricEigen): number =>
  Math.max(0, values.length * epsilonOf(vectors) * (values.at(-1) ?? 0));

const short = (x: number): string => String(Number(x.toPrecision(3)));
