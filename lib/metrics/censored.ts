/**
 * A straight line through points of which some are lower bounds: y = a + b x + s e, e standard normal, where a run that was ended before it
 * got there says only that y is at least what it had reached (Tobin 1958). Maximum likelihood by expectation and maximisation: what is
 * missing is replaced by its mean beyond the bound, and the line fitted again (Schmee & Hahn 1979, with the variance beyond the bound).
 */
import { ArgumentError } from '../errors.js';

export interface CensoredPoint {
  readonly x: number;
  /** Measured, or the bound. */
  readonly y: number;
  /** Whether y is a lower bound. */
  readonly censored: boolean;
}

export interface CensoredLine {
  readonly slope: number;
  readonly intercept: number;
  /** Standard deviation around the line. */
  readonly deviation: number;
  /** Whether the points decide the slope. Where fewer than two places have a measured point they do not: then it is that of the bounds
   *  taken as measured. */
  readonly decided: boolean;
}

const ITERATIONS = 5000;

/** @throws ArgumentError for fewer than two places, or numbers that are not finite */
export function censoredLine(points: readonly CensoredPoint[]): CensoredLine {
  for (const { x, y } of points)
    if (!(Number.isFinite(x) && Number.isFinite(y))) throw new ArgumentError(`censoredLine: points must be finite, got ${x}, ${y}`);
  if (new Set(points.map((p) => p.x)).size < 2) throw new ArgumentError('censoredLine: points must be at two places or more');
  const x = points.map((p) => p.x);
  const measured = new Set(points.filter((p) => !p.censored).map((p) => p.x));
  let line = leastSquares(x, points.map((p) => p.y)); // prettier-ignore
  let variance = meanOf(points.map((p) => (p.y - line.intercept - line.slope * p.x) ** 2));
  if (measured.size < 2 || points.every((p) => !p.censored))
    return { ...line, deviation: Math.sqrt(variance), decided: measured.size >= 2 };
  for (let i = 0; i < ITERATIONS; i++) {
    const s = Math.sqrt(variance);
    const beyond = points.map((p) => {
      const mean = line.intercept + line.slope * p.x;
      if (!p.censored) return { y: p.y, variance: 0 };
      if (s === 0) return { y: Math.max(p.y, mean), variance: 0 };
      const z = (p.y - mean) / s;
      const ratio = inverseMills(z);
      return { y: mean + s * ratio, variance: variance * Math.max(0, 1 + z * ratio - ratio * ratio) };
    });
    const next = leastSquares(x, beyond.map((b) => b.y)); // prettier-ignore
    const spread = meanOf(beyond.map((b, k) => (b.y - next.intercept - next.slope * x[k]) ** 2 + b.variance));
    const moved = Math.abs(next.slope - line.slope) + Math.abs(next.intercept - line.intercept) + Math.abs(Math.sqrt(spread) - s);
    [line, variance] = [next, spread];
    if (moved < 1e-12 * (1 + Math.abs(next.slope) + Math.abs(next.intercept))) break;
  }
  return { ...line, deviation: Math.sqrt(variance), decided: true };
}

function leastSquares(x: readonly number[], y: readonly number[]): { slope: number; intercept: number } {
  const [mx, my] = [meanOf(x), meanOf(y)];
  const slope = x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0) / x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
  return { slope, intercept: my - slope * mx };
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Mean of a standard normal above z: its density over its tail. By the series of the distribution function up to 2, then by Laplace's
 *  continued fraction z + 1/(z + 2/(z + 3/(...))). */
export function inverseMills(z: number): number {
  if (z > 2) {
    let value = z;
    for (let k = 200; k >= 1; k--) value = z + k / value;
    return value;
  }
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < -8) return density; // the tail is 1 to the last digit
  let [term, sum] = [z, z];
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && k < 500; k++) sum += term *= (z * z) / (2 * k + 1);
  return density / (0.5 - density * sum);
}
