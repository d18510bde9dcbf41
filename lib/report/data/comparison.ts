/** What is compared with what: the values of the first path are the series of every chart, those of the others its panels. */
import { canonical } from '../../canonical.js';
import { valueAt } from '../../sweep/index.js';
import type { ParsedConfig } from '../../experiments/index.js';
import { labelsOf, placeText, type Label } from '../words.js';

/** As many as there are styles of lines. */
const MOST_SERIES = 8;
const MOST_PANELS = 6;

/** Where a comparison stands in the charts. */
export interface Place {
  readonly series: number;
  readonly panel: number;
}

export interface Comparison {
  readonly per: readonly string[];
  readonly series: readonly Label[];
  readonly panels: readonly Label[];
  /** How many of each the charts leave out. */
  readonly omitted: { readonly series: number; readonly panels: number };
}

type Group = Readonly<Record<string, unknown>>;

export interface Placed {
  readonly comparison: Comparison;
  /** Undefined for what is left out. */
  readonly placeOf: (config: ParsedConfig) => Place | undefined;
}

/** @param configs  in the order of planning, which series and panels keep but for numbers */
export function compare(per: readonly string[], configs: readonly ParsedConfig[]): Placed {
  const groups = groupsOf(per, configs);
  const [first, ...rest] = per;
  const own = first === undefined ? [] : [first];
  const series = distinct(own, groups);
  const panels = distinct(rest, groups);
  const [shownSeries, shownPanels] = [series.slice(0, MOST_SERIES), panels.slice(0, MOST_PANELS)];
  const keys = { series: shownSeries.map((g) => keyOf(own, g)), panels: shownPanels.map((g) => keyOf(rest, g)) };
  return {
    comparison: {
      per,
      series: labelsOf(shownSeries.map((g) => textOfGroup(own, g, 'all settings'))),
      panels: labelsOf(shownPanels.map((g) => textOfGroup(rest, g, ''))),
      omitted: { series: series.length - shownSeries.length, panels: panels.length - shownPanels.length },
    },
    placeOf: (config) => {
      const group = groupOf(per, config);
      const place = { series: keys.series.indexOf(keyOf(own, group)), panel: keys.panels.indexOf(keyOf(rest, group)) };
      return place.series < 0 || place.panel < 0 ? undefined : place;
    },
  };
}

const groupOf = (per: readonly string[], config: ParsedConfig): Group =>
  Object.fromEntries(per.map((path) => [path, valueAt(config, path) ?? null]));

/** Each combination of the paths' values once. */
function groupsOf(per: readonly string[], configs: readonly ParsedConfig[]): Group[] {
  const found = new Map<string, Group>();
  for (const config of configs) {
    const group = groupOf(per, config);
    const key = keyOf(per, group);
    if (!found.has(key)) found.set(key, group);
  }
  return [...found.values()];
}

const keyOf = (paths: readonly string[], group: Group): string => canonical(paths.map((path) => group[path] ?? null));

const textOfGroup = (paths: readonly string[], group: Group, otherwise: string): string =>
  paths.length === 0 ? otherwise : paths.map((path) => placeText(path, group[path])).join(', ');

/** Each combination of the paths' values once: numbers in their order, all else as it comes. */
function distinct(paths: readonly string[], groups: readonly Group[]): Group[] {
  const found = [...new Map(groups.map((g) => [keyOf(paths, g), g])).values()];
  const numeric = paths.filter((path) => found.every((g) => typeof g[path] === 'number'));
  return found.sort((a, b) => numeric.map((path) => (a[path] as number) - (b[path] as number)).find((d) => d !== 0) ?? 0);
}
