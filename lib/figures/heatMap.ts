/** A quantity over two logarithmic grids, one panel a method: darker is less, the least has a ring, runs that were lost a cross. */
import type { TopLevelSpec } from './render.js';
import { wrapped } from './subtitle.js';

/** Grows lighter all along, for all eyes (test/figures/styles.test.ts). */
export const MAP_SCHEME = 'viridis';

export interface HeatCell {
  readonly panel: string;
  readonly x: number;
  readonly y: number;
  /** Not finite where runs were lost. */
  readonly value: number;
}

export interface HeatMap {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly panels: readonly string[];
  readonly cells: readonly HeatCell[];
  readonly xTitle: string;
  readonly yTitle: string;
  readonly valueTitle: string;
  /** Of the colours' scale. */
  readonly ticks: readonly number[];
}

export function heatMap(o: HeatMap): TopLevelSpec {
  const label = (v: number): string => (Math.abs(Math.log10(v)) > 3 ? v.toExponential(0) : String(Number(v.toPrecision(2))));
  const order = (pick: (c: HeatCell) => number): string[] => [...new Set(o.cells.map(pick))].sort((a, b) => a - b).map(label);
  const finite = o.cells.map((c) => c.value).filter((v) => v > 0 && Number.isFinite(v));
  const panels = o.panels.map((panel, column) => {
    const values = o.cells
      .filter((c) => c.panel === panel)
      .map((c) => ({ x: label(c.x), y: label(c.y), value: Number.isFinite(c.value) ? c.value : null }));
    const least = Math.min(...values.map((v) => v.value ?? Infinity));
    const x = { field: 'x', type: 'ordinal', title: o.xTitle, sort: order((c) => c.x), axis: { labelAngle: -45, labelOverlap: false } };
    const y = {
      field: 'y',
      type: 'ordinal',
      title: column === 0 ? o.yTitle : null,
      sort: order((c) => c.y).reverse(),
      axis: column === 0 ? {} : { labels: false, ticks: false },
    };
    const color = {
      field: 'value',
      type: 'quantitative',
      scale: { type: 'log', scheme: MAP_SCHEME, domain: [Math.min(...finite), Math.max(...finite)] },
      legend: { title: o.valueTitle, values: o.ticks, format: '~g' },
    };
    return {
      title: panel,
      width: { step: 36 },
      height: { step: 26 },
      data: { values },
      layer: [
        { transform: [{ filter: 'isValid(datum.value)' }], mark: { type: 'rect' }, encoding: { x, y, color } },
        {
          transform: [{ filter: '!isValid(datum.value)' }],
          mark: { type: 'text', text: '\u00d7', fontSize: 15, color: '#555' },
          encoding: { x, y },
        },
        {
          transform: [{ filter: `datum.value === ${least}` }],
          mark: { type: 'point', shape: 'circle', size: 150, strokeWidth: 2.4, color: 'white', filled: false },
          encoding: { x, y },
        },
      ],
    };
  });
  return {
    title: { text: o.title, subtitle: wrapped(o.subtitle, o.panels.length * (36 * order((c) => c.x).length + 30) + 130), offset: 14 },
    hconcat: panels,
    spacing: 30,
    resolve: { scale: { color: 'shared' } },
  } as unknown as TopLevelSpec;
}
