/** What varied: the axes of the specification, or else every part of the configurations that is not the same in all. */
import { canonical } from '../../canonical.js';
import { leaves, pathsOf, valueAt, type Spec } from '../../sweep/index.js';
import type { Setting } from './settings.js';
import { labelsOf, numberText, textOf, type Label } from '../words.js';

export type Kind = 'linear' | 'log' | 'category';

export interface VaryingAxis {
  readonly path: string;
  readonly kind: Kind;
  /** Of categories, in the order of planning. */
  readonly labels: readonly Label[];
  /** Place of a configuration: a number, or the index of a category; undefined where it has none. */
  readonly at: (config: unknown) => number | undefined;
}

const MOST_AXES = 8;
/** Where one axis has more, the rest are not worth a chart. */
const MOST_CATEGORIES = 40;

/** @param per  paths that are compared: an axis that sets one of them as part of a whole is left to them */
export function axesOf(spec: Partial<Spec>, settings: readonly Setting[], per: readonly string[]): VaryingAxis[] {
  const configs = settings.map(({ config }) => config);
  const given = pathsOf(spec.axes ?? []);
  const paths = given.length > 0 ? given : pathsThatVary(configs);
  const split = paths.flatMap((path) => {
    const inner = per.filter((p) => p.startsWith(`${path}.`));
    return inner.length > 0 ? inner : [path];
  });
  return [...new Set(split)]
    .map((path) => axisOf(path, configs))
    .filter((axis): axis is VaryingAxis => axis !== undefined)
    .slice(0, MOST_AXES);
}

function pathsThatVary(configs: readonly unknown[]): string[] {
  const first = new Map<string, string>();
  const vary = new Set<string>();
  for (const config of configs)
    for (const [path, value] of Object.entries(leaves(config))) {
      if (path === 'seed' || vary.has(path)) continue;
      const text = canonical(value);
      const known = first.get(path);
      if (known === undefined) first.set(path, text);
      else if (known !== text) vary.add(path);
    }
  return [...vary];
}

function axisOf(path: string, configs: readonly unknown[]): VaryingAxis | undefined {
  const values = new Map<string, unknown>();
  for (const config of configs) {
    const value = valueAt(config, path);
    if (value !== undefined) values.set(canonical(value), value);
  }
  if (values.size < 2) return undefined;
  const all = [...values.values()];
  if (all.every((v) => typeof v === 'number' && Number.isFinite(v))) return numeric(path, all as number[]);
  if (values.size > MOST_CATEGORIES) return undefined;
  const index = new Map([...values.keys()].map((key, i) => [key, i]));
  return {
    path,
    kind: 'category',
    labels: labelsOf(all.map((v) => (typeof v === 'number' ? numberText(v) : wordOf(v)))),
    at: (config) => {
      const value = valueAt(config, path);
      return value === undefined ? undefined : index.get(canonical(value));
    },
  };
}

/** Objects of a configuration often bear a name. */
const wordOf = (value: unknown): string => {
  const { name, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as { name?: unknown };
  return typeof name === 'string' ? (Object.keys(rest).length === 0 ? name : `${name} ${canonical(rest)}`) : textOf(value);
};

const DECADE_AND_A_HALF = 30;

function numeric(path: string, values: readonly number[]): VaryingAxis {
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const kind = low > 0 && high / low >= DECADE_AND_A_HALF ? 'log' : 'linear';
  return { path, kind, labels: [], at: (config) => valueAt(config, path) as number | undefined };
}

/** Distinct numbers above which they were drawn rather than listed. */
const MOST_NUMBERS = 24;
const BINS = 12;

/** Gathers numbers that were drawn into a dozen intervals of equal width, and leaves listed ones as they are.
 *  @returns the place of a number: itself, or the middle of its interval */
export function gathered({ kind }: Pick<VaryingAxis, 'kind'>, places: readonly number[]): (place: number) => number {
  if (kind === 'category' || new Set(places).size <= MOST_NUMBERS) return (place) => place;
  const [to, from] = kind === 'log' ? [Math.log, Math.exp] : [(x: number) => x, (x: number) => x];
  const [low, high] = [to(places.reduce((a, b) => Math.min(a, b))), to(places.reduce((a, b) => Math.max(a, b)))];
  const width = (high - low) / BINS;
  return (place) => from(low + (Math.min(BINS - 1, Math.floor((to(place) - low) / width)) + 0.5) * width);
}
