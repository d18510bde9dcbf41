/** Conjugate gradients (Hestenes & Stiefel 1952) over lists of matrices, one a parameter. */
import { NumericalError } from '../errors.js';
import { axpby, copy, dot, Matrix } from '../linalg/index.js';

export interface ConjugateGradients {
  /** Solution of the last call, and where the next one may begin. */
  readonly solution: Matrix[];
  readonly work: { readonly residual: Matrix[]; readonly direction: Matrix[]; readonly product: Matrix[] };
}

export function conjugateGradientState(like: readonly Matrix[]): ConjugateGradients {
  const alike = (): Matrix[] => like.map((p) => Matrix.zeros(p.rows, p.cols, p.dtype));
  return { solution: alike(), work: { residual: alike(), direction: alike(), product: alike() } };
}

export interface Outcome {
  readonly iterations: number;
  /** |b - A x| / |b|; 0 for b = 0. */
  readonly residual: number;
}

/** Solves A x = b for a symmetric positive definite A, from the solution held; stops at the relative residual `tolerance`, after
 *  `iterations`, or where a direction has no curvature left (rounding), which is not an error: the best solution so far stays.
 *  @param times  out = A direction
 *  @throws NumericalError NOT_FINITE */
export function conjugateGradients(
  { solution: x, work: { residual: r, direction: d, product } }: ConjugateGradients,
  times: (direction: readonly Matrix[], out: readonly Matrix[]) => void,
  b: readonly Matrix[],
  { iterations, tolerance }: { readonly iterations: number; readonly tolerance: number },
): Outcome {
  const size = inner(b, b);
  times(x, product);
  for (let p = 0; p < b.length; p++) {
    copy(b[p], r[p]);
    axpby(-1, product[p], 1, r[p]);
    copy(r[p], d[p]);
  }
  let square = inner(r, r);
  requireNumber(square, 'the right-hand side, or the product with the start,');
  let taken = 0;
  while (taken < iterations && square > tolerance ** 2 * size) {
    times(d, product);
    const curvature = inner(d, product);
    requireNumber(curvature, `a product in iteration ${taken + 1}`);
    if (curvature <= 0) break;
    const step = square / curvature;
    for (let p = 0; p < b.length; p++) {
      axpby(step, d[p], 1, x[p]);
      axpby(-step, product[p], 1, r[p]);
    }
    const before = square;
    square = inner(r, r);
    requireNumber(square, `the residual of iteration ${taken + 1}`);
    for (let p = 0; p < b.length; p++) axpby(1, r[p], square / before, d[p]);
    taken++;
  }
  return { iterations: taken, residual: size === 0 ? 0 : Math.sqrt(square / size) };
}

function requireNumber(value: number, what: string): void {
  if (!Number.isFinite(value))
    throw new NumericalError(
      'NOT_FINITE',
      `conjugateGradients: ${what} holds NaN or infinity, or its square leaves the range; lower the learning rate, or use float64`,
    );
}

const inner = (a: readonly Matrix[], b: readonly Matrix[]): number => a.reduce((sum, m, p) => sum + dot(m, b[p]), 0);
