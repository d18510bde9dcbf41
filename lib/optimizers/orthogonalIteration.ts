/**
 * Eigenbases that follow their matrix: one step of orthogonal iteration, Q <- the orthonormal factor of S Q with its columns sorted by
 * Rayleigh quotients, in place of an eigen-decomposition (Vyas et al. 2024; Golub & Van Loan, section 8.2).
 */
import { gemm, gemmInto, qr, type Dtype, type Floats, type Matrix } from '../linalg/index.js';
import { requireFinite } from './guards.js';
import { overlaid } from './scratch.js';

/** Scratch of one n x n matrix. */
export interface Iteration {
  readonly image: Matrix; // n x n
  readonly sorted: Matrix; // n x n
  /** Rayleigh quotients of the basis before, in its order. */
  readonly values: Floats; // n
  /** Column j of the new basis comes from column order[j]: quotients descend. */
  readonly order: Int32Array; // n
}

/** Lying over one another: each lasts until the next iteration. */
export function iterations(sizes: readonly number[], dtype: Dtype): Iteration[] {
  const squares = sizes.map((n) => [n, n] as const);
  const columns = sizes.map((n) => [n, 1] as const);
  const [image, sorted, values] = [overlaid(squares, dtype), overlaid(squares, dtype), overlaid(columns, dtype)];
  return sizes.map((n, k) => ({ image: image[k], sorted: sorted[k], values: values[k].data, order: new Int32Array(n) }));
}

/** @param s  n x n symmetric; @param basis  n x n orthogonal, replaced. Cost 2n^3 and a QR, 8n^3/3. */
export function iterateBasis(s: Matrix, basis: Matrix, { image, sorted, values, order }: Iteration): void {
  const n = s.rows;
  gemmInto(image, s, basis);
  values.fill(0);
  const [q, f] = [basis.data, image.data];
  for (let r = 0, at = 0; r < n; r++) for (let c = 0; c < n; c++, at++) values[c] += q[at] * f[at];
  order.forEach((_, c) => (order[c] = c));
  order.sort((a, b) => values[b] - values[a] || a - b);
  reorder(image, null, order, sorted);
  requireFinite('a refreshed basis', qr(sorted, { q: basis, r: image }).q);
}

/** out = x with row r from row rows[r] and column c from column cols[c], where given. */
export function reorder(x: Matrix, rows: Int32Array | null, cols: Int32Array | null, out: Matrix): void {
  const [from, to, width] = [x.data, out.data, x.cols];
  for (let r = 0; r < x.rows; r++) {
    const source = (rows === null ? r : rows[r]) * width;
    const target = r * width;
    if (cols === null) for (let c = 0; c < width; c++) to[target + c] = from[source + c];
    else for (let c = 0; c < width; c++) to[target + c] = from[source + cols[c]];
  }
}

/** How far a basis is from eigenvectors: the share of |S| that Q'SQ has off its diagonal, in [0, 1]. 0 for S = 0. */
export function basisError(s: Matrix, basis: Matrix): number {
  const q = basis.clone('float64');
  const { data, rows: n } = gemm(gemm(q, s.clone('float64'), { transposeA: true }), q);
  let [off, all] = [0, 0];
  for (let i = 0, at = 0; i < n; i++)
    for (let j = 0; j < n; j++, at++) {
      all += data[at] ** 2;
      if (i !== j) off += data[at] ** 2;
    }
  return all > 0 ? Math.sqrt(off / all) : 0;
}
