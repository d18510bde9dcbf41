/** What the trials of a sweep measured: which setting won, what the axes do, and the curves of the winners. */
import type { ParsedConfig } from '../../experiments/index.js';
import { bestOf, type Objective, type Scored, type Spec, type Store } from '../../sweep/index.js';
import { axesOf } from './axes.js';
import { compare, type Comparison, type Placed } from './comparison.js';
import { bandsOf, type BandPoint, type Winner } from './curves.js';
import { objectiveOf } from './objective.js';
import { parallelOf, type Parallel } from './parallel.js';
import { sensitivityOf, type PlacedSetting, type Sensitivity } from './sensitivity.js';
import { meanOf, type Setting, type Settings } from './settings.js';
import { winnerRows, type WinnerRow } from './winners.js';

export interface Measured {
  /** Null where nothing has been measured; then there is nothing to compare either. */
  readonly objective: Objective | null;
  /** Whether the specification names none, so that the first metric stands in for it. */
  readonly assumed: boolean;
  /** Names of the metrics that can be chosen, the objective's first, and how many more there are. */
  readonly metrics: readonly string[];
  readonly otherMetrics: number;
  /** Paths that vary, those that are compared among them. */
  readonly axes: readonly string[];
  readonly comparison: Comparison;
  readonly best: readonly WinnerRow[];
  /** One each axis that is not compared. */
  readonly sensitivity: readonly Sensitivity[];
  /** Metric -> points of the best setting of each comparison. */
  readonly curves: Readonly<Record<string, readonly BandPoint[]>>;
  /** Null where fewer than two axes vary. */
  readonly parallel: Parallel | null;
}

const MOST_METRICS = 8;

const NOTHING: Measured = {
  objective: null,
  assumed: false,
  metrics: [],
  otherMetrics: 0,
  axes: [],
  comparison: compare([], []).comparison,
  best: [],
  sensitivity: [],
  curves: {},
  parallel: null,
};

export function measured(store: Store, sweep: number, spec: Partial<Spec>, settings: Settings): Measured {
  const objective = objectiveOf(spec, settings);
  if (objective === null || settings.all.length === 0) return NOTHING;
  const scores = store.scores(objective, { sweep });
  const best = bestOf(scores);
  const placed = compare(
    objective.per,
    settings.all.map(({ config }) => config),
  );
  const known = new Map(settings.all.map((setting) => [setting.row, setting]));
  const axes = axesOf(spec, settings.all, objective.per);
  const others = axes.filter(({ path }) => !objective.per.includes(path));
  const names = [objective.metric, ...settings.metrics.filter((name) => name !== objective.metric)];
  const metrics = names.slice(0, MOST_METRICS);
  const all = scores.flatMap((scored) => withMetrics(scored, { known, metrics, placed }));
  const shown = all.filter(({ series }) => series >= 0);
  const winners = best.flatMap(({ setting, config }) => winnerOf(known.get(setting), placed, config));
  return {
    objective,
    assumed: spec.objective === undefined,
    metrics,
    otherMetrics: names.length - metrics.length,
    axes: axes.map(({ path }) => path),
    comparison: placed.comparison,
    best: winnerRows(best, { known, placed, axes: others.map(({ path }) => path) }),
    sensitivity: others.map((axis) => sensitivityOf(axis, shown, metrics)),
    curves: bandsOf(store, winners, metrics),
    parallel: axes.length < 2 ? null : parallelOf(axes, all, objective.metric),
  };
}

/** Curves are of the evaluation seeds, or of the tuning seeds while no other has run. */
function winnerOf(setting: Setting | undefined, { placeOf }: Placed, config: ParsedConfig): Winner[] {
  const place = placeOf(config);
  if (setting === undefined || place === undefined) return [];
  const { evaluation, tuning } = setting.runs;
  return [{ ...place, ids: (evaluation.ids.length > 0 ? evaluation : tuning).ids }];
}

interface Around {
  readonly known: ReadonlyMap<number, Setting>;
  readonly metrics: readonly string[];
  readonly placed: Placed;
}

/** @param metrics  the objective's first, which has been scored already */
function withMetrics({ setting, config, score }: Scored, { known, metrics, placed }: Around): PlacedSetting[] {
  const own = known.get(setting);
  if (own === undefined) return []; // it was stored after the settings were read
  const values = metrics.map((metric, i) => (i === 0 ? score : meanOf(own, metric)));
  return [{ config, score, values, ...(placed.placeOf(config) ?? { series: -1, panel: -1 }) }];
}
