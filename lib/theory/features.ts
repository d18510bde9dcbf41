/**
 * The population second moments of random features z = s(G x), x ~ N(0, Sigma): with h = G x and K = G Sigma G',
 *   E z_i z_j = sum_k mu_k(i) mu_k(j) (K_ij / sqrt(K_ii K_jj))^k,   mu_k(i) = E[s(sqrt(K_ii) w) h_k(w)], w ~ N(0, 1)
 * (Mehler's formula). The sample moments Z'Z/n of concentrated features follow the deterministic equivalent of a sample covariance with
 * this population (Louart, Liao & Couillet 2018): give its eigenvalues to `marchenkoPastur`.
 */
import { ArgumentError, NumericalError } from '../errors.js';
import { Matrix } from '../linalg/index.js';
import type { Link } from '../links/index.js';
import { expectationOf, hermiteCoefficients, teacherLink, type Teacher } from './moments.js';

/** Orders of the series tried off the diagonal: correlations of random directions are small, and a few will do. The diagonal is exact. */
const ORDERS = [12, 48];
/** What entries may be off by, of the largest second moment. */
const ACCURACY = 1e-3;
/** Scales at which coefficients are computed; between them they are interpolated. */
const GRIDS = [1, 17, 33, 65, 129];
const INTERPOLATION = 1e-7;

/** Entries are within 1e-3 of the largest second moment, and as a rule 1e-8: the series is checked by what is left of it.
 *  @param hidden  K = G Sigma G', h x h, symmetric; @param activation  s
 *  @returns h x h
 *  @throws ArgumentError unless K is a covariance with a positive diagonal; NumericalError NOT_CONVERGED where two features are so nearly
 *  parallel, and s so rough, that the series has not ended by order 48 */
export function featureMoments(hidden: Matrix, activation: Teacher): Matrix {
  const { rows: h, cols } = hidden;
  if (h !== cols || h === 0) throw new ArgumentError(`featureMoments: K must be square and not empty, got ${h} x ${cols}`);
  const deviations = Float64Array.from({ length: h }, (_, i) => Math.sqrt(hidden.data[i * h + i]));
  if (!deviations.every((s) => s > 0 && s < Infinity)) throw new ArgumentError('featureMoments: the diagonal of K must be positive');
  const closest = largestCorrelation(hidden, deviations);
  const link = teacherLink(activation);
  for (const orders of ORDERS) {
    const { mu, second } = coefficientsAt(link, deviations, orders);
    // The rest of the series at i, j is at most sqrt(rest_i rest_j) r^(orders + 1).
    const rest = deviations.map((_, i) => Math.max(0, second[i] - mu.reduce((sum, m) => sum + m[i] * m[i], 0)));
    const most = second.reduce((a, b) => Math.max(a, b), 0);
    const off = rest.reduce((a, b) => Math.max(a, b), 0) * closest ** (orders + 1);
    if (off > (orders === ORDERS[ORDERS.length - 1] ? ACCURACY : 1e-8) * most) continue;
    const out = Matrix.zeros(h, h);
    for (let i = 0; i < h; i++) {
      out.data[i * h + i] = second[i];
      for (let j = 0; j < i; j++) {
        const r = hidden.data[i * h + j] / (deviations[i] * deviations[j]);
        let value = 0;
        for (let k = orders; k >= 0; k--) value = value * r + mu[k][i] * mu[k][j];
        out.data[i * h + j] = out.data[j * h + i] = value;
      }
    }
    return out;
  }
  throw new NumericalError(
    'NOT_CONVERGED',
    `featureMoments: two features have a correlation of ${closest}, too close to 1 for the series of this activation`,
  );
}

/** @throws ArgumentError where an entry is no covariance of its row and column */
function largestCorrelation({ rows: h, data }: Matrix, deviations: Float64Array): number {
  let most = 0;
  for (let i = 0; i < h; i++)
    for (let j = 0; j < i; j++) {
      const r = Math.abs(data[i * h + j]) / (deviations[i] * deviations[j]);
      if (!(r <= 1 + 1e-9))
        throw new ArgumentError(`featureMoments: K[${i}, ${j}] is ${data[i * h + j]}, which no covariance with this diagonal has`);
      most = Math.max(most, Math.min(1, r));
    }
  return most;
}

interface Coefficients {
  /** mu_k of each feature, for k = 0 ... orders. */
  readonly mu: readonly Float64Array[];
  /** E s^2 of each feature. */
  readonly second: Float64Array;
}

/** At every deviation, from a few of them: polynomials in log s through Chebyshev points, on a grid that is refined until what lies
 *  between its points agrees. */
function coefficientsAt(link: Link, deviations: Float64Array, orders: number): Coefficients {
  const logs = deviations.map(Math.log);
  const [low, high] = [logs.reduce((a, b) => Math.min(a, b)), logs.reduce((a, b) => Math.max(a, b))];
  const exact = (log: number): Float64Array => {
    const scale = Math.exp(log);
    return Float64Array.of(
      ...hermiteCoefficients(link, scale, orders),
      expectationOf(link, scale, (_z, v) => v * v),
    );
  };
  const grids = high - low < 1e-13 ? GRIDS.slice(0, 1) : GRIDS.slice(1);
  for (const count of grids) {
    const points = Array.from({ length: count }, (_, g) =>
      count === 1 ? high : (low + high) / 2 + ((high - low) / 2) * Math.cos((Math.PI * g) / (count - 1)),
    );
    const at = barycentric(points, points.map(exact)); // prettier-ignore
    const agrees = [0.137, 0.5 + 0.01 / count, 0.871].every((share) => {
      if (count === 1) return true;
      const log = low + share * (high - low);
      const [a, b] = [at(log), exact(log)];
      const size = Math.sqrt(b[b.length - 1]);
      return a.every((x, k) => Math.abs(x - b[k]) <= INTERPOLATION * (k === orders + 1 ? b[k] : size));
    });
    if (!agrees) continue;
    const all = Array.from(logs, at);
    return {
      mu: Array.from({ length: orders + 1 }, (_, k) => Float64Array.from(all, (c) => c[k])),
      second: Float64Array.from(all, (c) => c[orders + 1]),
    };
  }
  throw new NumericalError(
    'NOT_CONVERGED',
    `featureMoments: the features' deviations, from ${Math.exp(low)} to ${Math.exp(high)}, are too far apart`,
  );
}

/** The polynomial through values at Chebyshev points of the second kind (Berrut & Trefethen 2004). */
function barycentric(points: readonly number[], values: readonly Float64Array[]): (x: number) => Float64Array {
  const last = points.length - 1;
  return (x) => {
    const hit = points.indexOf(x);
    if (hit >= 0 || last === 0) return values[Math.max(0, hit)];
    const numerator = new Float64Array(values[0].length);
    let denominator = 0;
    points.forEach((p, g) => {
      const w = ((g % 2 === 0 ? 1 : -1) * (g === 0 || g === last ? 0.5 : 1)) / (x - p);
      denominator += w;
      for (let k = 0; k < numerator.length; k++) numerator[k] += w * values[g][k];
    });
    return numerator.map((n) => n / denominator);
  };
}
