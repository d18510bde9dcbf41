/**
 * The few kinds of charts of the page, in Vega-Lite, compiled to Vega once. They hold no data and no words of a store: rows come by the
 * names in `columns`, titles, domains and categories as signals. Colours '@ink' and '@line' are those of the page, light or dark.
 */
import { STYLES } from '../../figures/index.js';
import { compile, type TopLevelSpec } from 'vega-lite';

export interface ChartSpec {
  /** A Vega specification whose data sets are empty. */
  readonly vega: object;
  /** Data set -> names of the values of a row, in order. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

export type Scale = 'linear' | 'log';
export type SpecName = `best-${Scale}` | `curves-${Scale}` | `sensitivity-${Scale | 'category'}-${Scale}` | 'parallel';

const SCALES: readonly Scale[] = ['linear', 'log'];

let held: Readonly<Record<SpecName, ChartSpec>> | undefined;

export function chartSpecs(): Readonly<Record<SpecName, ChartSpec>> {
  return (held ??= Object.fromEntries([
    ...SCALES.map((x) => [`best-${x}`, best(x)]),
    ...SCALES.map((y) => [`curves-${y}`, lines('linear', y, ['seeds'])]),
    ...(['linear', 'log', 'category'] as const).flatMap((x) =>
      SCALES.map((y) => [`sensitivity-${x}-${y}`, lines(x, y, ['settings', 'lost', 'top'])]),
    ),
    ['parallel', parallel()],
  ]) as Readonly<Record<SpecName, ChartSpec>>);
}

const config = {
  aria: false, // a canvas has none; the captions say what is drawn
  background: 'transparent',
  font: 'system-ui, sans-serif',
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelColor: '@ink',
    titleColor: '@ink',
    gridColor: '@line',
    domainColor: '@ink',
    tickColor: '@ink',
    domainOpacity: 0.5,
    tickOpacity: 0.5,
    gridOpacity: 0.6,
    labelOverlap: 'greedy',
    labelSeparation: 6,
    titleLimit: 260,
    labelLimit: 150,
  },
  view: { stroke: null },
  legend: { disable: true },
} as const;

const signal = (name: string): object => ({ signal: name });

function compiled(spec: object, columns: ChartSpec['columns'], signals: readonly string[]): ChartSpec {
  const whole = { ...spec, width: 'container', config, params: signals.map((name) => ({ name, value: null })) };
  return { vega: compile(whole as unknown as TopLevelSpec).spec, columns };
}

/** The series' number decides colour, dash and mark: the same in every chart. */
const styled = (part: 'color' | 'dash' | 'shape'): object => ({
  field: 'series',
  type: 'nominal',
  scale: { domain: STYLES.map((_, i) => i), range: STYLES.map((s, i) => (part === 'color' && i === 0 ? '@ink' : s[part])) },
});

/** Powers where there are many zeros. */
const LABEL = "datum.label === '' ? '' : datum.value < 1e-3 || datum.value >= 1e5 ? format(datum.value, '~e') : format(datum.value, '~g')";

const scaleOf = (type: Scale, domain: string): object => ({
  type,
  domain: signal(domain),
  nice: false,
  clamp: true,
  ...(type === 'linear' ? { zero: false } : {}),
});
const ticksOf = (type: Scale): object => (type === 'log' ? { labelExpr: LABEL, tickCount: 4 } : { tickCount: 5 });

/** Lines with bands: `y` against `x`, from `low` to `high`. A row without `y` is marked at the top. */
function lines(xScale: Scale | 'category', yScale: Scale, more: readonly string[]): ChartSpec {
  const x =
    xScale === 'category'
      ? {
          field: 'x',
          type: 'nominal',
          scale: { domain: signal('xDomain'), type: 'point', padding: 0.5 },
          axis: {
            title: signal('xTitle'),
            labelAngle: -40,
            grid: false,
            labelLimit: 110,
            labelOverlap: signal("width / length(xDomain) > 16 ? false : 'greedy'"),
          },
        }
      : {
          field: 'x',
          type: 'quantitative',
          scale: scaleOf(xScale, 'xDomain'),
          axis: { title: signal('xTitle'), grid: false, ...ticksOf(xScale) },
        };
  const y = { field: 'y', type: 'quantitative', scale: scaleOf(yScale, 'yDomain'), axis: { title: signal('yTitle'), ...ticksOf(yScale) } };
  const color = styled('color');
  const points = { type: 'point', filled: false, strokeWidth: 1.6 };
  const layer = [
    { mark: { type: 'area', opacity: 0.15, clip: true }, encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color } },
    { mark: { type: 'line', strokeWidth: 2, clip: true }, encoding: { x, y, color, strokeDash: styled('dash') } },
    { transform: [{ filter: 'datum.marked' }], mark: { ...points, size: 46 }, encoding: { x, y, color, shape: styled('shape') } },
    { mark: { ...points, filled: true, size: 110, opacity: 0, tooltip: { content: 'data' } }, encoding: { x, y } },
    {
      transform: [{ filter: 'datum.y === null' }],
      mark: { ...points, size: 46, tooltip: { content: 'data' } },
      encoding: { x, y: { field: 'top', type: 'quantitative', scale: null, axis: null }, color, shape: { value: 'M-1,-1L1,1M-1,1L1,-1' } },
    },
  ];
  return compiled({ height: 220, data: { name: 'rows' }, layer }, { rows: ['series', 'x', 'y', 'low', 'high', 'marked', ...more] }, [
    'xTitle',
    'yTitle',
    'xDomain',
    'yDomain',
  ]);
}

