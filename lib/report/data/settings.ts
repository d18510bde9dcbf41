/** One pass over the trials of a sweep: what each setting measured at the end of its runs. */
import type { Store, TrialState } from '../../sweep/index.js';
import { RESULT_STATES } from '../../sweep/index.js';
import type { ParsedConfig } from '../../experiments/index.js';

export type Role = 'tuning' | 'evaluation';

/** A setting's trials of one role. */
export interface Runs {
  /** Identities of the trials with a record. */
  readonly ids: string[];
  /** Trials that ran. */
  count: number;
  /** Trials among them that did not end as done. */
  lost: number;
  /** Sums over the trials of the last value of each metric. */
  readonly sums: Map<string, number>;
}

export interface Setting {
  readonly row: number;
  /** Configuration with the seed of its first trial. */
  readonly config: ParsedConfig;
  readonly runs: Readonly<Record<Role, Runs>>;
}

const noRuns = (): Runs => ({ ids: [], count: 0, lost: 0, sums: new Map() });
const hasRecord = (state: TrialState): boolean => (RESULT_STATES as readonly string[]).includes(state);

export interface Settings {
  /** Those of which something ran, in the order of planning. */
  readonly all: readonly Setting[];
  /** Names of the metrics that any trial has, in the order of their first appearance. */
  readonly metrics: readonly string[];
}

export function settingsOf(store: Store, sweep: number): Settings {
  const known = new Map<number, Setting>();
  const metrics = new Set<string>();
  for (const { id, setting, config, role, state, final } of store.query({ sweep })) {
    if (state === 'planned') continue;
    let own = known.get(setting);
    if (own === undefined) known.set(setting, (own = { row: setting, config, runs: { tuning: noRuns(), evaluation: noRuns() } }));
    const runs = own.runs[role];
    runs.count++;
    if (state !== 'done') runs.lost++;
    if (hasRecord(state)) runs.ids.push(id);
    for (const [name, value] of Object.entries(final)) {
      metrics.add(name);
      runs.sums.set(name, (runs.sums.get(name) ?? 0) + value);
    }
  }
  return { all: [...known.values()], metrics: [...metrics] };
}

/** The runs a setting is judged by: those on tuning seeds where there are any. */
export const judged = ({ runs: { tuning, evaluation } }: Setting): Runs => (tuning.count > 0 ? tuning : evaluation);

/** Mean over its seeds of the last value of a metric; NaN where one of its runs did not end well or has no number. */
export function meanOf(setting: Setting, metric: string): number {
  const { count, lost, sums } = judged(setting);
  return lost > 0 ? NaN : (sums.get(metric) ?? NaN) / count;
}
