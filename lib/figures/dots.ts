/** A dot for each series with its interval, on a log axis, one panel a condition: who ends where. */
import type { TopLevelSpec } from './render.js';
import { ACCENT, CONTRAST } from './styles.js';
import { wrapped } from './subtitle.js';
import { textWidth } from './text.js';

export interface Dot {
  readonly condition: string;
  readonly series: string;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Not as sure as the others. */
  readonly hollow?: boolean;
}

/** A mark beside the dots, at one place of the axis. */
export interface Cross {
  readonly condition: string;
  readonly series: string;
  readonly x: number;
}

export function dotPlot(o: {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly dots: readonly Dot[];
  readonly crosses?: readonly Cross[];
  readonly conditions: readonly { readonly key: string; readonly title: string }[];
  readonly series: readonly string[];
  readonly xTitle: string;
  readonly ticks: readonly number[];
}): TopLevelSpec {
  const panel = ({ key, title }: { key: string; title: string }, col: number): object => {
    const values = o.dots.filter((d) => d.condition === key && d.mean > 0 && Number.isFinite(d.mean));
    const y = {
      field: 'series',
      type: 'nominal',
      scale: { domain: o.series },
      title: null,
      axis: col === 0 ? { labelLimit: 300, grid: true } : { labels: false, ticks: false, grid: true },
    };
    const x = {
      type: 'quantitative',
      scale: { type: 'log', nice: false, padding: 8 },
      title: o.xTitle,
      axis: { values: o.ticks, format: '~g', grid: true },
    };
    return {
      title,
      width: 230,
      height: 18 * o.series.length,
      data: { values },
      layer: [
        { mark: { type: 'rule', strokeWidth: 2 }, encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } } },
        ...[true, false].map((filled) => ({
          transform: [{ filter: `(datum.hollow === true) !== ${filled}` }],
          mark: { type: 'point', filled, size: 60, opacity: 1, ...(filled ? {} : { fill: 'white', strokeWidth: 2 }) },
          encoding: { y, x: { ...x, field: 'mean' } },
        })),
        ...(o.crosses === undefined
          ? []
          : [
              {
                data: { values: o.crosses.filter((c) => c.condition === key) },
                mark: { type: 'point', shape: 'M-1,-1L1,1M1,-1L-1,1', size: 26, strokeWidth: 1.4, color: CONTRAST.color },
                encoding: { y, x: { ...x, field: 'x' }, color: { value: CONTRAST.color } },
              },
            ]),
      ],
      encoding: { color: { value: ACCENT.color } },
    };
  };
  return {
    title: {
      text: o.title,
      subtitle: wrapped(o.subtitle, o.conditions.length * 250 + Math.max(...o.series.map((s) => textWidth(s, 11)))),
      offset: 14,
    },
    hconcat: o.conditions.map(panel),
    resolve: { scale: { x: 'shared', y: 'shared' } },
  } as unknown as TopLevelSpec;
}
