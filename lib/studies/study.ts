/** What a figure is made of. A study plans trials, and turns their records into tables, charts and verdicts; it never trains. */
import type { ExperimentRecord } from '../experiments/index.js';
import type { Claim, TopLevelSpec } from '../figures/index.js';
import type { Trial } from '../sweep/index.js';

export type Scale = 'quick' | 'full';

export interface StudyOptions {
  readonly scale: Scale;
  readonly seed: number;
}

/** Looks a trial's record up; undefined while it has not run. */
export type Lookup = (trial: Trial) => ExperimentRecord | undefined;

export interface Analysis {
  readonly data: object;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly charts: Readonly<Record<string, TopLevelSpec>>;
  readonly claims: readonly Claim[];
  /** Wall-clock results, kept apart from the data. */
  readonly timings: object;
}

export interface Study {
  readonly name: string;
  readonly title: string;
  /** Trials known to be needed, given what has run so far; asked again until every one of them has run. */
  plan(options: StudyOptions, lookup: Lookup): Trial[];
  /** @param lookup  answers for every planned trial */
  analyse(options: StudyOptions, lookup: Lookup): Analysis;
}
