/** The best setting of every comparison as a row of a table. */
import type { Best } from '../sweep/index.js';
import type { ParsedConfig } from '../experiments/index.js';
import { valueAt } from '../sweep/index.js';
import type { Place } from './comparison.js';
import type { Role, Setting } from './settings.js';

export interface WinnerRow {
  /** Place in the charts; null where they leave it out. */
  readonly place: Place | null;
  /** Values of the compared paths. */
  readonly group: Readonly<Record<string, unknown>>;
  /** Values of the other axes: path -> value. */
  readonly setting: Readonly<Record<string, unknown>>;
  readonly config: ParsedConfig;
  /** Mean objective over `seeds` evaluation seeds, with its 95% bootstrap interval; NaN where none has run. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly seeds: number;
  /** Objective it was chosen by: the mean over the seeds it is judged by. */
  readonly score: number;
  /** Settings it was chosen from. */
  readonly among: number;
  /** Which seeds it was chosen on. On the evaluation seeds themselves, the best of many looks better than it is. */
  readonly chosenOn: Role;
}

export function winnerRow(
  { group, config, mean, interval, values, score, among, setting }: Best,
  known: ReadonlyMap<number, Setting>,
  axes: readonly string[],
  place: Place | undefined,
): WinnerRow {
  const { low, high } = interval;
  return {
    place: place ?? null,
    group,
    setting: Object.fromEntries(axes.map((path) => [path, valueAt(config, path) ?? null])),
    config: { ...config, seed: 0 },
    mean,
    low,
    high,
    seeds: values.length,
    score,
    among,
    chosenOn: (known.get(setting)?.runs.tuning.count ?? 0) > 0 ? 'tuning' : 'evaluation',
  };
}
