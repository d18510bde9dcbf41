/**
 * The limiting spectrum of sample covariances S = X'X/n, x ~ (mean 0, covariance Sigma), for d/n -> ratio and any spectrum of Sigma
 * (Marchenko & Pastur 1967). The companion Stieltjes transform m at z solves the Silverstein equation; in u = -1/m it reads
 *   z = psi(u) = u + ratio u sum_j w_j t_j / (u - t_j)        w_j the share of Sigma's eigenvalue t_j.
 * On the real line psi increases off the support and psi' < 0 marks it (Silverstein & Choi 1995): psi'(u) = 1 - g(u) with
 *   g(u) = ratio sum_j w_j t_j^2 / (u - t_j)^2,
 * convex between two t_j, so that edges are the points of g = 1. On the support itself u = a + ib runs along the curve
 *   ratio sum_j w_j t_j^2 / ((a - t_j)^2 + b^2) = 1,
 * on which psi is real and increases with a: for each a there is one b, found by monotone Newton steps. Then the density of S's
 * eigenvalues at x = psi(u) is b / (pi ratio |u|^2).
 */
import { z } from 'zod';
import { ArgumentError, NumericalError } from '../errors.js';
import { parseOptions, positive } from '../options.js';
import { populationOf, type Population } from './population.js';
import { integrate } from './quadrature.js';
import { numbers } from './schema.js';

const schema = z.strictObject({
  /** Of Sigma, in any order; equal ones may be repeated. */
  eigenvalues: numbers,
  /** d/n. */
  ratio: positive().max(1e6),
});
export type MarchenkoPasturOptions = z.input<typeof schema>;

export interface MarchenkoPastur {
  /** Intervals of the support apart from 0, ascending. */
  readonly edges: readonly (readonly [low: number, high: number])[];
  /** Mass at zero. */
  readonly atom: number;
  /** At x > 0; per eigenvalue, so that it integrates to 1 - atom.
   *  @throws NumericalError NOT_CONVERGED where the Silverstein equation is not satisfied in the end */
  readonly density: (x: number) => number;
  /** Mass within [low, high], the atom not counted, to about 1e-8.
   *  @throws ArgumentError unless low <= high; NumericalError NOT_CONVERGED */
  readonly mass: (low: number, high: number) => number;
}

/** @throws OptionsError naming the field, the value and what is allowed; ArgumentError for eigenvalues that are no spectrum */
export function marchenkoPastur(options: MarchenkoPasturOptions): MarchenkoPastur {
  const { eigenvalues, ratio } = parseOptions(schema, options, 'marchenkoPastur');
  const population = populationOf('marchenkoPastur', eigenvalues);
  const curve = new SupportCurve(population, ratio);
  const intervals = curve.intervals();
  const edges = intervals.map(([from, to]) => [Math.max(0, curve.psi(from)), curve.psi(to)] as const);
  const density = (x: number): number => {
    if (!(x > 0 && x < Infinity)) throw new ArgumentError(`marchenkoPastur: the density is that of x > 0, got ${x}`);
    const k = edges.findIndex(([low, high]) => x > low && x < high);
    return k < 0 ? 0 : curve.densityAt(x, intervals[k]);
  };
  return {
    edges,
    atom: Math.max(population.zero, 1 - 1 / ratio),
    density,
    mass(low, high) {
      if (!(low <= high))
        throw new ArgumentError(`marchenkoPastur: mass takes two places, low <= high; got ${String(low)} and ${String(high)}`);
      let total = 0;
      edges.forEach(([from, to]) => {
        const [a, b] = [Math.max(from, low), Math.min(to, high)];
        if (b > a) total += massWithin(density, from, to, a, b);
      });
      return total;
    },
  };
}

/** By x = middle - half cos(angle), under which the square roots at the edges (and their inverse at 0) become smooth; where the edges are
 *  decades apart the same in log x, which resolves both of them. */
function massWithin(density: (x: number) => number, from: number, to: number, a: number, b: number): number {
  const log = to > 100 * from;
  // Where the support begins at 0 (ratio 1) the law is x^(-1/2) there: what lies below this holds nothing that numbers see.
  const [low, high] = log ? [Math.log(Math.max(from, 1e-40 * to)), Math.log(to)] : [from, to];
  const [middle, half] = [(low + high) / 2, (high - low) / 2];
  const angle = (x: number): number => Math.acos(Math.max(-1, Math.min(1, (middle - (log ? Math.log(x) : x)) / half)));
  const f = (angles: Float64Array, values: Float64Array): void => {
    for (let i = 0; i < angles.length; i++) {
      const place = middle - half * Math.cos(angles[i]);
      const x = log ? Math.exp(place) : place;
      values[i] = x > from && x < to ? density(x) * half * Math.sin(angles[i]) * (log ? x : 1) : 0;
    }
  };
  return integrate(f, [angle(a), angle(b)], { relative: 1e-9, absolute: 1e-12 }).value;
}

