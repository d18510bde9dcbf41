/** Looks shared by all kinds of charts, and what they are compiled with. Colours '@ink', '@line', '@series0' are those of the page, light or dark. */
import { compile, type TopLevelSpec } from 'vega-lite';
import { rangeOf, STYLES } from '../../../figures/index.js';

export interface ChartSpec {
  /** A Vega specification whose data sets are empty. */
  readonly vega: object;
  /** Data set -> names of the values of a row, in order. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

export type Scale = 'linear' | 'log';

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

/** A value that comes with the data. */
export const signal = (name: string): object => ({ signal: name });

/** @param signals  names of the values that come with the data */
export function compiled(spec: object, columns: ChartSpec['columns'], signals: readonly string[]): ChartSpec {
  const whole = { ...spec, width: 'container', config, params: signals.map((name) => ({ name, value: null })) };
  return { vega: compile(whole as unknown as TopLevelSpec).spec, columns };
}

/** The series' number decides colour, dash and mark: the same in every chart. */
export const styled = (part: 'color' | 'dash' | 'shape'): object => ({
  field: 'series',
  type: 'nominal',
  scale: { domain: STYLES.map((_, i) => i), range: part === 'color' ? STYLES.map((_, i) => `@series${i}`) : rangeOf(part) },
});

/** Powers where there are many zeros. */
const LABEL = "datum.label === '' ? '' : datum.value < 1e-3 || datum.value >= 1e5 ? format(datum.value, '~e') : format(datum.value, '~g')";

export const scaleOf = (type: Scale, domain: string): object => ({
  type,
  domain: signal(domain),
  nice: false,
  clamp: true,
  ...(type === 'linear' ? { zero: false } : {}),
});
export const ticksOf = (type: Scale): object => (type === 'log' ? { labelExpr: LABEL, tickCount: 6 } : { tickCount: 5 });
