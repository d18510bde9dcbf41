/** How a quantity scales: points with their intervals on two logarithmic axes, one panel a condition, lower bounds as arrows that point on,
 *  fitted lines, and lines of reference. */
import type { TopLevelSpec } from './render.js';
import { rangeOf } from './styles.js';
import { wrapped } from './subtitle.js';

export interface ScalingPoint {
  readonly panel: string;
  readonly series: string;
  readonly x: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Whether the truth lies above. */
  readonly bound?: boolean;
  /** Whether runs were lost there: a cross at the top stands for them. */
  readonly lost?: boolean;
}

/** From one place to another. */
export interface ScalingLine {
  readonly panel: string;
  /** Of a series, or null for a line of reference. */
  readonly series: string | null;
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
}

export interface Scaling {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly panels: readonly {
    readonly key: string;
    readonly title: string;
    readonly xTitle: string;
    readonly ticks: readonly number[];
  }[];
  readonly points: readonly ScalingPoint[];
  readonly lines: readonly ScalingLine[];
  /** In legend order; as many as there are styles. */
  readonly series: readonly string[];
  readonly yTitle: string;
  readonly yTicks: readonly number[];
}

/** 0.03, 300, 10k. */
const LABEL = "datum.value < 1000 ? format(datum.value, '~g') : format(datum.value, '~s')";

export function scaling(o: Scaling): TopLevelSpec {
  const values = o.points
    .filter((p) => p.lost !== true)
    .flatMap((p) => [p.mean, p.low, p.high])
    .filter((v) => v > 0 && Number.isFinite(v));
  // Crosses stand above all else, a row a series.
  const arrows = o.points.some((p) => p.bound === true) ? (Math.max(...values) / Math.min(...values)) ** 0.1 : 1;
  const room = o.points.some((p) => p.lost === true) ? 1.12 ** o.series.length : arrows;
  const yDomain = [Math.min(...values) / 1.25, Math.max(...values) * 1.25 * room];
  const encoded = (part: 'color' | 'dash' | 'shape'): object => ({
    field: 'series',
    type: 'nominal',
    scale: { domain: o.series, range: rangeOf(part, o.series.length) },
    // Marks alone: a dash around one would tell nothing.
    legend: { title: null, orient: 'bottom', columns: 4, offset: 14, symbolStrokeWidth: 0 },
  });
  const width = o.panels.length > 2 ? 230 : 300;
  const panels = o.panels.map(({ key, title, xTitle, ticks }, column) => {
    const own = o.points.filter((p) => p.panel === key);
    const xs = own.map((p) => p.x);
    const x = {
      field: 'x',
      type: 'quantitative',
      title: xTitle,
      scale: { type: 'log', nice: false, domain: [Math.min(...xs) / 1.2, Math.max(...xs) * 1.2] },
      axis: { values: ticks, labelExpr: LABEL, grid: false },
    };
    const y = (field: string): object => ({
      field,
      type: 'quantitative',
      title: column === 0 ? o.yTitle : null,
      scale: { type: 'log', nice: false, domain: yDomain, clamp: true },
      axis: { values: o.yTicks.filter((t) => t >= yDomain[0] && t <= yDomain[1]), labelExpr: LABEL },
    });
    const color = encoded('color');
    const lines = o.lines.filter((l) => l.panel === key);
    const ends = (l: ScalingLine): object[] => [l.from, l.to].map(([px, py]) => ({ x: px, mean: py, series: l.series }));
    return {
      title,
      width,
      height: 260,
      layer: [
        ...lines
          .filter((l) => l.series === null)
          .map((l) => ({
            data: { values: ends(l) },
            mark: { type: 'line', color: '#888', strokeDash: [2, 4], strokeWidth: 1.4, clip: true },
            encoding: { x, y: y('mean') },
          })),
        ...lines
          .filter((l) => l.series !== null)
          .map((l) => ({
            data: { values: ends(l) },
            mark: { type: 'line', strokeWidth: 1.6, clip: true },
            encoding: { x, y: y('mean'), color, strokeDash: encoded('dash') },
          })),
        {
          data: { values: own.filter((p) => p.bound !== true && p.lost !== true) },
          layer: [
            { mark: { type: 'rule', strokeWidth: 1.4 }, encoding: { x, y: y('low'), y2: { field: 'high' }, color } },
            {
              mark: { type: 'point', size: 50, filled: true, opacity: 1 },
              encoding: { x, y: y('mean'), color, shape: encoded('shape') },
            },
          ],
        },
        {
          // Series beside each other, or their crosses would be one.
          data: {
            values: own.filter((p) => p.lost === true).map((p) => ({ ...p, mean: yDomain[1] / 1.12 ** (1 + o.series.indexOf(p.series)) })),
          },
          mark: { type: 'point', shape: 'M-1,-1L1,1M1,-1L-1,1', size: 30, strokeWidth: 1.6 },
          encoding: { x, y: y('mean'), color },
        },
        {
          data: { values: own.filter((p) => p.bound === true) },
          layer: [
            {
              mark: { type: 'point', size: 60, filled: false, strokeWidth: 1.8 },
              encoding: { x, y: y('mean'), color, shape: encoded('shape') },
            },
            { mark: { type: 'text', text: '\u2191', dy: -14, fontSize: 15, fontWeight: 'bold' }, encoding: { x, y: y('mean'), color } },
          ],
        },
      ],
    };
  });
  return {
    title: { text: o.title, subtitle: wrapped(o.subtitle, o.panels.length * (width + 44) + 30), offset: 16 },
    concat: panels,
    columns: o.panels.length,
    spacing: 44,
    resolve: { scale: { color: 'shared', shape: 'shared', strokeDash: 'shared' } },
  } as unknown as TopLevelSpec;
}
