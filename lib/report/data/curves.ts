/** Metrics against steps of the settings that won: mean and band over seeds. */
import { bootstrapInterval, mean } from '../../metrics/index.js';
import { Stream } from '../../random/index.js';
import type { Store } from '../../sweep/index.js';
import type { ExperimentRecord } from '../../experiments/index.js';
import type { Place } from './comparison.js';

export interface BandPoint extends Place {
  readonly step: number;
  readonly mean: number;
  /** 95% bootstrap interval of the mean over seeds. */
  readonly low: number;
  readonly high: number;
  /** How many seeds have a number at this step: some runs end before. */
  readonly seeds: number;
}

/** A setting whose curves are wanted. */
export interface Winner extends Place {
  /** Trials to read, one a seed. */
  readonly ids: readonly string[];
}

/** Points of a line on the page. */
const MOST_POINTS = 100;
/** Seeds read of a setting. */
const MOST_SEEDS = 200;
const RESAMPLES = 1000;

/** @returns metric -> points, in the order of steps */
export function bandsOf(store: Store, winners: readonly Winner[], metrics: readonly string[]): Record<string, BandPoint[]> {
  const points: Record<string, BandPoint[]> = Object.fromEntries(metrics.map((metric) => [metric, []]));
  for (const { series, panel, ids } of winners) {
    const records = ids.slice(0, MOST_SEEDS).flatMap((id) => store.record(id) ?? []);
    for (const metric of metrics)
      for (const { step, values } of bySteps(records, metric)) {
        const interval = bootstrapInterval(values, new Stream(0).substream('band'), { resamples: RESAMPLES });
        points[metric].push({ series, panel, step, mean: mean(values), ...interval, seeds: values.length });
      }
  }
  return points;
}

/** Values at each step of the records that have a number there, at most `MOST_POINTS` steps, the first and the last among them. */
function bySteps(records: readonly ExperimentRecord[], metric: string): { step: number; values: number[] }[] {
  const at = new Map<number, number[]>();
  for (const { metrics } of records)
    (Object.hasOwn(metrics, metric) ? metrics[metric].steps : []).forEach((step, i) => {
      const value = metrics[metric].values[i];
      if (!Number.isFinite(value)) return;
      const known = at.get(step);
      if (known === undefined) at.set(step, [value]);
      else known.push(value);
    });
  const all = [...at].map(([step, values]) => ({ step, values })).sort((a, b) => a.step - b.step);
  if (all.length <= MOST_POINTS) return all;
  return Array.from({ length: MOST_POINTS }, (_, i) => all[Math.round((i * (all.length - 1)) / (MOST_POINTS - 1))]);
}
