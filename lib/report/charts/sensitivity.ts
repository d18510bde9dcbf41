import type { ReportData } from '../data/reportData.js';
import type { Sensitivity } from '../data/sensitivity.js';
import { keyOf, shortened } from '../words.js';
import { captionOf, inPanel, within, type Chart, type Row, type View } from './chart.js';
import { domainOf, rounded, scaleOf } from './domains.js';

/** Every metric against one axis. */
export function sensitivityChart({ comparison, metrics, objective }: ReportData, axis: Sensitivity, panel: number): Chart {
  const views = metrics.map((metric) => [metric, viewOf(axis, metric, panel, metric === objective?.metric)] as const);
  return { caption: captionOf(comparison, panel), height: axis.kind === 'category' ? 250 : 220, views: Object.fromEntries(views) };
}

function viewOf({ path, kind, labels, points }: Sensitivity, metric: string, panel: number, judged: boolean): View {
  const all = points[metric];
  const numbers = all.flatMap(({ best, low, high }) => [best, low, high]);
  const scale = scaleOf(numbers);
  const yDomain = domainOf(numbers, scale);
  const crosses = new Map<number, number>();
  const rows = all.filter(inPanel(panel)).map(({ series, x, best, low, high, settings, lost }): Row => {
    const at = kind === 'category' ? labels[x].short : rounded(x);
    const band = [best, low, high].map((value) => within(value, yDomain));
    return [series, at, ...band, true, settings, lost, Number.isNaN(best) ? crossAt(x, crosses) : null];
  });
  const xDomain =
    kind === 'category'
      ? labels.map(({ short }) => short)
      : domainOf(
          all.map(({ x }) => x),
          kind,
        );
  const y = judged ? `best ${metric}` : `${metric} of the best`;
  return {
    spec: `sensitivity-${kind}-${scale}`,
    signals: {
      xTitle: shortened(keyOf(path)),
      yTitle: shortened(y),
      xDomain,
      yDomain,
      seriesDomain: [...new Set(all.map(({ series }) => series))].sort((a, b) => a - b),
      angle: labels.reduce((sum, { short }) => sum + short.length, 0) > FLAT ? -40 : 0,
    },
    data: { rows },
    words: { x: path, y, range: 'middle half of the settings' },
  };
}

/** Characters of all labels of an axis that fit beside each other on the narrowest screen. */
const FLAT = 24;

/** Pixels from the top at which a cross stands: one below the other where there are several. */
function crossAt(x: number, crosses: Map<number, number>): number {
  const before = crosses.get(x) ?? 0;
  crosses.set(x, before + 1);
  return 5 + 10 * before;
}
