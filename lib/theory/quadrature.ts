/**
 * Integrals by adaptive Gauss-Legendre quadrature: a panel is halved until its two halves agree with it. What is returned has been
 * checked against its own refinement, or NumericalError is thrown; the number of panels is bounded.
 */
import { NumericalError } from '../errors.js';

/** Nodes of a panel; exact for polynomials of degree 31. */
const ORDER = 16;
const MOST_PANELS = 20_000;

export interface Quadrature {
  readonly value: number;
  /** Sum of the panels' differences from their halves: an upper estimate of the error. */
  readonly error: number;
}

/** Writes f at the points into `values`; both have as many entries as a panel has nodes. */
export type Integrand = (points: Float64Array, values: Float64Array) => void;

export interface QuadratureOptions {
  /** Allowed error relative to the integral of |f|. */
  readonly relative?: number;
  /** Allowed error where that is larger. */
  readonly absolute?: number;
}

/** Nodes in (-1, 1), ascending, and weights of the n-point Gauss-Legendre rule, by Newton's method on the Legendre polynomial.
 *  Source: Abramowitz & Stegun 1964, 25.4.29. */
export function gaussLegendre(n: number): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  const rule = { nodes: new Float64Array(n), weights: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let iteration = 0; iteration < 20; iteration++) {
      let [before, p] = [0, 1];
      for (let k = 0; k < n; k++) [before, p] = [p, ((2 * k + 1) * x * p - k * before) / (k + 1)];
      slope = (n * (x * p - before)) / (x * x - 1);
      const step = p / slope;
      x -= step;
      if (Math.abs(step) < 1e-16) break;
    }
    rule.nodes[i] = x;
    rule.weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return rule;
}

const { nodes, weights } = gaussLegendre(ORDER);

interface Panel {
  readonly from: number;
  readonly to: number;
  readonly value: number;
  /** The same of |f|. */
  readonly size: number;
}

/** The integral of f from the first of the breaks to the last, split at those in between: kinks and jumps belong there.
 *  @param breaks  ascending, two or more
 *  @throws NumericalError NOT_FINITE where f is not a number; NOT_CONVERGED where the error stays above what is allowed */
export function integrate(
  f: Integrand,
  breaks: readonly number[],
  { relative = 1e-13, absolute = 1e-300 }: QuadratureOptions = {},
): Quadrature {
  const [points, values] = [new Float64Array(ORDER), new Float64Array(ORDER)];
  const panel = (from: number, to: number): Panel => {
    const [middle, half] = [(from + to) / 2, (to - from) / 2];
    for (let i = 0; i < ORDER; i++) points[i] = middle + half * nodes[i];
    f(points, values);
    let [value, size] = [0, 0];
    for (let i = 0; i < ORDER; i++) {
      value += weights[i] * values[i];
      size += weights[i] * Math.abs(values[i]);
    }
    if (!Number.isFinite(size))
      throw new NumericalError('NOT_FINITE', `a quadrature met a value that is not finite between ${from} and ${to}`);
    return { from, to, value: half * value, size: half * size };
  };
  const open = breaks.slice(1).map((to, i) => panel(breaks[i], to));
  // The integral of |f| as far as it is known: what all panels may miss together is a share of that.
  let whole = open.reduce((sum, p) => sum + p.size, 0);
  let [total, error, panels] = [0, 0, open.length];
  const allowed = (): number => Math.max(absolute, relative * whole);
  for (let p = open.pop(); p !== undefined; p = open.pop()) {
    const middle = (p.from + p.to) / 2;
    const left = panel(p.from, middle);
    const right = panel(middle, p.to);
    whole += left.size + right.size - p.size;
    const value = left.value + right.value;
    const difference = Math.abs(value - p.value);
    if (difference <= allowed() / 16 || !(middle > p.from && middle < p.to)) {
      total += value;
      error += difference;
      continue;
    }
    open.push(left, right);
    panels += 1;
    if (panels > MOST_PANELS)
      throw new NumericalError(
        'NOT_CONVERGED',
        `a quadrature is still off by about ${difference} near ${middle} after ${MOST_PANELS} panels; the function varies too fast there, or is not integrable`,
      );
  }
  if (!(error <= 16 * allowed()))
    throw new NumericalError('NOT_CONVERGED', `a quadrature ended with an error of ${error}, where ${16 * allowed()} is allowed`);
  return { value: total, error };
}

/** Beyond so many standard deviations a normal density is below the smallest number. */
const TAIL = 38.6;
const MARKS = [...Array.from({ length: 12 }, (_, i) => (i + 1) / 2), 9, 14, 24, TAIL];

/** E f(z) for z ~ N(0, 1); panels end at 0, where most links have their kink, and a bump narrower than about 0.03 can be missed.
 *  @throws NumericalError as `integrate`, and NOT_CONVERGED where f grows so fast that the mean may not exist */
export function gaussianExpectation(f: Integrand, options?: QuadratureOptions): Quadrature {
  const marks = [...MARKS.map((x) => -x), 0, ...MARKS];
  let outermost = 0;
  const result = integrate(
    (points, values) => {
      f(points, values);
      for (let i = 0; i < ORDER; i++) {
        const density = Math.exp((-points[i] * points[i]) / 2) / Math.sqrt(2 * Math.PI);
        values[i] = density === 0 ? 0 : values[i] * density;
        if (Math.abs(points[i]) > 0.9 * TAIL) outermost = Math.max(outermost, Math.abs(values[i]));
      }
    },
    marks.sort((a, b) => a - b),
    options,
  );
  if (outermost > 1e-20 * Math.abs(result.value) && outermost > 1e-30)
    throw new NumericalError('NOT_CONVERGED', 'a function of a normal variable grows so fast that its mean may not exist');
  return result;
}
