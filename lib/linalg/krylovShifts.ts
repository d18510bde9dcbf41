/** The Lanczos process of shiftedSolve.ts: one Krylov space, and the solutions of every shift in it. */
import { NumericalError } from '../errors.js';
import { native } from '../native/index.js';
import type { Factored } from './factored.js';
import { gemm } from './gemm.js';
import { epsilonOf, Matrix, allocate } from './matrix.js';

const MOST_STEPS = 400;
/** Steps between two looks at convergence. */
const LOOK = 4;

export interface Krylov {
  /** n x (number of shifts). */
  readonly solutions: Matrix;
  readonly steps: number;
}

/** x for every shift from the Krylov space of C = (A + pole I)^-1 and C b. */
export function krylovShifts(factored: Factored, start: Matrix, pole: number, shifts: readonly number[], aim: number): Krylov {
  const n = start.rows;
  const size = native.nrm2(start.data);
  if (!(size > 0)) {
    if (Number.isNaN(size)) throw notFinite();
    return { solutions: Matrix.zeros(n, shifts.length, start.dtype), steps: 0 };
  }
  const most = Math.min(n, MOST_STEPS);
  const basis = Matrix.zeros(most, n, start.dtype); // its rows
  const [alphas, betas]: [number[], number[]] = [[], []];
  const u = start.clone();
  native.scale(1 / size, u.data);
  let steps = 0;
  let weights: Float64Array[] = [];
  const breakdown = n * epsilonOf(start);
  while (steps < most) {
    basis.data.set(u.data, steps * n);
    const own = Matrix.wrap(basis.data.subarray(0, (steps + 1) * n), steps + 1, n);
    factored.solve(u);
    alphas.push(native.dot(basis.data.subarray(steps * n, (steps + 1) * n), u.data));
    steps++;
    // Twice is enough (Parlett 1998, section 6.9).
    for (let pass = 0; pass < 2; pass++) {
      const overlap = allocate(steps, start.dtype);
      native.gemv(Int32Array.of(0, steps, n), 1, own.data, u.data, 0, overlap);
      native.gemv(Int32Array.of(1, steps, n), -1, own.data, overlap, 1, u.data);
    }
    const beta = native.nrm2(u.data);
    if (!Number.isFinite(beta)) throw notFinite();
    const closed = beta <= breakdown * Math.abs(alphas[0]) || steps === most;
    if (closed || steps % LOOK === 0) {
      weights = shifts.map((s) => tridiagonal(alphas, betas, s - pole, size));
      if (closed || shifts.every((s, k) => missing(s, pole, beta, weights[k]) <= aim)) break;
    }
    betas.push(beta);
    native.scale(1 / beta, u.data);
  }
  const y = Matrix.zeros(steps, shifts.length, start.dtype);
  weights.forEach((w, k) => w.forEach((value, i) => (y.data[i * shifts.length + k] = value)));
  return { solutions: gemm(Matrix.wrap(basis.data.subarray(0, steps * n), steps, n), y, { transposeA: true }), steps };
}

/** An upper bound of |x - exact| / |x|: the residual is (s - pole) beta y_k v_(k+1), and I + (s - pole) C at least min(1, s/pole). */
function missing(shift: number, pole: number, beta: number, y: Float64Array): number {
  const residual = Math.abs(shift - pole) * beta * Math.abs(y[y.length - 1]);
  return residual / (Math.min(1, shift / pole) * Math.hypot(...y));
}

/** (I + delta T)^-1 size e_1 for the tridiagonal T, which is definite. */
function tridiagonal(alphas: readonly number[], betas: readonly number[], delta: number, size: number): Float64Array {
  const k = alphas.length;
  const [pivots, y] = [new Float64Array(k), new Float64Array(k)];
  for (let i = 0; i < k; i++) {
    pivots[i] = 1 + delta * alphas[i];
    y[i] = i === 0 ? size : 0;
    if (i === 0) continue;
    const factor = (delta * betas[i - 1]) / pivots[i - 1];
    pivots[i] -= factor * delta * betas[i - 1];
    y[i] -= factor * y[i - 1];
  }
  for (let i = k - 1; i >= 0; i--) y[i] = (y[i] - (i + 1 < k ? delta * betas[i] * y[i + 1] : 0)) / pivots[i];
  return y;
}

export const notFinite = (): NumericalError =>
  new NumericalError('NOT_FINITE', 'shiftedSolve: a right-hand side or the matrix holds NaN or infinity');
