/** Charts of the page: which specification each is drawn by, with which rows, for every metric that can be chosen. */
import type { Comparison, Place } from './comparison.js';
import type { ReportData } from './data.js';
import { domainOf, rounded, scaleOf, type Domain } from './domains.js';
import type { Parallel } from './parallel.js';
import type { Sensitivity } from './sensitivity.js';
import type { Scale, SpecName } from './specs.js';
import { keyOf, type Label, shortened } from './words.js';

type Cell = number | string | boolean | null;
type Row = readonly Cell[];

/** A chart as it is for one metric. */
export interface View {
  readonly spec: SpecName;
  readonly signals: Readonly<Record<string, unknown>>;
  /** Data set -> rows, in the order of the specification's columns. */
  readonly data: Readonly<Record<string, readonly Row[]>>;
  /** What its numbers are, for those who point at them. */
  readonly words: { readonly x: string; readonly y: string; readonly range: string };
}

export interface Chart {
  /** Panel it is, if there are several. */
  readonly caption: Label | null;
  readonly height: number;
  /** Metric -> view; under '' where it is the same for all. */
  readonly views: Readonly<Record<string, View>>;
}

export type Charts = Readonly<Record<string, Chart>>;

/** @returns charts by name: 'best-0', 'sensitivity-1-0' (axis, panel), 'curves-0', 'parallel' */
export function chartsOf(data: ReportData): Charts {
  const charts: Record<string, Chart> = {};
  const panels = data.comparison.panels.map((_, panel) => panel);
  for (const panel of panels) Object.assign(charts, best(data, panel));
  data.sensitivity.forEach((one, axis) => {
    for (const panel of panels) charts[`sensitivity-${axis}-${panel}`] = sensitivity(data, one, panel);
  });
  for (const panel of panels) Object.assign(charts, curves(data, panel));
  if (data.parallel !== null) charts['parallel'] = parallel(data.parallel);
  return charts;
}

const captionOf = ({ panels }: Comparison, panel: number): Label | null => (panels.length > 1 ? panels[panel] : null);
const inPanel =
  (panel: number) =>
  (place: Place | null): boolean =>
    place?.panel === panel;

function best({ best: rows, comparison, objective }: ReportData, panel: number): Charts {
  const all = rows.filter(({ place, seeds }) => place !== null && seeds > 0);
  const own = all.filter(({ place }) => inPanel(panel)(place));
  const numbers = all.flatMap(({ mean, low, high }) => [mean, low, high]);
  const scale = scaleOf(numbers);
  if (objective === null || own.length === 0) return {};
  const labels = own.map(({ place }) => comparison.series[place!.series].short);
  const xDomain = domainOf(numbers, scale);
  const view: View = {
    spec: `best-${scale}`,
    signals: { xTitle: shortened(objective.metric), xDomain, yDomain: labels },
    data: {
      rows: own.map(({ place, mean, low, high, seeds }, i) => [
        place!.series,
        labels[i],
        ...[mean, low, high].map((value) => within(value, xDomain)),
        seeds,
      ]),
    },
    words: { x: '', y: objective.metric, range: '95% interval of the mean' },
  };
  return { [`best-${panel}`]: { caption: captionOf(comparison, panel), height: 26 * own.length + 14, views: { '': view } } };
}

/** Points of a line that carry a mark: about six, staggered so that marks of two lines seldom fall together. */
const marked = (index: number, series: number, count: number): boolean => {
  const every = Math.max(1, Math.floor(count / 6));
  return (index - 2 * series) % every === 0;
};

function curves({ curves: byMetric, comparison, metrics }: ReportData, panel: number): Charts {
  const views = metrics.flatMap((metric): [string, View][] => {
    const all = byMetric[metric];
    const own = all.filter(inPanel(panel));
    if (own.length === 0) return [];
    const numbers = all.flatMap(({ mean, low, high }) => [mean, low, high]);
    const scale = scaleOf(numbers);
    const yDomain = domainOf(numbers, scale);
    const lengths = comparison.series.map((_, s) => own.filter(({ series }) => series === s).length);
    const next = comparison.series.map(() => 0);
    const rows = own.map(({ series, step, mean, low, high, seeds }): Row => {
      const mark = marked(next[series]++, series, lengths[series]);
      return [series, step, within(mean, yDomain), within(low, yDomain), within(high, yDomain), mark, seeds];
    });
    const xDomain = domainOf(
      all.map(({ step }) => step),
      'linear',
      0,
    );
    return [
      [
        metric,
        {
          spec: `curves-${scale}`,
          signals: { xTitle: 'step', yTitle: shortened(metric), xDomain, yDomain },
          data: { rows },
          words: { x: 'step', y: metric, range: '95% interval of the mean' },
        },
      ],
    ];
  });
  if (views.length === 0) return {};
  return { [`curves-${panel}`]: { caption: captionOf(comparison, panel), height: 240, views: Object.fromEntries(views) } };
}

function sensitivity({ comparison, metrics, objective }: ReportData, { path, kind, labels, points }: Sensitivity, panel: number): Chart {
  const xs = Object.values(points)[0]?.map(({ x }) => x) ?? [];
  const xTitle = shortened(keyOf(path));
  const xDomain = kind === 'category' ? labels.map(({ short }) => short) : domainOf(xs, kind, 0.04);
  const views = metrics.map((metric): [string, View] => {
    const all = points[metric];
    const numbers = all.flatMap(({ best, low, high }) => [best, low, high]);
    const scale: Scale = scaleOf(numbers);
    const yDomain = domainOf(numbers, scale);
    const rows = all
      .filter(inPanel(panel))
      .map(({ series, x, best, low, high, settings, lost }): Row => [
        series,
        kind === 'category' ? labels[x].short : rounded(x),
        within(best, yDomain),
        within(low, yDomain),
        within(high, yDomain),
        true,
        settings,
        lost,
      ]);
    const y = metric === objective?.metric ? `best ${metric}` : `${metric} of the best`;
    return [
      metric,
      {
        spec: `sensitivity-${kind}-${scale}`,
        signals: { xTitle, yTitle: shortened(y), xDomain, yDomain },
        data: { rows },
        words: { x: path, y, range: 'middle half of the settings' },
      },
    ];
  });
  return { caption: captionOf(comparison, panel), height: kind === 'category' ? 240 : 220, views: Object.fromEntries(views) };
}

/** Infinities are drawn at the edge; what is no number is not drawn. */
const within = (value: number, [low, high]: Domain): number | null =>
  Number.isNaN(value) ? null : rounded(Math.min(high, Math.max(low, value)));

function parallel({ axes, lines }: Parallel): Chart {
  const objective = axes.length - 1;
  // The best ones come last, over all others.
  const rows = lines
    .toReversed()
    .flatMap((heights, line) =>
      heights.flatMap((at, axis): Row[] =>
        at === null ? [] : [[line, axis, at, lines.length < 2 ? 1 : rounded(line / (lines.length - 1))]],
      ),
    );
  const view: View = {
    spec: 'parallel',
    signals: { xDomain: [-0.1, objective + 0.45] },
    data: {
      lines: rows,
      axes: axes.map(({ path }, axis) => [axis, shortened(keyOf(path), 22)]),
      ticks: axes.flatMap(({ ticks }, axis) => ticks.map(({ at, label }) => [axis, at, shortened(label.short, 22)])),
    },
    words: { x: '', y: '', range: '' },
  };
  return { caption: null, height: 320, views: { '': view } };
}