type Interval = readonly [from: number, to: number];

const ITERATIONS = 200;

/** psi, and the curve on which it is real. */
export class SupportCurve {
  readonly #t: Float64Array;
  /** ratio w_j t_j^2. */
  readonly #c: Float64Array;
  /** ratio w_j t_j. */
  readonly #m: Float64Array;
  /** ratio w_j. */
  readonly #w: Float64Array;
  /** 1 - ratio sum_(i >= j) w_i. Where u is small beside t_j the sums below take t_j / (u - t_j) = -1 + u / (u - t_j): the ones are here, and
   *  at ratio 1, next to u = 0, nothing is left to cancel. */
  readonly #rest: Float64Array;
  readonly #ratio: number;

  constructor({ values, weights, zero }: Population, ratio: number) {
    this.#t = values;
    this.#c = values.map((t, j) => ratio * weights[j] * t * t);
    this.#m = values.map((t, j) => ratio * weights[j] * t);
    this.#w = weights.map((w) => ratio * w);
    let rest = 1 - ratio * (1 - zero);
    this.#rest = this.#w.map((w) => (rest += w) - w);
    this.#ratio = ratio;
  }

  /** The first t_j beside which something of that size is small, or their count. */
  #small(size: number): number {
    const t = this.#t;
    if (t[0] > 2 * size) return 0;
    let [low, high] = [0, t.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (t[middle] > 2 * size) high = middle;
      else low = middle;
    }
    return high;
  }

  /** What the ones of the terms from the s-th on leave of 1. */
  #restAt(s: number): number {
    return s < this.#rest.length ? this.#rest[s] : 1;
  }

  /** At a real u that is no eigenvalue. */
  psi(u: number): number {
    const s = this.#small(Math.abs(u));
    let [direct, rest] = [this.#restAt(s), 0];
    for (let j = 0; j < s; j++) direct += this.#m[j] / (u - this.#t[j]);
    for (let j = s; j < this.#t.length; j++) rest += this.#w[j] / (u - this.#t[j]);
    return u * (direct + u * rest);
  }

  /** 1 - psi'(u) at a real u. */
  g(u: number): number {
    return 1 + this.#above(u, 0);
  }

  /** sum_j c_j / |u - t_j|^2 - 1 at u = a + i sqrt(q). */
  #above(a: number, q: number): number {
    const [t, c, w] = [this.#t, this.#c, this.#w];
    const size = a * a + q;
    const s = this.#small(Math.sqrt(size));
    let sum = -this.#restAt(s);
    for (let j = 0; j < s; j++) sum += c[j] / ((a - t[j]) ** 2 + q);
    for (let j = s; j < t.length; j++) sum += (w[j] * (2 * a * t[j] - size)) / ((a - t[j]) ** 2 + q);
    return sum;
  }

  /** The parts of the real line where g > 1: each is a an interval of the support, seen through a. */
  intervals(): Interval[] {
    const t = this.#t;
    const last = t.length - 1;
    // Beyond all t_j, (u - t_last)^2 <= sum c where g >= 1; before them alike.
    const reach = 1.001 * Math.sqrt(this.#c.reduce((a, b) => a + b, 0));
    const bounds: number[] = [this.#edge(t[0] - reach, t[0], -1)];
    for (let j = 0; j < last; j++) {
      const gap = this.#gap(j);
      if (gap !== null) bounds.push(this.#edge(t[j], gap, 1), this.#edge(gap, t[j + 1], -1));
    }
    bounds.push(this.#edge(t[last], t[last] + reach, 1));
    return Array.from({ length: bounds.length / 2 }, (_, k) => [bounds[2 * k], bounds[2 * k + 1]] as const);
  }

  /** A point between t_j and t_(j+1) at which g < 1, or null where there is none. */
  #gap(j: number): number | null {
    const [t, c] = [this.#t, this.#c];
    // The two terms beside it are at least this much; most pairs need no more.
    const least = (Math.cbrt(c[j]) + Math.cbrt(c[j + 1])) ** 3 / (t[j + 1] - t[j]) ** 2;
    if (least >= 1) return null;
    let [low, high] = [t[j], t[j + 1]];
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      const u = (low + high) / 2;
      if (!(u > low && u < high)) return null;
      let [g, slope] = [0, 0];
      for (let k = 0; k < t.length; k++) {
        const inverse = 1 / (u - t[k]);
        g += c[k] * inverse * inverse;
        slope -= 2 * c[k] * inverse * inverse * inverse;
      }
      if (g < 1) return u;
      // g is convex: on this side of its least value it stays above its tangent there.
      if (g + Math.min(slope * (low - u), slope * (high - u)) >= 1) return null;
      if (slope > 0) high = u;
      else low = u;
    }
    return null;
  }

  /** Where g = 1 between a point where it is above and one where it is below. @param direction  1 where g falls, -1 where it rises */
  #edge(from: number, to: number, direction: 1 | -1): number {
    let [low, high] = [from, to];
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      const u = (low + high) / 2;
      if (!(u > low && u < high)) break;
      if (this.#above(u, 0) > 0 === (direction === 1)) low = u;
      else high = u;
    }
    // The side on which g <= 1, or as near as numbers come.
    return direction === 1 ? high : low;
  }

  /** b > 0 of the curve at a; 0 where g(a) <= 1. */
  height(a: number): number {
    const [t, c] = [this.#t, this.#c];
    // 1 / sum_j c_j / (d_j + q) is concave and increases in q = b^2: Newton's steps rise to the root from any start below it.
    let q = 0;
    // Each term alone is a lower bound, less what rounding may have added to it.
    for (let j = 0; j < t.length; j++) q = Math.max(q, c[j] - (a - t[j]) ** 2 * (1 + 1e-15) - 1e-15 * c[j]);
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      let slope = 0;
      for (let j = 0; j < t.length; j++) slope += c[j] / ((a - t[j]) ** 2 + q) ** 2;
      const above = this.#above(a, q);
      const step = ((1 + above) * above) / slope;
      if (!(step > 1e-16 * q)) break;
      q += step;
    }
    return Math.sqrt(q);
  }

  /** Density at x, strictly within the interval's image. */
  densityAt(x: number, [from, to]: Interval): number {
    let [low, high] = [from, to];
    let u = { re: (from + to) / 2, im: 0 };
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      // On the curve at the middle of the bracket, then Newton's steps off it while they bring psi closer to x.
      u = { re: (low + high) / 2, im: this.height((low + high) / 2) };
      let here = this.#complex(u.re, u.im);
      if (here.re < x) low = u.re;
      else high = u.re;
      let residual = this.#residual(here, u.im, x);
      for (let newton = 0; newton < 30 && residual > 1e-15 * x; newton++) {
        const size = here.dre ** 2 + here.dim ** 2;
        const [r, i] = [here.re - x, here.im];
        const next = { re: u.re - (r * here.dre + i * here.dim) / size, im: u.im - (i * here.dre - r * here.dim) / size };
        if (!(next.im > 0)) break;
        const there = this.#complex(next.re, next.im);
        const rest = this.#residual(there, next.im, x);
        if (!(rest < residual)) break;
        [u, here, residual] = [next, there, rest];
      }
      if (residual <= 1e-11 * x) return u.im / (Math.PI * this.#ratio * (u.re ** 2 + u.im ** 2));
      if (!((low + high) / 2 > low && (low + high) / 2 < high)) break;
    }
    // Next to an edge the curve is too steep for numbers: there the density is that of the nearest point, if psi agrees there to rounding.
    const off = this.#residual(this.#complex(u.re, u.im), u.im, x);
    if (off <= 1e-7 * x) return u.im / (Math.PI * this.#ratio * (u.re ** 2 + u.im ** 2));
    throw new NumericalError('NOT_CONVERGED', `marchenkoPastur: the Silverstein equation is off by ${off} at ${x}`);
  }

  /** How far u is from psi(u) = x on the curve. Real u solve it too, off the curve: there Im psi / Im u is not 0. */
  #residual(psi: { readonly re: number; readonly im: number }, im: number, x: number): number {
    return Math.hypot(psi.re - x, im === 0 ? 0 : (x * psi.im) / im);
  }

  /** psi and psi' at a + ib. */
  #complex(a: number, b: number): { re: number; im: number; dre: number; dim: number } {
    const s = this.#small(Math.hypot(a, b));
    let [sre, sim, dre, dim, rre, rim] = [this.#restAt(s), 0, this.#restAt(s), 0, 0, 0];
    for (let j = 0; j < this.#t.length; j++) {
      const x = a - this.#t[j];
      const size = 1 / (x * x + b * b);
      // 1 / (u - t) and its square.
      const [re, im] = [x * size, -b * size];
      const [re2, im2] = [re * re - im * im, 2 * re * im];
      if (j < s) {
        sre += this.#m[j] * re;
        sim += this.#m[j] * im;
        dre -= this.#c[j] * re2;
        dim -= this.#c[j] * im2;
      } else {
        // u / (u - t), and of the square t^2 / (u - t)^2 = 1 + u (2 t - u) / (u - t)^2.
        rre += this.#w[j] * re;
        rim += this.#w[j] * im;
        const [pre, pim] = [a * (2 * this.#t[j] - a) + b * b, 2 * b * (this.#t[j] - a)];
        dre -= this.#w[j] * (pre * re2 - pim * im2);
        dim -= this.#w[j] * (pre * im2 + pim * re2);
      }
    }
    sre += a * rre - b * rim;
    sim += a * rim + b * rre;
    return { re: a * sre - b * sim, im: a * sim + b * sre, dre, dim };
  }
}
