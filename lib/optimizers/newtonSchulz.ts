/**
 * The polar factor U V' of a matrix G = U diag(s) V', exactly and by the quintic Newton-Schulz iteration of Muon (Jordan et al. 2024):
 *   X = G / (|G|_F + 1e-7), transposed if tall; `steps` times S = X X', X <- a X + (b S + c S^2) X; transposed back.
 * With Muon's a, b, c the singular values do not settle at 1 but within about [0.68, 1.13]; that is its design.
 */
import { addToDiagonal, copy, epsilonOf, gemmInto, Matrix, norm, scale, scaleColumns, svd, syrkInto, transpose } from '../linalg/index.js';
import type { Dtype, Svd } from '../linalg/index.js';
import { overlaid } from './scratch.js';

/** a, b, c. */
export type Quintic = readonly [number, number, number];
export const MUON_QUINTIC: Quintic = [3.4445, -4.775, 2.0315];
const NORM_EPSILON = 1e-7;

/** Scratch for one shape, k = min(rows, cols) and l the other. */
export interface NewtonSchulzWork {
  readonly x: Matrix; // k x l
  readonly next: Matrix; // k x l
  readonly gram: Matrix; // k x k, S
  readonly polynomial: Matrix; // k x k
}

/** Scratch for matrices of these shapes that are worked on one after another, in the memory of the largest. */
export function newtonSchulzWorks(shapes: readonly (readonly [rows: number, cols: number])[], dtype: Dtype): NewtonSchulzWork[] {
  const wide = shapes.map(([rows, cols]) => [Math.min(rows, cols), Math.max(rows, cols)] as const);
  const square = wide.map(([k]) => [k, k] as const);
  const [x, next, gram, polynomial] = [wide, wide, square, square].map((list) => overlaid(list, dtype));
  return shapes.map((_, i) => ({ x: x[i], next: next[i], gram: gram[i], polynomial: polynomial[i] }));
}

/** g becomes its approximate polar factor, in place; zero stays zero. Cost steps (3 k^2 l + k^3), with S and its square symmetric. @returns g */
export function newtonSchulz(g: Matrix, steps: number, [a, b, c]: Quintic, work: NewtonSchulzWork): Matrix {
  const tall = g.rows > g.cols;
  let { x, next } = work;
  if (tall) transpose(g, x);
  else copy(g, x);
  scale(1 / (norm(g) + NORM_EPSILON), x);
  for (let step = 0; step < steps; step++) {
    const s = syrkInto(work.gram, x, false);
    const polynomial = syrkInto(copy(s, work.polynomial), s, false, c, b); // b S + c S^2: S is symmetric
    gemmInto(next, addToDiagonal(polynomial, a), x);
    [x, next] = [next, x];
  }
  return tall ? transpose(x, g) : copy(x, g);
}

/** Scratch of polarFactor for matrices of these shapes that are worked on one after another, in the memory of the largest. */
export function polarWorks(shapes: readonly (readonly [rows: number, cols: number])[], dtype: Dtype): Svd[] {
  const k = shapes.map(([rows, cols]) => Math.min(rows, cols));
  const u = overlaid(
    shapes.map(([rows], i) => [rows, k[i]]),
    dtype,
  );
  const vt = overlaid(
    shapes.map(([, cols], i) => [k[i], cols]),
    dtype,
  );
  const s = overlaid(
    k.map((length) => [length, 1]),
    dtype,
  );
  return shapes.map((_, i) => ({ u: u[i], s: s[i].data, vt: vt[i] }));
}

/** g becomes U V' over its nonzero singular values (those above max(m, n) epsilon s_1), in place, so that zero stays zero.
 *  @param work  from polarWorks, for g's shape; @returns g */
export function polarFactor(g: Matrix, work?: Svd): Matrix {
  const { u, s, vt } = svd(g, work);
  const threshold = Math.max(g.rows, g.cols) * epsilonOf(g) * (s.at(0) ?? 0);
  for (let j = 0; j < s.length; j++) s[j] = s[j] > threshold ? 1 : 0;
  return gemmInto(g, scaleColumns(u, s), vt);
}
