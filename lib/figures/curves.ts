/** A grid of line charts with confidence bands: one row a metric, one column a condition, one legend. */
import type { TopLevelSpec } from './render.js';
import { rangeOf, STYLES } from './styles.js';
import { wrapped } from './subtitle.js';

export interface CurvePoint {
  readonly condition: string;
  readonly series: string;
  readonly metric: string;
  readonly x: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

interface Condition {
  readonly key: string;
  readonly title: string;
}

interface MetricRow {
  readonly key: string;
  readonly title: string;
  /** Where the logarithmic axis has labels. */
  readonly ticks: readonly number[];
}

export interface CurveGrid {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly points: readonly CurvePoint[];
  readonly conditions: readonly Condition[];
  readonly metrics: readonly MetricRow[];
  /** In legend order; as many as there are styles. */
  readonly series: readonly string[];
  readonly xTitle: string;
  readonly xScale: 'linear' | 'log';
  /** Of one panel; marks stand on about six points of a line unless on every one. */
  readonly panel?: { readonly width: number; readonly height: number; readonly everyMark: boolean };
}

type Extent = readonly [number, number];

/** Points of a line that carry a mark: about six, staggered so that marks of two lines seldom fall together. */
const marked = (index: number, series: number): boolean => (index - 2 * series) % 6 === 0;

/** A Vega-Lite specification of the grid. Points that are not positive numbers cannot stand on a log axis and are left out. */
export function curveGrid(grid: CurveGrid): TopLevelSpec {
  const shown = grid.points.filter(
    (p) => grid.series.includes(p.series) && p.mean > 0 && Number.isFinite(p.mean) && (grid.xScale === 'linear' || p.x > 0),
  );
  const xDomain = extent(shown.map((p) => p.x));
  const panels = grid.metrics.flatMap((metric, row) => {
    const own = shown.filter((p) => p.metric === metric.key);
    const yDomain = extent(own.flatMap((p) => [p.mean, p.low, p.high]).filter((v) => v > 0 && Number.isFinite(v)));
    const last = row === grid.metrics.length - 1;
    return grid.conditions.map((condition, col) =>
      panel(grid, own, {
        metric,
        condition,
        xDomain,
        yDomain,
        xTitle: last ? grid.xTitle : null,
        yTitle: col === 0 ? metric.title : null,
        heading: row === 0,
      }),
    );
  });
  return {
    title: { text: grid.title, subtitle: wrapped(grid.subtitle, grid.conditions.length * ((grid.panel?.width ?? 250) + 52)), offset: 16 },
    concat: panels,
    columns: grid.conditions.length,
    align: 'all',
    bounds: 'flush',
    spacing: { row: 34, column: 52 },
    resolve: { scale: { color: 'shared', shape: 'shared', strokeDash: 'shared' } },
  } as unknown as TopLevelSpec;
}

interface PanelOptions {
  readonly metric: MetricRow;
  readonly condition: Condition;
  readonly xDomain: Extent;
  readonly yDomain: Extent;
  readonly xTitle: string | null;
  readonly yTitle: string | null;
  readonly heading: boolean;
}

function panel({ series, xScale, panel: size }: CurveGrid, points: readonly CurvePoint[], o: PanelOptions): object {
  const values = series.flatMap((name, s) =>
    points
      .filter((p) => p.series === name && p.condition === o.condition.key)
      .map((p, index) => ({ ...p, marked: size?.everyMark === true || marked(index, s) })),
  );
  const x = {
    field: 'x',
    type: 'quantitative',
    title: o.xTitle,
    scale: { type: xScale, domain: o.xDomain, nice: false },
    axis: { tickCount: 5, grid: false, ...(xScale === 'log' ? { format: '~g' } : {}) },
  };
  const y = {
    field: 'mean',
    type: 'quantitative',
    title: o.yTitle,
    scale: { type: 'log', domain: o.yDomain, nice: false, clamp: true },
    // A tick outside would be drawn at the edge, where a clamping scale puts it.
    axis: { values: o.metric.ticks.filter((t) => t >= o.yDomain[0] && t <= o.yDomain[1]), format: '~g' },
  };
  const color = styled(series, 'color');
  return {
    ...(o.heading ? { title: o.condition.title } : {}),
    width: size?.width ?? 250,
    height: size?.height ?? 175,
    data: { values },
    layer: [
      // A layer a band, coloured by value: a colour scale of theirs would be merged into the lines' legend and spoil it.
      ...series.map((name, i) => ({
        transform: [{ filter: { field: 'series', equal: name } }],
        mark: { type: 'area', opacity: 0.18, clip: true, color: STYLES[i].color },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      })),
      { mark: { type: 'line', strokeWidth: 1.8, clip: true }, encoding: { x, y, color, strokeDash: styled(series, 'dash') } },
      {
        transform: [{ filter: 'datum.marked' }],
        mark: { type: 'point', size: 42, strokeWidth: 1.6, filled: false, clip: size === undefined },
        encoding: { x, y, color, shape: styled(series, 'shape') },
      },
    ],
  };
}

/** An encoding of the series by one part of its style; all share one legend. */
function styled(series: readonly string[], part: 'color' | 'dash' | 'shape'): object {
  return {
    field: 'series',
    type: 'nominal',
    scale: { domain: series, range: rangeOf(part, series.length) },
    legend: { title: null, orient: 'bottom', columns: 4, offset: 14 },
  };
}

const extent = (values: readonly number[]): Extent => [Math.min(...values), Math.max(...values)];
