/**
 * How well the direction that one step learns aligns with a single-index teacher's, y = s*(beta'x) + e, x ~ N(0, Sigma), in the limit of
 * large n and d: the step is b = (X'X/n + lambda I)^-1 X'y/n, for lambda = infinity (rescaled) the gradient step X'y/n of SGD.
 * With s2 = beta'Sigma beta, c and tau^2 = E s*^2 + noise^2 - c^2 s2 of the teacher, kappa the effective ridge, M = (Sigma + kappa I)^-1,
 * kappa' = 1 / (1 - tr (Sigma M)^2 / n):
 *   <b, beta> -> c beta'Sigma M beta
 *   |b|^2     -> c^2 (beta'Sigma M beta - lambda kappa' beta'Sigma M^2 beta) + tau^2 kappa' tr(Sigma M^2) / n
 *   SGD: <b, beta> -> c s2,  |b|^2 -> c^2 (beta'Sigma^2 beta + s2 tr(Sigma)/n) + tau^2 tr(Sigma)/n
 * Derived from the deterministic equivalents of ridge regression (Dobriban & Wager 2018; Hastie et al. 2022), with the part of s* beyond
 * its linear one as noise. Limits: Gaussian x; d/n fixed; errors of order n^-1/2. With averaged beta, spectra in which one eigenvalue has
 * much of the trace do not concentrate: give beta there.
 */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { nonNegative, parseOptions, positive } from '../options.js';
import { effectiveRidge } from './effectiveRidge.js';
import { requireEigenvalues } from './population.js';
import { numbers } from './schema.js';
import { teacherMoments, type Teacher, type TeacherMoments } from './moments.js';

const teacher = z.custom<Teacher>((v) => ['string', 'function', 'object'].includes(typeof v) && v !== null, 'must be a link or a function');

const problem = {
  /** Of Sigma. */
  eigenvalues: numbers,
  /** In Sigma's eigenbasis; where not given, averaged over N(0, I/d). */
  beta: numbers.optional(),
  /** n. */
  samples: positive(),
  teacher,
  /** Standard deviation of e. */
  noise: nonNegative().default(0),
};
const schema = z.strictObject({
  ...problem,
  /** From 0 (the limit from above) to Infinity (SGD). */
  lambda: z.custom<number>((v) => typeof v === 'number' && v >= 0, 'must be a number of at least 0, or Infinity'),
});
const bestSchema = z.strictObject(problem);
export type AlignmentOptions = z.input<typeof schema>;
export type BestLambdaOptions = z.input<typeof bestSchema>;

export interface Alignment {
  /** <b, beta>^2 / (|b|^2 |beta|^2). */
  readonly rho2: number;
  /** <b, beta>. */
  readonly inner: number;
  /** |b|^2; Infinity for lambda = 0 where n is the rank of Sigma. */
  readonly norm2: number;
  /** The effective ridge; Infinity for SGD. */
  readonly kappa: number;
}

/** @throws OptionsError naming the field, the value and what is allowed; ArgumentError; NumericalError where the teacher has no moments */
export function alignment(options: AlignmentOptions): Alignment {
  const { lambda, ...given } = parseOptions(schema, options, 'alignment');
  return at(prepared('alignment', given), lambda);
}

/** The lambda in [0, Infinity] of the largest rho2, to about 1e-6 relative, with its alignment.
 *  @throws as `alignment` */
export function bestLambda(options: BestLambdaOptions): Alignment & { readonly lambda: number } {
  const p = prepared('bestLambda', parseOptions(bestSchema, options, 'bestLambda'));
  // A scan first, from far below the least eigenvalue to far above the largest: for a given beta rho2 may have several maxima.
  const positive = Array.from(p.eigenvalues).filter((l) => l > 0).map(Math.log10); // prettier-ignore
  const [from, to] = [Math.min(...positive) - 8, Math.max(...positive) + 8];
  const count = Math.ceil(10 * (to - from));
  const scan = Array.from({ length: count + 1 }, (_, i) => 10 ** (from + ((to - from) * i) / count));
  const values = scan.map((lambda) => at(p, lambda).rho2);
  const top = values.indexOf(Math.max(...values));
  let [low, high] = [Math.log(scan[Math.max(0, top - 1)]), Math.log(scan[Math.min(scan.length - 1, top + 1)])];
  const golden = (Math.sqrt(5) - 1) / 2;
  while (high - low > 1e-7) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (at(p, Math.exp(a)).rho2 >= at(p, Math.exp(b)).rho2) high = b;
    else low = a;
  }
  const candidates = [Math.exp((low + high) / 2), 0, Infinity].map((lambda) => ({ ...at(p, lambda), lambda }));
  return candidates.reduce((a, b) => (b.rho2 > a.rho2 ? b : a));
}

