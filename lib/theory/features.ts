/**
 * The population second moments of random features z = s(G x), x ~ N(0, Sigma): with h = G x and K = G Sigma G',
 *   E z_i z_j = sum_k mu_k(i) mu_k(j) (K_ij / sqrt(K_ii K_jj))^k,   mu_k(i) = E[s(sqrt(K_ii) w) h_k(w)], w ~ N(0, 1)
 * (Mehler's formula). The sample moments Z'Z/n of concentrated features follow the deterministic equivalent of a sample covariance with
 * this population (Louart, Liao & Couillet 2018): give its eigenvalues to `marchenkoPastur`.
 */
import { ArgumentError } from '../errors.js';
import { Matrix } from '../linalg/index.js';
import { expectationOf, hermiteCoefficients, teacherLink, type Teacher } from './moments.js';

/** Orders of the series off the diagonal: correlations of random directions are small, and the diagonal is exact. */
const ORDERS = 12;
/** Of sqrt(K_ii): coefficients vary smoothly with it, and are interpolated between so many. */
const GRID = 33;

/** @param hidden  K = G Sigma G', h x h, symmetric; @param activation  s
 *  @returns h x h
 *  @throws ArgumentError unless K is square with a positive diagonal */
export function featureMoments(hidden: Matrix, activation: Teacher): Matrix {
  const { rows: h, cols } = hidden;
  if (h !== cols) throw new ArgumentError(`featureMoments: K must be square, got ${h} x ${cols}`);
  const deviations = Float64Array.from({ length: h }, (_, i) => Math.sqrt(hidden.data[i * h + i]));
  if (!deviations.every((s) => s > 0)) throw new ArgumentError('featureMoments: the diagonal of K must be positive');
  const link = teacherLink(activation);
  const [least, most] = [Math.min(...deviations), Math.max(...deviations)];
  const span = most - least;
  const count = span < 1e-12 * most ? 1 : GRID;
  const scales = Array.from({ length: count }, (_, g) => (count === 1 ? most : chebyshev(least, most, g, count)));
  const tables = scales.map((scale) => ({
    mu: hermiteCoefficients(link, scale, ORDERS),
    second: expectationOf(link, scale, (_z, v) => v * v),
  }));
  const barycentric = scales.map((_, g) => (g % 2 === 0 ? 1 : -1) * (g === 0 || g === count - 1 ? 0.5 : 1));
  const at = (s: number, of: (table: (typeof tables)[number]) => number): number => {
    let [numerator, denominator] = [0, 0];
    for (let g = 0; g < count; g++) {
      if (s === scales[g] || count === 1) return of(tables[g]);
      const w = barycentric[g] / (s - scales[g]);
      numerator += w * of(tables[g]);
      denominator += w;
    }
    return numerator / denominator;
  };
  const mu = Array.from({ length: ORDERS + 1 }, (_, k) => deviations.map((s) => at(s, (t) => t.mu[k])));
  const out = Matrix.zeros(h, h);
  for (let i = 0; i < h; i++) {
    out.data[i * h + i] = at(deviations[i], (t) => t.second);
    for (let j = 0; j < i; j++) {
      const r = hidden.data[i * h + j] / (deviations[i] * deviations[j]);
      let value = 0;
      for (let k = ORDERS; k >= 0; k--) value = value * r + mu[k][i] * mu[k][j];
      out.data[i * h + j] = out.data[j * h + i] = value;
    }
  }
  return out;
}

/** The g-th of `count` Chebyshev points of the second kind. */
const chebyshev = (low: number, high: number, g: number, count: number): number =>
  (low + high) / 2 + ((high - low) / 2) * Math.cos((Math.PI * g) / (count - 1));
