/** Methods at conditions, each at its own best learning rate there: found on tuning seeds, reported on others. */
import { bootstrapInterval, mean } from '../metrics/index.js';
import type { Stream } from '../random/index.js';
import type { Trial } from '../sweep/index.js';
import type { Method } from './methods.js';
import type { Lookup, Scale, StudyOptions } from './study.js';
import { search, type Candidate, type Objective } from './tuning.js';

export interface Seeds {
  readonly tuning: readonly number[];
  readonly evaluation: readonly number[];
}

/** Seeds that choose are apart from those that are reported. */
export function seedsOf(
  { scale, seed }: StudyOptions,
  counts: Readonly<Record<Scale, { readonly tuning: number; readonly evaluation: number }>>,
): Seeds {
  const first = seed * 10_000;
  const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  return { tuning: range(first + 5000, counts[scale].tuning), evaluation: range(first, counts[scale].evaluation) };
}

/** A method at a condition. */
export interface Cell<C> {
  readonly method: Method;
  readonly condition: C;
  /** Known to be needed. */
  readonly trials: readonly Trial[];
  /** Set once the search is over. */
  readonly found?: {
    readonly best: Candidate;
    readonly candidates: readonly Candidate[];
    readonly atEdge: boolean;
    readonly evaluation: readonly Trial[];
  };
}

export interface Tuned<C> {
  readonly conditions: readonly C[];
  readonly methods: (options: StudyOptions, condition: C) => readonly Method[];
  readonly seeds: (options: StudyOptions) => Seeds;
  readonly trialAt: (method: Method, condition: C, learningRate: number, seed: number, options: StudyOptions) => Trial;
  readonly objective: Objective;
}

/** One cell a method and condition: the search, then the evaluation at its winner. */
export function tunedCells<C extends { readonly key: string }>({ conditions, methods, seeds, trialAt, objective }: Tuned<C>) {
  // Planning asks for the same trials again and again; hashing one takes longer than finding it.
  const planned = new Map<string, Trial>();
  return (options: StudyOptions, lookup: Lookup): Cell<C>[] =>
    conditions.flatMap((condition) =>
      methods(options, condition).map((method): Cell<C> => {
        const at = (rate: number, seed: number): Trial => {
          const key = [method.name, condition.key, rate, seed, options.scale].join('|');
          const known = planned.get(key) ?? trialAt(method, condition, rate, seed, options);
          planned.set(key, known);
          return known;
        };
        const { tuning, evaluation } = seeds(options);
        const state = search({ grid: method.grid, seeds: tuning, trialAt: at }, objective, lookup);
        if (state.best === undefined) return { method, condition, trials: state.trials };
        const final = evaluation.map((seed) => at(state.best.learningRate, seed));
        const { best, candidates, atEdge } = state;
        return { method, condition, trials: [...state.trials, ...final], found: { best, candidates, atEdge, evaluation: final } };
      }),
    );
}

/** What a search found. @throws Error where it is not over: a study was analysed too early */
export function foundOf<C>(study: string, { found }: Cell<C>): NonNullable<Cell<C>['found']> {
  if (found === undefined) throw new Error(`${study}: analysed before its trials have run`);
  return found;
}

/** How a search went, as data have it. */
export const tuningOf = <C extends { readonly key: string }>(study: string, cell: Cell<C>): object => {
  const { best, candidates, atEdge } = foundOf(study, cell);
  return { condition: cell.condition.key, method: cell.method.name, learningRate: best.learningRate, atEdgeOfGrid: atEdge, candidates };
};

export interface Summary {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Mean with its bootstrap interval. @param stream  goes on with each call */
export const summary = (values: readonly number[], stream: Stream): Summary => ({
  mean: mean(values),
  ...bootstrapInterval(values, stream),
});