interface Prepared {
  readonly eigenvalues: ArrayLike<number>;
  /** beta_i^2. */
  readonly squares: Float64Array;
  readonly samples: number;
  readonly trace: number;
  /** |beta|^2 and beta'Sigma beta. */
  readonly length2: number;
  readonly s2: number;
  readonly moments: TeacherMoments;
  readonly tau2: number;
}

function prepared(op: string, { eigenvalues, beta, samples, teacher: link, noise }: z.output<typeof bestSchema>): Prepared {
  requireEigenvalues(op, eigenvalues);
  const d = eigenvalues.length;
  if (beta !== undefined) {
    const bad = Array.from(beta).findIndex((b) => !Number.isFinite(b));
    if (bad >= 0) throw new ArgumentError(`${op}: beta[${bad}] must be a finite number, got ${String(beta[bad])}`);
  }
  if (beta !== undefined && beta.length !== d)
    throw new ArgumentError(`${op}: beta has ${beta.length} entries where there are ${d} eigenvalues`);
  const squares = beta === undefined ? new Float64Array(d).fill(1 / d) : Float64Array.from(beta, (b) => b * b);
  const sum = (f: (i: number) => number): number => squares.reduce((total, _, i) => total + f(i), 0);
  const s2 = sum((i) => squares[i] * eigenvalues[i]);
  if (!(s2 > 0 && s2 < Infinity)) throw new ArgumentError(`${op}: beta'Sigma beta is ${s2}; beta must be finite and within Sigma's range`);
  const moments = teacherMoments(link, s2);
  // What of the link is not linear; of a linear one, rounding.
  const difference = moments.second - moments.slope * moments.slope * s2;
  const beyond = difference > 1e-12 * moments.second ? difference : 0;
  return {
    eigenvalues,
    squares,
    samples,
    trace: sum((i) => eigenvalues[i]),
    length2: sum((i) => squares[i]),
    s2,
    moments,
    tau2: beyond + noise * noise,
  };
}

function at(p: Prepared, lambda: number): Alignment {
  const { scaled, ...limits } = lambda === Infinity ? gradientStep(p) : ridge(p, lambda);
  const { inner, norm2 } = scaled;
  return { rho2: norm2 === 0 ? 0 : (inner * inner) / (norm2 * p.length2), ...limits };
}

interface Limits extends Omit<Alignment, 'rho2'> {
  /** The same with b multiplied by a number that keeps both within range. */
  readonly scaled: { readonly inner: number; readonly norm2: number };
}

function gradientStep({ eigenvalues, squares, samples, trace, s2, moments: { slope }, tau2 }: Prepared): Limits {
  const square = squares.reduce((total, q, i) => total + q * eigenvalues[i] * eigenvalues[i], 0);
  const share = trace / samples;
  const limits = { inner: slope * s2, norm2: slope * slope * (square + s2 * share) + tau2 * share };
  return { ...limits, kappa: Infinity, scaled: limits };
}

/** Sums are of positive terms, and scaled by kappa where that is large: nothing cancels or underflows on the way to either limit. With
 *  s_i = l_i / (l_i + kappa), lambda kappa' = kappa (n - df1) / (n - df2), and so the signal's part of |b|^2 is
 *  sum_i q_i (s_i^2 + s_i (1 - s_i) (df1 - df2) / (n - df2)). */
function ridge({ eigenvalues, squares, samples, moments: { slope }, tau2 }: Prepared, lambda: number): Limits {
  const { kappa, df2 } = effectiveRidge(eigenvalues, samples, lambda);
  const scale = Math.max(1, kappa);
  let [signal, kept, mixed, trace, spread] = [0, 0, 0, 0, 0];
  for (let i = 0; i < squares.length; i++) {
    const l = eigenvalues[i];
    if (l === 0) continue;
    const share = l / (l + kappa);
    const lost = kappa / (l + kappa);
    const scaled = l / ((l + kappa) / scale); // share times scale
    signal += squares[i] * scaled;
    kept += squares[i] * scaled * scaled;
    mixed += squares[i] * scaled * scale * lost;
    trace += (scaled * scale) / (l + kappa);
    spread += share * lost;
  }
  const left = samples - df2;
  const noise = tau2 === 0 ? 0 : (tau2 * trace) / left;
  const square = slope * slope * (kept + (spread === 0 ? 0 : (mixed * spread) / left)) + noise;
  return { inner: (slope * signal) / scale, norm2: square / scale / scale, kappa, scaled: { inner: slope * signal, norm2: square } };
}
