/** What tuned methods come to: curves against steps and seconds, and where they end. */
import type { CurvePoint } from '../figures/index.js';
import { mean } from '../metrics/index.js';
import type { Stream } from '../random/index.js';
import { recordsOf, type Lookup } from './study.js';
import { foundOf, summary, tuningOf, type Cell, type Tuning } from './tuned.js';
import { finalValue } from './tuning.js';

/** Final values over the evaluation seeds. */
export interface Final {
  readonly condition: string;
  readonly method: string;
  readonly metric: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly values: readonly number[];
}

export interface TunedCurves {
  /** Against steps. */
  readonly curves: readonly CurvePoint[];
  /** Against training seconds. */
  readonly timed: readonly CurvePoint[];
  readonly finals: readonly Final[];
  readonly tuned: readonly Tuning[];
  readonly seconds: readonly object[];
}

/** @param metrics  of the records, in this order */
export function tunedCurves<C extends { readonly key: string }>(
  study: string,
  cells: readonly Cell<C>[],
  lookup: Lookup,
  metrics: readonly string[],
  stream: Stream,
): TunedCurves {
  const curves: CurvePoint[] = [];
  const timed: CurvePoint[] = [];
  const finals: Final[] = [];
  const seconds: object[] = [];
  for (const cell of cells) {
    const { method, condition } = cell;
    const records = recordsOf(study, foundOf(study, cell).evaluation, lookup);
    const place = { condition: condition.key, method: method.name };
    const longest = records.reduce((a, b) => (b.timing.at.length > a.timing.at.length ? b : a)); // a diverged run is shorter
    const elapsed = longest.timing.at.map((_, i) => mean(records.map((r) => r.timing.at[i] ?? NaN)));
    seconds.push({ ...place, secondsToEnd: mean(records.map((r) => r.timing.trainingSeconds)), at: elapsed });
    // The loss has no point at the start, everything else has.
    const measuredAt = Math.max(...Object.values(longest.metrics).map(({ steps }) => steps.length)) - elapsed.length;
    if (measuredAt !== 0) throw new Error(`${study}: metrics and times of a record differ in length`);
    for (const metric of metrics) {
      const values = records.map((r) => finalValue(r, metric));
      finals.push({ ...place, metric, ...summary(values, stream), values });
      const { steps } = longest.metrics[metric];
      const before = elapsed.length - steps.length;
      steps.forEach((x, i) => {
        const at = records.map((r) => r.metrics[metric].values[i] ?? NaN);
        const point = { condition: condition.key, series: method.name, metric, ...summary(at, stream) };
        curves.push({ ...point, x });
        timed.push({ ...point, x: elapsed[before + i] });
      });
    }
  }
  return { curves, timed, finals, tuned: cells.map((cell) => tuningOf(study, cell)), seconds };
}

/** The curves as rows of a table. */
export const curveRows = (curves: readonly CurvePoint[]): Readonly<Record<string, string | number>>[] =>
  curves.map(({ condition, series, metric, x, mean: m, low, high }) => ({
    condition,
    method: series,
    metric,
    step: x,
    mean: m,
    low,
    high,
  }));

/** The final values of one metric, as dots. */
export const dotsOf = (
  finals: readonly Final[],
  metric: string,
): { condition: string; series: string; mean: number; low: number; high: number }[] =>
  finals
    .filter((f) => f.metric === metric)
    .map((f) => ({ condition: f.condition, series: f.method, mean: f.mean, low: f.low, high: f.high }));
