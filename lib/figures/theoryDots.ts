/** Theory lines through simulation dots with their intervals, one panel a condition, on a logarithmic axis that may end in named places
 *  (a limit, another method). */
import type { TopLevelSpec } from './render.js';
import { rangeOf } from './styles.js';

export interface TheoryDot {
  readonly condition: string;
  readonly series: string;
  readonly x: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** What theory says there; absent where it says nothing. */
  readonly theory?: number;
}

export interface TheoryDots {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly dots: readonly TheoryDot[];
  readonly conditions: readonly { readonly key: string; readonly title: string }[];
  /** In legend order; as many as there are styles. */
  readonly series: readonly string[];
  readonly xTitle: string;
  readonly yTitle: string;
  /** Where the axis has numbers. */
  readonly ticks: readonly number[];
  /** Places beyond the numbers with a name each. */
  readonly places: readonly { readonly x: number; readonly label: string }[];
  readonly yDomain: readonly [number, number];
  /** Panels a row. */
  readonly columns: number;
}

export function theoryDots(o: TheoryDots): TopLevelSpec {
  const names = o.places.map(({ x, label }) => `datum.value == ${x} ? ${JSON.stringify(label)} : `).join('');
  const beyond = o.places[0]?.x ?? Infinity;
  const scale = {
    type: 'log',
    nice: false,
    domain: [Math.min(...o.ticks), Math.max(...o.ticks, ...o.places.map((p) => p.x))],
    padding: 10,
  };
  const axis = {
    values: [...o.ticks, ...o.places.map((p) => p.x)],
    labelExpr: `${names}format(datum.value, '~g')`,
    labelAngle: -40,
    labelAlign: 'right',
    labelOverlap: false,
    titleY: 58, // where labels end: their slanted extent is overestimated without a canvas
    grid: false,
  };
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: o.series, range: rangeOf('color', o.series.length) },
    legend: { title: null, orient: 'bottom', columns: o.series.length, offset: 14 },
  };
  const shape = { ...color, scale: { domain: o.series, range: rangeOf('shape', o.series.length) } };
  const panels = o.conditions.map(({ key, title }, index) => {
    const values = o.dots.filter((d) => d.condition === key);
    const x = { field: 'x', type: 'quantitative', title: o.xTitle, scale, axis };
    const y = (field: string): object => ({
      field,
      type: 'quantitative',
      title: index % o.columns === 0 ? o.yTitle : null,
      scale: { domain: o.yDomain, nice: false },
      axis: { tickCount: 6 },
    });
    return {
      title,
      width: 215,
      height: 210,
      data: { values },
      layer: [
        {
          transform: [{ filter: `isValid(datum.theory) && datum.x < ${beyond}` }],
          mark: { type: 'line', strokeWidth: 1.8, interpolate: 'monotone' },
          encoding: { x, y: y('theory'), color },
        },
        // Theory at a named place stands alone: a short bar.
        {
          transform: [{ filter: `isValid(datum.theory) && datum.x >= ${beyond}` }],
          mark: { type: 'tick', thickness: 2, width: 16, orient: 'horizontal' },
          encoding: { x, y: y('theory'), color },
        },
        { mark: { type: 'rule', strokeWidth: 1.4 }, encoding: { x, y: y('low'), y2: { field: 'high' }, color } },
        { mark: { type: 'point', size: 34, filled: true, opacity: 1 }, encoding: { x, y: y('mean'), color, shape } },
      ],
    };
  });
  return {
    title: { text: o.title, subtitle: o.subtitle, offset: 16 },
    concat: panels,
    columns: o.columns,
    spacing: { row: 30, column: 24 },
    resolve: { scale: { color: 'shared', shape: 'shared' } },
  } as unknown as TopLevelSpec;
}
