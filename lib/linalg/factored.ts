import { native } from '../native/index.js';
import { requirePositiveDefinite } from './cholesky.js';
import { epsilonOf, type Floats, Matrix, allocate } from './matrix.js';

/** A with the Cholesky factor of A + sigma I in its upper triangle; the lower one stays A's, and its diagonal is kept apart. */
export class Factored {
  readonly #a: Matrix;
  readonly #diagonal: Floats;
  readonly #ints = new Int32Array(4);

  constructor(a: Matrix) {
    this.#a = a;
    const n = a.rows;
    this.#diagonal = allocate(n, a.dtype);
    for (let i = 0; i < n; i++) this.#diagonal[i] = a.data[i * n + i];
  }

  factor(sigma: number): void {
    this.#ints[0] = this.#a.rows;
    const info = native.factorAbove(this.#ints.subarray(0, 1), sigma, this.#diagonal, this.#a.data);
    requirePositiveDefinite('shiftedSolve', info === 0 && sigma === 0 ? this.#noise() : info, this.#a.rows);
  }

  /** The order of the first minor that is singular to working precision (a pivot below the rounding of its own diagonal entry), or 0. */
  #noise(): number {
    const n = this.#a.rows;
    const share = n * epsilonOf(this.#a);
    for (let i = 0; i < n; i++) if (!(this.#a.data[i * n + i] ** 2 > share * this.#diagonal[i])) return i + 1;
    return 0;
  }

  /** x <- (A + sigma I)^-1 x, n x m. */
  solve(x: Matrix): Matrix {
    this.#ints.set([0, 1, x.rows, x.cols]);
    native.potrs(this.#ints, this.#a.data, x.data);
    return x;
  }

  /** r <- r - A x, n x m. */
  minusProduct(x: Matrix, r: Matrix): Matrix {
    const [n, m] = [x.rows, x.cols];
    native.symm(Int32Array.of(0, n, m), -1, this.#a.data, x.data, 1, r.data);
    // The product read the factor's diagonal in place of A's.
    for (let i = 0; i < n; i++) {
      const missing = this.#diagonal[i] - this.#a.data[i * n + i];
      for (let j = 0; j < m; j++) r.data[i * m + j] -= missing * x.data[i * m + j];
    }
    return r;
  }

  restore(): void {
    native.mirrorLower(Int32Array.of(this.#a.rows), this.#diagonal, this.#a.data);
  }
}
