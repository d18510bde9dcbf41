/** The best setting of every comparison as a row of a table. */
import type { ParsedConfig } from '../../experiments/index.js';
import { valueAt, type Best } from '../../sweep/index.js';
import type { Place, Placed } from './comparison.js';
import type { Role, Setting } from './settings.js';

export interface WinnerRow {
  /** Place in the charts; null where they leave it out. */
  readonly place: Place | null;
  /** Values of the compared paths. */
  readonly group: Readonly<Record<string, unknown>>;
  /** Values of the other axes: path -> value. */
  readonly setting: Readonly<Record<string, unknown>>;
  /** The whole of it, with any seed. */
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

interface Around {
  readonly known: ReadonlyMap<number, Setting>;
  readonly placed: Placed;
  /** Paths that vary and are not compared. */
  readonly axes: readonly string[];
}

/** Panel by panel, in the order of the series; those without a place last. */
export function winnerRows(best: readonly Best[], around: Around): WinnerRow[] {
  const rank = ({ place }: WinnerRow): number => (place === null ? Infinity : 100 * place.panel + place.series);
  const order = (a: WinnerRow, b: WinnerRow): number => (rank(a) === rank(b) ? 0 : rank(a) - rank(b));
  return best.map((one) => rowOf(one, around)).sort(order);
}

function rowOf({ group, config, mean, interval, values, score, among, setting }: Best, { known, placed, axes }: Around): WinnerRow {
  return {
    place: placed.placeOf(config) ?? null,
    group,
    setting: Object.fromEntries(axes.map((path) => [path, valueAt(config, path) ?? null])),
    config,
    mean,
    low: interval.low,
    high: interval.high,
    seeds: values.length,
    score,
    among,
    chosenOn: (known.get(setting)?.runs.tuning.count ?? 0) > 0 ? 'tuning' : 'evaluation',
  };
}
