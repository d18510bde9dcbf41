/** The few kinds of charts of the page, in Vega-Lite, compiled to Vega once. They hold no data and no words of a store: rows come by the
 *  names in `columns`; titles, domains and categories come as signals. */
import { dots } from './specs/dots.js';
import { lines } from './specs/lines.js';
import type { ChartSpec, Scale } from './specs/looks.js';
import { parallel } from './specs/parallel.js';

export type { ChartSpec, Scale };
export type SpecName = `best-${Scale}` | `curves-${Scale}` | `sensitivity-${Scale | 'category'}-${Scale}` | 'parallel';

const SCALES: readonly Scale[] = ['linear', 'log'];

let held: Readonly<Record<SpecName, ChartSpec>> | undefined;

export function chartSpecs(): Readonly<Record<SpecName, ChartSpec>> {
  held ??= Object.fromEntries<ChartSpec>([
    ...SCALES.map((x) => [`best-${x}`, dots(x)] as const),
    ...SCALES.map((y) => [`curves-${y}`, lines('linear', y, ['seeds'])] as const),
    ...(['linear', 'log', 'category'] as const).flatMap((x) =>
      SCALES.map((y) => [`sensitivity-${x}-${y}`, lines(x, y, ['settings', 'lost', 'top'])] as const),
    ),
    ['parallel', parallel()],
  ]) as Record<SpecName, ChartSpec>;
  return held;
}
