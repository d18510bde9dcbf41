/** Methods at conditions, each at its own best learning rate there: found on tuning seeds, reported on others. */
import { bootstrapInterval, mean } from '../metrics/index.js';
import type { Stream } from '../random/index.js';
import type { Trial } from '../sweep/index.js';
import type { Method } from './methods.js';
import type { Searched } from '../figures/index.js';
import { TrialCache, type Lookup, type Scale, type StudyOptions } from './study.js';
import { search, type Candidate, type Objective } from './tuning.js';

export interface Seeds {
  readonly tuning: readonly number[];
  readonly evaluation: readonly number[];
}

/** How many of each. */
export type SeedCounts = Readonly<Record<Scale, { readonly tuning: number; readonly evaluation: number }>>;

/** Seeds that choose are apart from those that are reported. */
export function seedsOf({ scale, seed }: StudyOptions, counts: SeedCounts): Seeds {
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

export interface TunedCells<C> {
  readonly seeds: (options: StudyOptions) => Seeds;
  /** One cell a method and condition: the search, then the evaluation at its winner. */
  readonly at: (options: StudyOptions, lookup: Lookup) => Cell<C>[];
  readonly plan: (options: StudyOptions, lookup: Lookup) => Trial[];
  /** With each evaluation that is not planned yet: in the middle of its grid. */
  readonly expected: (options: StudyOptions, lookup: Lookup) => Trial[];
}

export function tunedCells<C extends { readonly key: string }>({
  conditions,
  methods,
  seeds,
  trialAt,
  objective,
}: Tuned<C>): TunedCells<C> {
  const planned = new TrialCache();
  const cells = (options: StudyOptions, lookup: Lookup, whole: boolean): Cell<C>[] =>
    conditions.flatMap((condition) =>
      methods(options, condition).map((method): Cell<C> => {
        const at = (rate: number, seed: number): Trial =>
          planned.get([method.name, condition.key, rate, seed, options.scale], () => trialAt(method, condition, rate, seed, options));
        const { tuning, evaluation } = seeds(options);
        const { grid } = method;
        const state = search({ grid, seeds: tuning, trialAt: at }, objective, lookup);
        const evaluated = (rate: number): Trial[] => evaluation.map((seed) => at(rate, seed));
        if (state.best === undefined)
          return { method, condition, trials: whole ? [...state.trials, ...evaluated(grid[grid.length >> 1])] : state.trials };
        const final = evaluated(state.best.learningRate);
        const { best, candidates, atEdge } = state;
        return { method, condition, trials: [...state.trials, ...final], found: { best, candidates, atEdge, evaluation: final } };
      }),
    );
  const trialsOf = (found: readonly Cell<C>[]): Trial[] => found.flatMap((c) => c.trials);
  return {
    seeds,
    at: (options, lookup) => cells(options, lookup, false),
    plan: (options, lookup) => trialsOf(cells(options, lookup, false)),
    expected: (options, lookup) => trialsOf(cells(options, lookup, true)),
  };
}

/** What a search found. @throws Error where it is not over: a study was analysed too early */
export function foundOf<C>(study: string, { found }: Cell<C>): NonNullable<Cell<C>['found']> {
  if (found === undefined) throw new Error(`${study}: analysed before its trials have run`);
  return found;
}

/** How a search went, as data have it. */
export interface Tuning {
  readonly condition: string;
  readonly method: string;
  readonly learningRate: number;
  readonly atEdgeOfGrid: boolean;
  readonly candidates: readonly Candidate[];
}

export const tuningOf = <C extends { readonly key: string }>(study: string, cell: Cell<C>): Tuning => {
  const { best, candidates, atEdge } = foundOf(study, cell);
  return { condition: cell.condition.key, method: cell.method.name, learningRate: best.learningRate, atEdgeOfGrid: atEdge, candidates };
};

/** How searches went, as readers see it. @param labelOf  a condition's key in words */
export const searchedOf = (tuned: readonly Tuning[], labelOf: (key: string) => string): Searched[] =>
  tuned.map(({ condition, method, learningRate, atEdgeOfGrid, candidates }) => ({
    condition: labelOf(condition),
    method,
    tried: candidates.map((c) => c.learningRate),
    best: learningRate,
    atEdge: atEdgeOfGrid,
  }));

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
