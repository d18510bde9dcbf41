/** Summaries over seeds. */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { parseOptions, size } from '../options.js';
import type { Stream } from '../random/index.js';

export function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** Sample standard deviation over the root of the count; NaN for fewer than two values. */
export function standardError(values: readonly number[]): number {
  if (values.length < 2) return NaN;
  const m = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / (values.length - 1) / values.length);
}

/** Linear interpolation between order statistics (numpy's default). @param p  in [0, 1] */
export function quantile(values: ArrayLike<number>, p: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), p);
}

function quantileOfSorted(sorted: Float64Array, p: number): number {
  const at = p * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - low);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const bootstrapSchema = z.strictObject({
  /** Share of resampled means inside. */
  level: z.number().gt(0).lt(1).default(0.95),
  resamples: size().default(2000),
});
export type BootstrapOptions = z.input<typeof bootstrapSchema>;

/** Percentile bootstrap interval of the mean (Efron 1979): resamples drawn from `stream`, so that it repeats. With few values it is
 *  somewhat too narrow. Any non-finite value makes it [NaN, NaN]. */
export function bootstrapInterval(values: readonly number[], stream: Stream, options: BootstrapOptions = {}): Interval {
  const { level, resamples } = parseOptions(bootstrapSchema, options, 'bootstrapInterval');
  if (values.length === 0) throw new ArgumentError('bootstrapInterval: no values');
  const n = values.length;
  if (!values.every(Number.isFinite)) return { low: NaN, high: NaN };
  const draws = stream.uniform(new Float64Array(resamples * n));
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[Math.floor(draws[r * n + i] * n)];
    means[r] = sum / n;
  }
  means.sort();
  return { low: quantileOfSorted(means, (1 - level) / 2), high: quantileOfSorted(means, (1 + level) / 2) };
}
