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

/** The records of a study's trials, in their order. @throws Error where one has not run: a study was analysed too early */
export function recordsOf(study: string, trials: readonly Trial[], lookup: Lookup): ExperimentRecord[] {
  return trials.map((t) => {
    const record = lookup(t);
    if (record === undefined) throw new Error(`${study}: analysed before its trials have run`);
    return record;
  });
}

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
