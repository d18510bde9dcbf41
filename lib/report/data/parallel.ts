/** Every setting as a line over all axes, ending at its objective. */
import type { Kind, VaryingAxis } from './axes.js';
import type { PlacedSetting } from './sensitivity.js';
import { keyOf, numberText, type Label } from '../words.js';

export interface ParallelAxis {
  /** Last key of the path, or the objective's metric. */
  readonly name: string;
  readonly kind: Kind;
  /** Height in [0, 1] of each label. */
  readonly ticks: readonly { readonly at: number; readonly label: Label }[];
}

export interface Parallel {
  /** The varying ones, then the objective. */
  readonly axes: readonly ParallelAxis[];
  /** A line each, the best first: heights in [0, 1] on every axis; null where it has no place there, and for an objective without number. */
  readonly lines: readonly (readonly (number | null)[])[];
  /** How many settings there are, of which the lines are the best ones and an even sample of the rest. */
  readonly settings: number;
}

const MOST_BEST = 500;
const MOST_LINES = 1500;

/** @param settings  the best first */
export function parallelOf(axes: readonly VaryingAxis[], settings: readonly PlacedSetting[], metric: string): Parallel {
  const shown = sampled(settings);
  const columns = axes.map((axis) =>
    columnOf(
      keyOf(axis.path),
      axis.kind,
      axis.labels,
      shown.map(({ config }) => axis.at(config)),
    ),
  );
  const scores = shown.map(({ score }) => (Number.isFinite(score) ? score : undefined));
  const known = scores.filter((s) => s !== undefined);
  const kind = known.length > 0 && known.every((s) => s > 0) && Math.max(...known) / Math.min(...known) > 30 ? 'log' : 'linear';
  columns.push(columnOf(metric, kind, [], scores));
  return {
    axes: columns.map(({ axis }) => axis),
    lines: shown.map((_, i) => columns.map(({ heights }) => heights[i])),
    settings: settings.length,
  };
}

/** The best ones, and of the rest an even share, in their order. */
function sampled(ordered: readonly PlacedSetting[]): readonly PlacedSetting[] {
  if (ordered.length <= MOST_LINES) return ordered;
  const rest = ordered.length - MOST_BEST;
  const picked = MOST_LINES - MOST_BEST;
  return [
    ...ordered.slice(0, MOST_BEST),
    ...Array.from({ length: picked }, (_, i) => ordered[MOST_BEST + Math.floor(((i + 0.5) * rest) / picked)]),
  ];
}

interface Column {
  readonly axis: ParallelAxis;
  readonly heights: readonly (number | null)[];
}

function columnOf(name: string, kind: Kind, labels: readonly Label[], values: readonly (number | undefined)[]): Column {
  const known = values.filter((v) => v !== undefined);
  const scale = kind === 'log' ? Math.log : (x: number): number => x;
  const [low, high] = kind === 'category' ? [0, labels.length - 1] : [scale(Math.min(...known)), scale(Math.max(...known))];
  const height = (value: number): number => (high > low ? Number(((scale(value) - low) / (high - low)).toFixed(4)) : 0.5);
  const ticks =
    kind === 'category'
      ? labels.map((label, i) => ({ at: height(i), label }))
      : ticksOf(kind, known).map((value) => ({ at: height(value), label: { short: numberText(value), whole: String(value) } }));
  return { axis: { name, kind, ticks }, heights: values.map((v) => (v === undefined ? null : height(v))) };
}

const FEW = 6;

/** The values themselves where they are few; else their ends and what lies at equal distances between. */
function ticksOf(kind: Kind, known: readonly number[]): number[] {
  const all = [...new Set(known)].sort((a, b) => a - b);
  if (all.length <= FEW) return all;
  const [low, high] = [all[0], all[all.length - 1]];
  return Array.from({ length: 5 }, (_, i) => {
    const value = kind === 'log' ? low * (high / low) ** (i / 4) : low + ((high - low) * i) / 4;
    return i === 0 || i === 4 ? value : Number(value.toPrecision(2));
  });
}
