/** What a figure is made of. A study plans trials, and turns their records into tables, charts and verdicts; it never trains. */
import type { ExperimentRecord } from '../experiments/index.js';
import type { Claim, Searched, TexEquation, TopLevelSpec } from '../figures/index.js';
import type { Trial } from '../sweep/index.js';

export type Scale = 'quick' | 'full';

export interface StudyOptions {
  readonly scale: Scale;
  readonly seed: number;
}

/** Trials by what they are of: planning asks for the same ones again and again, and hashing one takes longer than finding it. */
export class TrialCache {
  readonly #trials = new Map<string, Trial>();

  get(of: readonly (string | number | undefined)[], make: () => Trial): Trial {
    const key = of.join('|');
    const known = this.#trials.get(key) ?? make();
    this.#trials.set(key, known);
    return known;
  }
}

/** Looks a trial's record up; undefined while it has not run. */
export type Lookup = (trial: Trial) => ExperimentRecord | undefined;

/** The records of a study's trials, in their order. @throws Error where one has not run: a study was analysed too early */
export function recordsOf(study: string, trials: readonly Trial[], lookup: Lookup): ExperimentRecord[] {
  return trials.map((t) => {
    const record = lookup(t);
    if (record === undefined) throw new Error(`${study}: analysed before its trials have run`);
    return record;
  });
}

export interface Analysis {
  /** With its protocol: seeds, grids and sizes. */
  readonly data: { readonly protocol: object; readonly [part: string]: unknown };
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly charts: Readonly<Record<string, TopLevelSpec>>;
  /** What was tried and found best, of figures that search. */
  readonly searches?: readonly Searched[];
  /** Wall-clock results, kept apart from the data. */
  readonly timings: object;
}

export interface Study {
  readonly name: string;
  readonly title: string;
  /** What it asks and how it goes about it, a paragraph each. */
  readonly about: readonly string[];
  readonly equations: readonly TexEquation[];
  /** Why it cannot be made on this machine, and what to do; undefined where it can. */
  readonly lacks?: () => string | undefined;
  /** Trials known to be needed, given what has run so far; asked again until every one of them has run. */
  plan(options: StudyOptions, lookup: Lookup): Trial[];
  /** Trials that it will come to, as far as can be said before all of them have run; those of `plan` unless given. */
  expected?(options: StudyOptions, lookup: Lookup): Trial[];
  /** @param lookup  answers for every planned trial */
  analyse(options: StudyOptions, lookup: Lookup): Analysis;
  /** Parts of the data that claims rest on. */
  readonly evidence: readonly string[];
  /** The claims by its data alone: an analysis's, or what was written of one. */
  judge(data: object): Claim[];
}
