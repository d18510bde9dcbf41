/** Histograms of spectra with their theoretical density over them, outliers marked, theory's outliers as broken lines: a grid of panels. */
import type { TopLevelSpec } from './render.js';
import { ACCENT, CONTRAST } from './styles.js';

export interface SpectrumPanel {
  readonly title: string;
  /** Values below `upTo`, binned; those above are marked one by one. */
  readonly values: readonly number[];
  readonly upTo: number;
  /** Points of the density, interval by interval of its support. */
  readonly density: { readonly x: readonly number[]; readonly density: readonly number[]; readonly interval: readonly number[] };
  /** Where theory puts outliers. */
  readonly expected: readonly number[];
}

export interface SpectraRow {
  readonly xTitle: string;
  /** Of the values; densities are per unit of x, or of its logarithm to base 10. */
  readonly scale: 'linear' | 'log';
  readonly panels: readonly SpectrumPanel[];
}

const BINS = 40;
const COLORS = { bar: '#b8cfe5', line: CONTRAST.color, outlier: ACCENT.color } as const;

export function spectra(o: {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly rows: readonly SpectraRow[];
}): TopLevelSpec {
  const panels = o.rows.flatMap((row) => {
    const log = row.scale === 'log';
    const place = (x: number): number => (log ? Math.log10(x) : x);
    const positive = (x: number): boolean => x > 0 || !log;
    const all = row.panels.flatMap((p) => [...p.values.filter(positive).map(place), ...p.expected.filter(positive).map(place)]);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const margin = 0.04 * (high - low);
    const domain = [low - margin, high + margin];
    const barsOf = (panel: SpectrumPanel): { x: number; x2: number; y: number }[] => {
      const inside = panel.values.filter((v) => positive(v) && v <= panel.upTo).map(place);
      const from = Math.min(...inside);
      const width = (Math.max(...inside) - from) / BINS;
      const counts = new Array<number>(BINS).fill(0);
      for (const v of inside) counts[Math.min(BINS - 1, Math.floor((v - from) / width))]++;
      return counts.map((count, b) => ({ x: from + b * width, x2: from + (b + 1) * width, y: count / (panel.values.length * width) }));
    };
    const bars = row.panels.map(barsOf);
    // One scale a row: panels are compared, and their titles stand in a line.
    const top = Math.max(...bars.flat().map((b) => b.y));
    return row.panels.map((panel, column) => {
      const outside = panel.values.filter((v) => v > panel.upTo).map(place);
      const line = panel.density.x.flatMap((x, i) =>
        positive(x) && x <= panel.upTo * 1.02
          ? [
              {
                x: place(x),
                y: Math.min(1.25 * top, panel.density.density[i] * (log ? x * Math.LN10 : 1)),
                interval: panel.density.interval[i],
              },
            ]
          : [],
      );
      const x = {
        type: 'quantitative',
        title: row.xTitle,
        scale: { domain, nice: false },
        axis: log ? { labelExpr: "format(pow(10, datum.value), '~g')", tickMinStep: 1, grid: false } : { tickCount: 6, grid: false },
      };
      const y = {
        type: 'quantitative',
        title: column === 0 ? 'density' : null,
        scale: { domain: [0, 1.3 * top], nice: false },
        axis: { tickCount: 4 },
      };
      return {
        title: panel.title,
        width: 260,
        height: 170,
        layer: [
          {
            data: { values: bars[column] },
            mark: { type: 'rect', color: COLORS.bar, stroke: 'white', strokeWidth: 0.5 },
            encoding: { x: { ...x, field: 'x' }, x2: { field: 'x2' }, y: { ...y, field: 'y' }, y2: { datum: 0 } },
          },
          {
            data: { values: line },
            mark: { type: 'line', color: COLORS.line, strokeWidth: 2, clip: true },
            encoding: { x: { ...x, field: 'x' }, y: { ...y, field: 'y' }, detail: { field: 'interval', type: 'nominal' } },
          },
          {
            data: { values: panel.expected.map((v) => ({ x: place(v) })) },
            mark: { type: 'rule', color: COLORS.line, strokeWidth: 1.5, strokeDash: [4, 3] },
            encoding: { x: { ...x, field: 'x' } },
          },
          {
            data: { values: outside.map((v) => ({ x: v, y: 0.06 * top })) },
            mark: { type: 'point', shape: 'triangle-down', filled: true, size: 110, opacity: 1, color: COLORS.outlier },
            encoding: { x: { ...x, field: 'x' }, y: { ...y, field: 'y' } },
          },
        ],
      };
    });
  });
  return {
    title: { text: o.title, subtitle: o.subtitle, offset: 16 },
    concat: panels,
    columns: Math.max(...o.rows.map((r) => r.panels.length)),
    spacing: { row: 34, column: 40 },
  } as unknown as TopLevelSpec;
}
