/** The best setting of every comparison, chosen on tuning seeds and reported on evaluation seeds. */
import { canonical } from '../../canonical.js';
import type { Database } from 'better-sqlite3';
import type { ParsedConfig } from '../../experiments/index.js';
import { bootstrapInterval, mean, type Interval } from '../../metrics/index.js';
import { Stream } from '../../random/index.js';
import { valueAt } from '../../paths.js';
import type { Objective } from '../spec/schema.js';
import { configReader, curves, outcomes, type Query, type StoredCurve } from './query.js';
import type { Role } from './plans.js';

export interface Scored {
  /** Configuration without its seed. */
  readonly config: ParsedConfig;
  readonly setting: number;
  /** Values of the `per` paths. */
  readonly group: Readonly<Record<string, unknown>>;
  /** Mean objective over the seeds it is chosen by; the worst infinity where one of them has no number. */
  readonly score: number;
  /** Seeds behind the score: those it is chosen by, but for the pruned ones. */
  readonly seeds: number;
  /** Share of the seeds it is chosen by on which it was pruned. */
  readonly pruned: number;
  /** Objective on each evaluation seed that ran. */
  readonly values: readonly number[];
}

export interface Best extends Scored {
  readonly mean: number;
  /** Bootstrap over evaluation seeds. */
  readonly interval: Interval;
  /** Settings it was chosen from. */
  readonly among: number;
}

/** The worst value there is: of a run that has none. */
export const worst = ({ goal }: Pick<Objective, 'goal'>): number => (goal === 'min' ? Infinity : -Infinity);

/** A curve's objective. @returns the worst value where the run did not end well or has no number there */
export function objectiveOf({ goal, at }: Objective, { state, steps, values }: Pick<StoredCurve, 'state' | 'steps' | 'values'>): number {
  if (state !== 'done') return worst({ goal });
  const value =
    at === 'last'
      ? values.at(-1)
      : at === 'best'
        ? values.reduce((a, b) => (Number.isNaN(b) || (goal === 'min' ? a <= b : a >= b) ? a : b), worst({ goal }))
        : values[steps.indexOf(at)];
  return value === undefined || Number.isNaN(value) ? worst({ goal }) : value;
}

type Values = Record<Role, number[]> & { readonly pruned: Record<Role, number> };

/** Every setting of which something ran, best first within its group: those that were pruned on fewer seeds before the others.
 *  @param query  which trials are looked at */
export function scores(db: Database, objective: Objective, query: Query = {}): Scored[] {
  const sign = objective.goal === 'min' ? 1 : -1;
  /** One that never ended well, however little of it was pruned. */
  const lost = ({ score }: Scored): number => (score === worst(objective) ? 1 : 0);
  return [...valuesBySetting(db, objective, query)]
    .map(([setting, { config, values }]) => {
      const role = values.tuning.length + values.pruned.tuning > 0 ? 'tuning' : 'evaluation';
      const by = values[role];
      const group = Object.fromEntries(objective.per.map((path) => [path, valueAt(config, path) ?? null]));
      const pruned = values.pruned[role] / (values.pruned[role] + by.length);
      const score = by.length === 0 ? worst(objective) : mean(by);
      return { setting, config, group, score, seeds: by.length, pruned, values: values.evaluation };
    })
    .sort((a, b) => lost(a) - lost(b) || a.pruned - b.pruned || sign * compare(a.score, b.score) || a.setting - b.setting);
}

function valuesBySetting(db: Database, objective: Objective, query: Query): Map<number, { config: ParsedConfig; values: Values }> {
  const all = new Map<number, { config: ParsedConfig; values: Values }>();
  const of = (setting: number, config: ParsedConfig): Values => {
    const known = all.get(setting);
    if (known !== undefined) return known.values;
    const values = { tuning: [], evaluation: [], pruned: { tuning: 0, evaluation: 0 } };
    all.set(setting, { config, values });
    return values;
  };
  const seen = new Set<string>();
  for (const curve of curves(db, objective.metric, query)) {
    seen.add(curve.id);
    const values = of(curve.setting, curve.config);
    if (curve.state === 'pruned') values.pruned[curve.role]++;
    else values[curve.role].push(objectiveOf(objective, curve));
  }
  const config = configReader(db);
  // A trial that failed, or has not this metric, counts against its setting; one that has not run yet does not count.
  for (const { id, setting, seed, role, state } of outcomes(db, query))
    if (state !== 'planned' && !seen.has(id)) of(setting, config(setting, seed))[role].push(worst(objective));
  return all;
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

const firstPlanned = (scored: readonly Scored[]): number => scored.reduce((least, { setting }) => Math.min(least, setting), Infinity);

/** The best setting of each group, with a bootstrap interval over its evaluation seeds.
 *  @param scored  of `scores`, in its order */
export function bestOf(scored: readonly Scored[]): Best[] {
  const groups = new Map<string, Scored[]>();
  for (const one of scored) {
    const key = canonical(one.group);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [one]);
    else known.push(one);
  }
  const root = new Stream(0).substream('best setting');
  return [...groups]
    .sort(([, a], [, b]) => firstPlanned(a) - firstPlanned(b))
    .map(([key, [first, ...rest]]) => {
      const { values } = first;
      const interval = values.length === 0 ? { low: NaN, high: NaN } : bootstrapInterval(values, root.substream(key));
      return { ...first, mean: values.length === 0 ? NaN : mean(values), interval, among: rest.length + 1 };
    });
}
