/**
 * Learning-rate search, the same for every method: the grid is tried on tuning seeds, the best mean wins, and a winner at the edge
 * of its grid has the grid extended. Evaluation seeds are never looked at here.
 */
import { mean } from '../metrics/index.js';
import type { ExperimentRecord } from '../experiments/index.js';
import type { Trial } from '../sweep/index.js';
import type { Lookup } from './study.js';

export interface Search {
  /** Learning rates, ascending, in a constant ratio or nearly so. */
  readonly grid: readonly number[];
  readonly seeds: readonly number[];
  readonly trialAt: (learningRate: number, seed: number) => Trial;
}

export interface Candidate {
  readonly learningRate: number;
  /** Mean objective over the tuning seeds; Infinity where a run diverged or failed. */
  readonly objective: number;
}

export type SearchState =
  | { readonly trials: readonly Trial[]; readonly best?: undefined }
  | { readonly trials: readonly Trial[]; readonly best: Candidate; readonly candidates: readonly Candidate[]; readonly atEdge: boolean };

/** Rates added on either side at most: a grid of factors 3 comes to a hundredth and a hundredfold. */
const EXTENSIONS = 4;

/** What a search minimises; Infinity where there is nothing to compare. */
export type Objective = (record: ExperimentRecord | undefined) => number;

/** Trials needed so far and, once they have run, the winner. */
export function search({ grid, seeds, trialAt }: Search, objective: Objective, lookup: Lookup): SearchState {
  let rates = [...grid];
  const added = { below: 0, above: 0 };
  for (;;) {
    const trials = rates.flatMap((rate) => seeds.map((seed) => trialAt(rate, seed)));
    if (trials.some((t) => lookup(t) === undefined)) return { trials };
    const candidates = rates.map((learningRate) => ({
      learningRate,
      objective: mean(seeds.map((seed) => objective(lookup(trialAt(learningRate, seed))))),
    }));
    const best = candidates.reduce((a, b) => (b.objective < a.objective ? b : a));
    const at = candidates.indexOf(best);
    if (at === 0 && added.below < EXTENSIONS) {
      rates = [round(rates[0] / (rates[1] / rates[0])), ...rates];
      added.below++;
    } else if (at === rates.length - 1 && added.above < EXTENSIONS) {
      rates = [...rates, round(rates[at] * (rates[at] / rates[at - 1]))];
      added.above++;
    } else return { trials, best, candidates, atEdge: at === 0 || at === rates.length - 1 };
  }
}

/** The last value of a metric; Infinity unless the run was done and the value is a number. */
export function finalValue(
  record: { status: string; metrics: Readonly<Record<string, { values: number[] }>> } | undefined,
  metric: string,
): number {
  const value = record?.status === 'done' ? record.metrics[metric]?.values.at(-1) : undefined;
  return value === undefined || Number.isNaN(value) ? Infinity : value;
}

/** Two significant digits: 0.30000000000000004 is no learning rate that anyone would type. */
const round = (x: number): number => Number(x.toPrecision(2));