/** A dot with its interval for each series. */
function best(scale: Scale): ChartSpec {
  const y = {
    field: 'label',
    type: 'nominal',
    scale: { domain: signal('yDomain') },
    axis: { title: null, grid: true, labelLimit: 200, tickSize: 0, domain: false, labelPadding: 8 },
  };
  const x = {
    type: 'quantitative',
    scale: { ...scaleOf(scale, 'xDomain') },
    axis: { title: signal('xTitle'), grid: true, ...ticksOf(scale) },
  };
  const color = styled('color');
  const layer = [
    { mark: { type: 'rule', strokeWidth: 2.5 }, encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' }, color } },
    {
      mark: { type: 'point', filled: true, size: 90, opacity: 1, tooltip: { content: 'data' } },
      encoding: { y, x: { ...x, field: 'y' }, color, shape: styled('shape') },
    },
  ];
  return compiled({ height: 100, data: { name: 'rows' }, layer }, { rows: ['series', 'label', 'y', 'low', 'high', 'seeds'] }, [
    'xTitle',
    'xDomain',
    'yDomain',
  ]);
}

/** A line a setting over upright axes, coloured by how good it is: 0 the worst, 1 the best. */
function parallel(): ChartSpec {
  const x = { field: 'axis', type: 'quantitative', scale: { domain: signal('xDomain'), nice: false, zero: false }, axis: null };
  const y = { field: 'at', type: 'quantitative', scale: { domain: [0, 1], nice: false }, axis: null };
  const goodness = {
    field: 'goodness',
    type: 'quantitative',
    scale: { domain: [0, 0.9, 0.9, 1], range: ['@line', '#0072B2', '#D55E00', '#D55E00'] },
  };
  const text = { type: 'text', fontSize: 12, color: '@ink', limit: 130 };
  const layer = [
    {
      data: { name: 'lines' },
      mark: { type: 'line', strokeWidth: 1.2, opacity: { expr: 'opacity' } },
      encoding: { x, y, detail: { field: 'line', type: 'nominal' }, color: goodness },
    },
    {
      data: { name: 'axes' },
      mark: { type: 'rule', color: '@ink', opacity: 0.6 },
      encoding: { x, y: { value: 0 }, y2: { value: { expr: 'height' } } },
    },
    { data: { name: 'axes' }, mark: { ...text, dy: -14, fontWeight: 'bold' }, encoding: { x, y: { value: 0 }, text: { field: 'title' } } },
    { data: { name: 'ticks' }, mark: { type: 'tick', orient: 'horizontal', size: 8, color: '@ink' }, encoding: { x, y } },
    {
      data: { name: 'ticks' },
      mark: { ...text, align: 'left', dx: 7, stroke: '@paper', strokeWidth: 3, strokeJoin: 'round' },
      encoding: { x, y, text: { field: 'label' } },
    },
    { data: { name: 'ticks' }, mark: { ...text, align: 'left', dx: 7 }, encoding: { x, y, text: { field: 'label' } } },
  ];
  return compiled(
    { height: 320, layer },
    { lines: ['line', 'axis', 'at', 'goodness'], axes: ['axis', 'title'], ticks: ['axis', 'at', 'label'] },
    ['xDomain', 'opacity'],
  );
}
