/** The slope of a line through runs, and its interval over resampled seeds. */
import { censoredLine, quantile, type CensoredPoint } from '../metrics/index.js';
import type { Stream } from '../random/index.js';

export interface SlopeFit {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly intercept: number;
  /** Whether measured points decide it, or bounds taken as measured. */
  readonly decided: boolean;
}

const RESAMPLES = 400;

/** With its 95% percentile bootstrap interval. @param groups  runs that differ in their seeds alone: each is resampled within itself */
export function slopeOf(groups: readonly (readonly CensoredPoint[])[], stream: Stream): SlopeFit {
  const points = groups.flat();
  const { slope, intercept, decided } = censoredLine(points);
  const draws = stream.uniform(new Float64Array(RESAMPLES * points.length));
  let next = 0;
  const slopes = Array.from(
    { length: RESAMPLES },
    () => censoredLine(groups.flatMap((own) => own.map(() => own[Math.floor(draws[next++] * own.length)]))).slope,
  );
  return { mean: slope, low: quantile(slopes, 0.025), high: quantile(slopes, 0.975), intercept, decided };
}
