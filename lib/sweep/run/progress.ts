/** How far a sweep is and how long it will take: trials are weighed by predicted cost, and predictions corrected by what was seen. */
import type { Database } from 'better-sqlite3';
import type { ParsedConfig } from '../../experiments/index.js';
import { RESULT_STATES } from '../states.js';

export interface Progress {
  /** Trials with a record. */
  readonly done: number;
  /** Trials planned so far; a sweep with tuning seeds plans its evaluation once tuning is over. */
  readonly total: number;
  /** Trials that failed in this run. */
  readonly failed: number;
  readonly running: number;
  /** Seconds left; undefined until something is known. */
  readonly eta: number | undefined;
}

interface Group {
  /** Predicted seconds of trials that have no record. */
  left: number;
  /** Predicted and true seconds of those that have one. */
  predicted: number;
  seconds: number;
}

/** Trials that take alike: of one experiment and optimiser. */
const GROUP = `s.experiment || ' ' || coalesce(json_extract(s.config, '$.optimizer.name'), '')`;

export function groupOf({ experiment, ...rest }: ParsedConfig): string {
  return `${experiment} ${(rest['optimizer'] as { name?: string } | undefined)?.name ?? ''}`;
}

export class Forecast {
  readonly #groups = new Map<string, Group>();

  constructor(db: Database, sweep: number) {
    const of = (name: string): Group => this.#group(name);
    const left = db.prepare<[number], [string, number]>(
      `SELECT ${GROUP}, sum(p.cost) FROM plans p JOIN trials t ON t.id = p.trial JOIN settings s ON s.id = t.setting
       WHERE p.sweep = ? AND NOT EXISTS (SELECT 1 FROM results r WHERE r.trial = p.trial) GROUP BY 1`,
    );
    for (const [name, cost] of left.raw().all(sweep)) of(name).left = cost;
    const seen = db.prepare<[number, string], [string, number, number]>(
      `SELECT ${GROUP}, sum(p.cost), sum(a.seconds) FROM plans p JOIN trials t ON t.id = p.trial JOIN settings s ON s.id = t.setting
       JOIN attempts a ON a.trial = p.trial WHERE p.sweep = ? AND a.outcome IN (SELECT value FROM json_each(?)) GROUP BY 1`,
    );
    for (const [name, cost, seconds] of seen.raw().all(sweep, JSON.stringify(RESULT_STATES)))
      Object.assign(of(name), { predicted: cost, seconds });
  }

  /** A trial has a record now. */
  done(config: ParsedConfig, cost: number, seconds: number): void {
    const group = this.#group(groupOf(config));
    group.left = Math.max(0, group.left - cost);
    group.predicted += cost;
    group.seconds += seconds;
  }

  /** A trial has ended without a record, and is not run again. */
  failed(config: ParsedConfig, cost: number): void {
    const group = this.#group(groupOf(config));
    group.left = Math.max(0, group.left - cost);
  }

  /** Seconds of work left; undefined where nothing has been timed yet. */
  get left(): number | undefined {
    const all = [...this.#groups.values()];
    const [predicted, seconds] = [all.reduce((sum, g) => sum + g.predicted, 0), all.reduce((sum, g) => sum + g.seconds, 0)];
    if (predicted === 0) return undefined;
    const common = seconds / predicted;
    return all.reduce((sum, g) => sum + g.left * (g.predicted > 0 ? g.seconds / g.predicted : common), 0);
  }

  #group(name: string): Group {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const made = { left: 0, predicted: 0, seconds: 0 };
    this.#groups.set(name, made);
    return made;
  }
}
