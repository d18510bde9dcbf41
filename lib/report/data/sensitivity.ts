/** How a metric depends on each axis: the best setting there, and how much all others differ. */
import { quantile } from '../../metrics/index.js';
import { gathered, type Kind, type VaryingAxis } from './axes.js';
import type { Place } from './comparison.js';
import type { Label } from '../words.js';

/** A setting with its place in the charts. */
export interface PlacedSetting extends Place {
  readonly config: unknown;
  /** Objective by which it is chosen; an infinity where a run did not end well. */
  readonly score: number;
  /** Value of each metric shown, the objective's first; an infinity or NaN where a run did not end well. */
  readonly values: readonly number[];
}

export interface SensitivityPoint extends Place {
  /** Place on the axis. */
  readonly x: number;
  /** Value at the setting with the best objective among those with this x; NaN where no setting ended well. */
  readonly best: number;
  /** Quartiles over the settings with this x. */
  readonly low: number;
  readonly high: number;
  /** How many there are, and in how many a run did not end well. */
  readonly settings: number;
  readonly lost: number;
}

export interface Sensitivity {
  readonly path: string;
  readonly kind: Kind;
  readonly labels: readonly Label[];
  /** Whether numbers that were drawn are gathered into intervals, `x` being the middle of one. */
  readonly gathered: boolean;
  /** Metric -> points. */
  readonly points: Readonly<Record<string, readonly SensitivityPoint[]>>;
}

/** @param settings  the best first */
export function sensitivityOf(axis: VaryingAxis, settings: readonly PlacedSetting[], metrics: readonly string[]): Sensitivity {
  const placed = settings.flatMap((setting) => {
    const x = axis.at(setting.config);
    return x === undefined ? [] : [{ setting, x }];
  });
  const own = gathered(
    axis,
    placed.map(({ x }) => x),
  );
  const groups = new Map<string, { readonly x: number; readonly all: PlacedSetting[] }>();
  for (const { setting, x } of placed) {
    const at = own(x);
    const key = `${setting.panel} ${setting.series} ${at}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { x: at, all: [setting] });
    else known.all.push(setting);
  }
  const ordered = [...groups.values()].sort((a, b) => a.x - b.x);
  const points = metrics.map((metric, m) => [metric, ordered.map(({ x, all }) => pointOf(x, all, m))] as const);
  return {
    path: axis.path,
    kind: axis.kind,
    labels: axis.labels,
    gathered: placed.some(({ x }) => own(x) !== x),
    points: Object.fromEntries(points),
  };
}

function pointOf(x: number, all: readonly PlacedSetting[], metric: number): SensitivityPoint {
  const [best] = all;
  const values = all.map((s) => s.values[metric]).filter((v) => !Number.isNaN(v));
  const { series, panel } = best;
  return {
    series,
    panel,
    x,
    best: Number.isFinite(best.score) ? best.values[metric] : NaN,
    low: values.length === 0 ? NaN : quantileWithInfinities(values, 0.25),
    high: values.length === 0 ? NaN : quantileWithInfinities(values, 0.75),
    settings: all.length,
    lost: all.filter((s) => !Number.isFinite(s.score)).length,
  };
}

/** Between a number and an infinity there is no middle: the infinity, then. */
function quantileWithInfinities(values: readonly number[], p: number): number {
  const value = quantile(values, p);
  if (!Number.isNaN(value)) return value;
  return [...values].sort((a, b) => a - b)[Math.round(p * (values.length - 1))];
}
