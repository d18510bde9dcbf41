/**
 * Inverse roots (s A + epsilon I)^-e of symmetric positive semi-definite matrices, computed in float64 whatever the dtype of A, or in A's:
 *   eigen   V diag((s w - min(0, least s w) + epsilon)^-e) V' from A = V diag(w) V': where rounding made eigenvalues of A negative, all
 *           are shifted so that the least one becomes epsilon. Any real e (as in Shi et al. 2023's code).
 *   newton  the coupled iteration for e = 1/p, p an integer (Iannazzo 2006; Guo & Higham 2006, as used by Anil et al. 2020):
 *           B = s A + epsilon I, z = (p + 1)/(2 |B|_F), X = z^(1/p) I, M = z B; repeat T = ((p + 1) I - M)/p, X <- X T, M <- T^p M until
 *           max |M - I| <= tolerance. M X^-p stays B, so M = I makes X the root. It does not shift: a float32 factor is indefinite by
 *           rounding, about 1e-7 |A|, and with an epsilon below that it often fails.
 */
import { NumericalError } from '../errors.js';
import { addToDiagonal, axpby, copy, gemmInto, Matrix, norm, scale, scaleColumns, symmetricEigen, syrkInto } from '../linalg/index.js';
import type { Dtype, SymmetricEigen } from '../linalg/index.js';
import { overlaid } from './scratch.js';

/** Scratch of one root; roots that are computed one after another share its memory. All in the dtype that the root is computed in. */
export interface RootWork {
  readonly eigen: SymmetricEigen; // n, n x n
  /** n x n, where the result is of another dtype; else 0 x 0. */
  readonly result: Matrix;
  /** M, X, T and the next of each, n x n; null without Newton. */
  readonly newton: readonly Matrix[] | null;
}

/** Scratch for roots of matrices of these sizes and dtype, in the memory of the largest. @param precision  what they are computed in */
export function rootWorks(sizes: readonly number[], dtype: Dtype, newton: boolean, precision: Dtype = 'float64'): RootWork[] {
  const squares = (): Matrix[] =>
    overlaid(
      sizes.map((n) => [n, n]),
      precision,
    );
  const [vectors, values] = [
    squares(),
    overlaid(
      sizes.map((n) => [n, 1]),
      precision,
    ),
  ];
  const results = dtype === precision ? sizes.map(() => Matrix.zeros(0, 0, dtype)) : squares();
  const buffers = newton ? Array.from({ length: 6 }, squares) : null;
  return sizes.map((_, k) => ({
    eigen: { values: values[k].data, vectors: vectors[k] },
    result: results[k],
    newton: buffers === null ? null : buffers.map((b) => b[k]),
  }));
}

export interface RootOptions {
  /** e > 0; for Newton 1 / e must be an integer. */
  readonly exponent: number;
  /** epsilon >= 0. */
  readonly epsilon: number;
  /** s > 0. */
  readonly scale: number;
  readonly method: 'eigen' | 'newton';
}

/** out = (scale A + epsilon I)^-exponent.
 *  @param a     n x n symmetric positive semi-definite up to rounding; not modified
 *  @param work  from rootWorks, for n and a's dtype
 *  @returns null, or, where Newton did not converge and the eigen-decomposition was used, a sentence that says so
 *  @throws NumericalError NOT_FINITE; SINGULAR when the least eigenvalue and epsilon are both 0 */
export function inverseRoot(out: Matrix, a: Matrix, options: RootOptions, work: RootWork): string | null {
  const given = options.method === 'newton' ? newtonRoot(out, a, options, work) : null;
  if (given?.converged === true) return null;
  eigenRoot(out, a, options, work);
  return given === null
    ? null
    : `coupled Newton did not converge (max |M - I| was ${given.error.toPrecision(3)} after ${given.iterations} iterations); took the eigen-decomposition`;
}

/** The same by eigen-decomposition. Cost about 9 n^3 for the eigenvectors and n^3 for the product. */
export function eigenRoot(out: Matrix, a: Matrix, { exponent, epsilon, scale: s }: Omit<RootOptions, 'method'>, work: RootWork): void {
  const { vectors, values } = work.eigen;
  vectors.data.set(a.data);
  symmetricEigen(scale(s, vectors), work.eigen);
  // In this order: epsilon would be lost in a shift that is far larger.
  const least = Math.min(0, values[0] ?? 0);
  for (let j = 0; j < values.length; j++) values[j] = (values[j] - least + epsilon) ** (-exponent / 2);
  if (!Number.isFinite(values[0] ?? 0))
    throw new NumericalError('SINGULAR', 'the least eigenvalue of a factor is 0, it has no inverse root; use an epsilon above 0');
  // V w^-e V' as the Gram matrix of V w^(-e/2): symmetric to the bit.
  scaleColumns(vectors, values);
  if (out.dtype === vectors.dtype) syrkInto(out, vectors, false);
  else out.data.set(syrkInto(work.result, vectors, false).data);
}

export interface NewtonOutcome {
  readonly converged: boolean;
  readonly iterations: number;
  /** max |M - I| at the end. */
  readonly error: number;
}

/** The iteration counts as failed once max |M - I| grows by this factor. In exact arithmetic all eigenvalues of M are in (0, 1] after the
 *  first iteration and increase, and max |M - I|, the largest diagonal entry of I - M, falls; in the first it may grow. */
const GROWTH = 1.2;

/** The same by coupled Newton; out is written where it converged.
 *  @throws NumericalError NOT_FINITE
 *  Cost (2 + log2 p) 2 n^3 an iteration. */
export function newtonRoot(
  out: Matrix,
  a: Matrix,
  { exponent, epsilon, scale: s }: Omit<RootOptions, 'method'>,
  work: RootWork,
  tolerance = 1e-6,
  maxIterations = 100,
): NewtonOutcome {
  const p = Math.round(1 / exponent);
  let [m, x, t, nextM, nextX, nextT] = work.newton!;
  m.data.set(a.data);
  addToDiagonal(scale(s, m), epsilon);
  const size = norm(m);
  if (!Number.isFinite(size)) throw new NumericalError('NOT_FINITE', 'a factor holds NaN or infinity; look for a diverged run');
  const z = (p + 1) / (2 * size);
  scale(z, m);
  x.data.fill(0);
  addToDiagonal(x, z ** (1 / p));
  let [error, before, iterations] = [distanceToIdentity(m), Infinity, 0];
  while (error > tolerance && iterations < maxIterations && error <= GROWTH * before) {
    addToDiagonal(axpby(-1 / p, m, 0, t), (p + 1) / p);
    gemmInto(nextX, x, t);
    [x, nextX] = [nextX, x];
    for (let rest = p; rest > 0; rest >>= 1) {
      if (rest % 2 === 1) {
        gemmInto(nextM, t, m);
        [m, nextM] = [nextM, m];
      }
      if (rest > 1) {
        gemmInto(nextT, t, t);
        [t, nextT] = [nextT, t];
      }
    }
    before = iterations === 0 ? Infinity : error;
    error = distanceToIdentity(m);
    iterations++;
  }
  const converged = error <= tolerance;
  if (converged && out.dtype === x.dtype) copy(x, out);
  else if (converged) out.data.set(x.data);
  return { converged, iterations, error };
}

/** max |M - I|; NaN where an entry is. */
function distanceToIdentity(m: Matrix): number {
  let most = 0;
  for (let i = 0; i < m.rows; i++)
    for (let j = 0; j < m.cols; j++) most = Math.max(most, Math.abs(m.data[i * m.cols + j] - (i === j ? 1 : 0)));
  return most;
}
