/** What a chart of the page is made of. */
import type { Comparison, Place } from '../data/comparison.js';
import type { Label } from '../words.js';
import { rounded, type Domain } from './domains.js';
import type { SpecName } from './specs.js';

export type Cell = number | string | boolean | null;
export type Row = readonly Cell[];

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

export const captionOf = ({ panels }: Comparison, panel: number): Label | null => (panels.length > 1 ? panels[panel] : null);

export const inPanel =
  (panel: number) =>
  (place: Place | null): boolean =>
    place?.panel === panel;

/** Infinities are drawn at the edge; what is no number is not drawn. */
export const within = (value: number, [low, high]: Domain): number | null =>
  Number.isNaN(value) ? null : rounded(Math.min(high, Math.max(low, value)));
