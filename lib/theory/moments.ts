/** What theory needs to know of a teacher's link s* at a Gaussian argument. */
import { ArgumentError } from '../errors.js';
import { Matrix } from '../linalg/index.js';
import { linkOf, linkSchema, type ActivationOptions, type Link, type LinkOptions } from '../links/index.js';
import { parseOptions } from '../options.js';
import { gaussianExpectation } from './quadrature.js';

/** A link by name or with numbers, or a function of one number. */
export type Teacher = LinkOptions | ActivationOptions | ((t: number) => number);

export interface TeacherMoments {
  /** E s*(t). */
  readonly mean: number;
  /** c = E[t s*(t)] / variance, the slope of the best linear predictor (E s*'(t) where s* is differentiable, by Stein's lemma). */
  readonly slope: number;
  /** E s*(t)^2. */
  readonly second: number;
}

/** Moments of s*(t) for t ~ N(0, variance), by quadrature to about 1e-13 of E|s*(t)|, E|z s*(t)| and E s*(t)^2. Kinks at 0 are where
 *  panels end; others, and jumps, are found by bisection.
 *  @throws ArgumentError unless the variance is positive; NumericalError where the moments may not exist */
export function teacherMoments(teacher: Teacher, variance: number): TeacherMoments {
  if (!(variance > 0 && variance < Infinity)) throw new ArgumentError(`teacherMoments: the variance must be positive, got ${variance}`);
  const link = teacherLink(teacher);
  const s = Math.sqrt(variance);
  const expectation = (f: (z: number, value: number) => number): number => expectationOf(link, s, f);
  return {
    mean: expectation((_z, v) => v),
    slope: expectation((z, v) => z * v) / s,
    second: expectation((_z, v) => v * v),
  };
}

export function teacherLink(teacher: Teacher): Link {
  return linkOf(typeof teacher === 'function' ? teacher : parseOptions(linkSchema, teacher, 'teacher'));
}

/** E f(z, s(scale z)), z ~ N(0, 1). */
export function expectationOf(link: Link, scale: number, f: (z: number, value: number) => number): number {
  let x = Matrix.zeros(1, 0);
  let values = Matrix.zeros(1, 0);
  const integrand = (points: Float64Array, out: Float64Array): void => {
    if (x.cols !== points.length) [x, values] = [Matrix.zeros(1, points.length), Matrix.zeros(1, points.length)];
    for (let i = 0; i < points.length; i++) x.data[i] = scale * points[i];
    link.apply(x, values);
    for (let i = 0; i < points.length; i++) out[i] = f(points[i], values.data[i]);
  };
  return gaussianExpectation(integrand).value;
}

/** Coefficients mu_k = E[s(scale z) h_k(z)], k = 0 ... most, in the orthonormal Hermite polynomials h_k = He_k / sqrt(k!). */
export function hermiteCoefficients(link: Link, scale: number, most: number): Float64Array {
  return Float64Array.from({ length: most + 1 }, (_, k) => expectationOf(link, scale, (z, v) => v * hermite(k, z)));
}

/** h_k(z), by sqrt(k + 1) h_(k+1) = z h_k - sqrt(k) h_(k-1). */
function hermite(k: number, z: number): number {
  let [before, h] = [0, 1];
  for (let j = 0; j < k; j++) [before, h] = [h, (z * h - Math.sqrt(j) * before) / Math.sqrt(j + 1)];
  return h;
}
