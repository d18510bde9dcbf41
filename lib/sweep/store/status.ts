/** How far a sweep is: counts and sums, without reading a configuration or a curve. */
import type { Database } from 'better-sqlite3';
import { RESULT_STATES, TRIAL_STATES, type FailureState, type ResultState, type TrialState } from '../states.js';

export interface Status {
  readonly sweep: number | null;
  readonly name: string;
  readonly planned: number;
  /** How many of the planned trials are in each state. */
  readonly states: Readonly<Record<TrialState, number>>;
  /** Weight (predicted seconds) of all planned trials, and of those with a record. */
  readonly cost: { readonly planned: number; readonly done: number };
  /** Seconds that trials with a record took, all together. */
  readonly seconds: number;
  /** Results that came again and differed from the ones that are kept: something does not repeat. */
  readonly differing: number;
}

/** Of one sweep: the last planned one unless told. */
export function status(db: Database, sweep?: number): Status {
  const row = db
    .prepare<[number | null], { id: number; name: string }>(
      'SELECT id, name FROM sweeps WHERE id = coalesce(?, (SELECT max(id) FROM sweeps))',
    )
    .get(sweep ?? null);
  const states = Object.fromEntries(TRIAL_STATES.map((s) => [s, 0])) as Record<TrialState, number>;
  if (row === undefined) return { sweep: null, name: '', planned: 0, states, cost: { planned: 0, done: 0 }, seconds: 0, differing: 0 };
  const counts = db
    .prepare<[number], { state: ResultState | null; count: number; cost: number }>(
      'SELECT r.state, count(*) AS count, sum(p.cost) AS cost FROM plans p LEFT JOIN results r ON r.trial = p.trial WHERE p.sweep = ? GROUP BY r.state',
    )
    .all(row.id);
  let [planned, all, done] = [0, 0, 0];
  for (const { state, count, cost } of counts) {
    planned += count;
    all += cost;
    if (state !== null) done += cost;
    states[state ?? 'planned'] += count;
  }
  const failed = db
    .prepare<[number], { outcome: FailureState; count: number }>(
      `SELECT a.outcome, count(*) AS count FROM attempts a JOIN plans p ON p.trial = a.trial AND p.sweep = ?
       WHERE NOT EXISTS (SELECT 1 FROM results r WHERE r.trial = a.trial) AND a.id = (SELECT max(id) FROM attempts WHERE trial = a.trial)
       GROUP BY a.outcome`,
    )
    .all(row.id);
  for (const { outcome, count } of failed) {
    states[outcome] += count;
    states.planned -= count;
  }
  const { seconds, differing } = db
    .prepare<[string, number], { seconds: number; differing: number }>(
      `SELECT coalesce(sum(CASE WHEN a.outcome IN (SELECT value FROM json_each(?)) THEN a.seconds END), 0) AS seconds,
         coalesce(sum(a.outcome = 'repeated, differs'), 0) AS differing
       FROM attempts a WHERE a.trial IN (SELECT trial FROM plans WHERE sweep = ?)`,
    )
    .get(JSON.stringify(RESULT_STATES), row.id)!;
  return { sweep: row.id, name: row.name, planned, states, cost: { planned: all, done }, seconds, differing };
}
