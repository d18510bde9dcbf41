import type { ReportData } from '../data/reportData.js';
import { shortened } from '../words.js';
import { captionOf, inPanel, within, type Chart } from './chart.js';
import { domainOf, scaleOf } from './domains.js';

/** The objective of every series' best setting, with its interval. @returns null where no evaluation seed has run */
export function bestChart({ best, comparison, objective }: ReportData, panel: number): Chart | null {
  const all = best.filter(({ place, seeds }) => place !== null && seeds > 0);
  const own = all.filter(({ place }) => inPanel(panel)(place));
  if (objective === null || own.length === 0) return null;
  const numbers = all.flatMap(({ mean, low, high }) => [mean, low, high]);
  const scale = scaleOf(numbers);
  const xDomain = domainOf(numbers, scale);
  const labels = own.map(({ place }) => comparison.series[place!.series].short);
  const rows = own.map(({ place, mean, low, high, seeds }, i) => [
    place!.series,
    labels[i],
    ...[mean, low, high].map((value) => within(value, xDomain)),
    seeds,
  ]);
  return {
    caption: captionOf(comparison, panel),
    height: 26 * own.length + 14,
    views: {
      '': {
        spec: `best-${scale}`,
        signals: { xTitle: shortened(objective.metric), xDomain, yDomain: labels },
        data: { rows },
        words: { x: '', y: objective.metric, range: '95% interval of the mean' },
      },
    },
  };
}
