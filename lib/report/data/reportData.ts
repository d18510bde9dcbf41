/** All that the page of a sweep shows, as one plain object. Whatever grows with the number of trials is summed up or sampled here. */
import { OptionsError } from '../errors.js';
import type { ParsedConfig } from '../experiments/index.js';
import { FAILURE_STATES, type Origin, type Objective, type Spec, type Status, type Store } from '../sweep/index.js';
import { axesOf } from './axes.js';
import { compare, type Comparison, type Placed } from './comparison.js';
import { bandsOf, type BandPoint } from './curves.js';
import { objectiveOf } from './objective.js';
import { parallelOf, type Parallel } from './parallel.js';
import { sensitivityOf, type Scored, type Sensitivity } from './sensitivity.js';
import { meanOf, settingsOf, type Setting, type Settings } from './settings.js';
import { winnerRow, type WinnerRow } from './winners.js';

export interface FailureRow {
  readonly id: string;
  readonly state: string;
  readonly message: string;
  /** The end of what its process wrote. */
  readonly log: string;
  readonly attempts: number;
  readonly config: ParsedConfig;
}

export interface ReportData {
  readonly name: string;
  readonly status: Status;
  /** Null where nothing has been measured; then there is nothing to compare either. */
  readonly objective: Objective | null;
  /** Whether the specification names none, so that the first metric stands in for it. */
  readonly assumed: boolean;
  /** Names of the metrics that can be chosen, the objective's first, and how many more there are. */
  readonly metrics: readonly string[];
  readonly otherMetrics: number;
  /** Settings of which something ran. */
  readonly settings: number;
  readonly comparison: Comparison;
  readonly best: readonly WinnerRow[];
  readonly sensitivity: readonly Sensitivity[];
  /** Metric -> points of the best setting of each comparison. */
  readonly curves: Readonly<Record<string, readonly BandPoint[]>>;
  readonly parallel: Parallel | null;
  readonly failures: { readonly total: number; readonly shown: readonly FailureRow[] };
  readonly provenances: readonly Origin[];
  /** As it was planned, every default filled in. */
  readonly spec: Readonly<Record<string, unknown>>;
}

const MOST_METRICS = 8;
const MOST_FAILURES = 200;
const MOST_LOG = 4000;

/** @param sweep  its number; the last one planned unless given
 *  @throws OptionsError when the store has no such sweep; FileError when it is damaged */
export function reportData(store: Store, { sweep }: { readonly sweep?: number | undefined } = {}): ReportData {
  const sweeps = store.sweeps();
  const row = sweep === undefined ? sweeps.at(-1) : sweeps.find(({ id }) => id === sweep);
  if (row === undefined && sweep !== undefined) throw noSuchSweep(sweep, sweeps);
  const status = store.status(sweep);
  const spec = row === undefined ? {} : (JSON.parse(row.spec) as Partial<Spec>);
  const settings = row === undefined ? { all: [], metrics: [] } : settingsOf(store, row.id);
  const { all } = settings;
  return {
    name: status.name,
    status,
    settings: all.length,
    ...(row === undefined ? nothing(spec, settings) : measured(store, row.id, spec, settings)),
    failures: failuresOf(store, status),
    provenances: row === undefined ? [] : store.provenances(row.id),
    spec,
  };
}

const noSuchSweep = (sweep: number, sweeps: readonly { id: number; name: string }[]): OptionsError =>
  new OptionsError('report', [
    {
      path: 'sweep',
      value: String(sweep),
      message: `no sweep ${sweep} in this store, which has ${sweeps.length === 0 ? 'none' : sweeps.map(({ id, name }) => `${id} (${name})`).join(', ')}`,
    },
  ]);

type Measured = Pick<
  ReportData,
  'objective' | 'assumed' | 'metrics' | 'otherMetrics' | 'comparison' | 'best' | 'sensitivity' | 'curves' | 'parallel'
>;

function nothing({ objective }: Partial<Spec>, settings: Settings): Measured {
  const judged = objectiveOf({ objective }, settings);
  const { comparison } = compare(judged?.per ?? [], []);
  return {
    objective: judged,
    assumed: false,
    metrics: [],
    otherMetrics: 0,
    comparison,
    best: [],
    sensitivity: [],
    curves: {},
    parallel: null,
  };
}

function measured(store: Store, sweep: number, spec: Partial<Spec>, settings: Settings): Measured {
  const objective = objectiveOf(spec, settings);
  if (objective === null || settings.all.length === 0) return nothing(spec, settings);
  const best = store.best(objective, { sweep });
  const placed = compare(
    objective.per,
    best.map(({ group }) => group),
  );
  const known = new Map(settings.all.map((setting) => [setting.row, setting]));
  const axes = axesOf(spec, settings.all, objective.per);
  const names = [objective.metric, ...settings.metrics.filter((name) => name !== objective.metric)];
  const metrics = names.slice(0, MOST_METRICS);
  const scored = scoredOf(store.scores(objective, { sweep }), { known, metrics, placed });
  const others = axes.filter(({ path }) => !objective.per.includes(path));
  const winners = best.flatMap(({ setting, config }) => {
    const place = placed.placeOf(config);
    const runs = known.get(setting)?.runs;
    return place === undefined || runs === undefined
      ? []
      : [{ ...place, ids: (runs.evaluation.ids.length > 0 ? runs.evaluation : runs.tuning).ids }];
  });
  return {
    objective,
    assumed: spec.objective === undefined,
    metrics,
    otherMetrics: names.length - metrics.length,
    comparison: placed.comparison,
    best: best.map((b) =>
      winnerRow(
        b,
        known,
        others.map(({ path }) => path),
        placed.placeOf(b.config),
      ),
    ),
    sensitivity: others.map((axis) => sensitivityOf(axis, scored.shown, { metrics, goal: objective.goal })),
    curves: bandsOf(store, winners, metrics),
    parallel: axes.length < 2 ? null : parallelOf(axes, scored.all, objective),
  };
}

interface Around {
  readonly known: ReadonlyMap<number, Setting>;
  readonly metrics: readonly string[];
  readonly placed: Placed;
}

/** Settings with all their metrics: all of them, and those that the charts of comparisons have a place for. */
function scoredOf(scores: ReturnType<Store['scores']>, { known, metrics, placed }: Around): { all: Scored[]; shown: Scored[] } {
  const [all, shown]: Scored[][] = [[], []];
  for (const { setting, config, score } of scores) {
    const own = known.get(setting);
    if (own === undefined) continue;
    const place = placed.placeOf(config);
    const values = metrics.map((metric, i) => (i === 0 ? score : meanOf(own, metric)));
    const scored = { config, score, values, ...(place ?? { series: -1, panel: -1 }) };
    all.push(scored);
    if (place !== undefined) shown.push(scored);
  }
  return { all, shown };
}

function failuresOf(store: Store, { sweep, states }: Status): ReportData['failures'] {
  const total = FAILURE_STATES.reduce((sum, state) => sum + states[state], 0);
  if (sweep === null || total === 0) return { total: 0, shown: [] };
  const shown = store
    .failures({ sweep, limit: MOST_FAILURES })
    .map(({ id, state, message, log, attempts, config }) => ({ id, state, message, log: log.slice(-MOST_LOG), attempts, config }));
  return { total, shown };
}
