import type { BandPoint } from '../data/curves.js';
import type { ReportData } from '../data/reportData.js';
import { shortened } from '../words.js';
import { captionOf, inPanel, within, type Chart, type Row, type View } from './chart.js';
import { domainOf, scaleOf } from './domains.js';

/** Every metric of the best settings against steps. @returns null where none has been measured */
export function curvesChart({ curves, comparison, metrics }: ReportData, panel: number): Chart | null {
  const views = metrics.flatMap((metric) => {
    const all = curves[metric];
    return all.some(inPanel(panel)) ? [[metric, viewOf(metric, all, panel)] as const] : [];
  });
  return views.length === 0 ? null : { caption: captionOf(comparison, panel), height: 240, views: Object.fromEntries(views) };
}

/** @param all  points of all panels, which share their domains */
function viewOf(metric: string, all: readonly BandPoint[], panel: number): View {
  const numbers = all.flatMap(({ mean, low, high }) => [mean, low, high]);
  const steps = all.map(({ step }) => step);
  const scale = scaleOf(numbers);
  const yDomain = domainOf(numbers, scale);
  const own = all.filter(inPanel(panel));
  const count = new Set(steps).size;
  const next = new Map<number, number>();
  const rows = own.map(({ series, step, mean, low, high, seeds }): Row => {
    const index = next.get(series) ?? 0;
    next.set(series, index + 1);
    const band = [mean, low, high].map((value) => within(value, yDomain));
    return [series, step, ...band, marked(index, series, count), seeds];
  });
  return {
    spec: `curves-${scale}`,
    signals: { xTitle: 'step', yTitle: shortened(metric), xDomain: domainOf(steps, 'linear', 0), yDomain },
    data: { rows },
    words: { x: 'step', y: metric, range: '95% interval of the mean' },
  };
}

/** Points of a line that carry a mark: about six, staggered so that marks of two lines seldom fall together. */
function marked(index: number, series: number, count: number): boolean {
  const every = Math.max(1, Math.floor(count / 6));
  return (index - 2 * series) % every === 0;
}
