/** Invented records, for studies: what a run would have come to in a world that a test makes up. */
import { expect } from 'vitest';
import type { ExperimentRecord } from '../../lib/experiments/index.js';
import { parse, stringify } from '../../lib/json.js';
import { studies, type Analysis, type Study } from '../../lib/studies/index.js';
import type { Trial } from '../../lib/sweep/index.js';

/** What of a configuration the worlds go by. */
export interface RunConfig {
  readonly seed: number;
  readonly optimizer: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly schedule?: { readonly kind: string };
  readonly network: { readonly batchNorm?: boolean };
  readonly task: { readonly inputs: number; readonly headCondition: number; readonly covariance: { readonly condition?: number } };
  readonly train: { readonly batch: number; readonly steps: number; readonly every: number; readonly target?: { readonly below: number } };
}
export const configOf = ({ config }: Trial): RunConfig => config as never;
export const conditionOf = ({ task }: RunConfig): number => task.covariance.condition ?? 1;
/** 'layerwise', 'sgd', ..., with 'bn+' before it behind batch-norm. */
export const kindOf = ({ optimizer, network }: RunConfig): string => (network.batchNorm === true ? 'bn+' : '') + optimizer.name;

/** A record with these curves (steps -> value), a training second a hundred steps. */
export function recordOf(
  { config }: Trial,
  steps: readonly number[],
  curves: Readonly<Record<string, (step: number) => number>>,
  status: 'done' | 'diverged' = 'done',
): ExperimentRecord {
  const curve = (name: string, value: (step: number) => number): [string, { steps: number[]; values: number[] }] => {
    const own = steps.slice(name === 'loss' ? 1 : 0);
    return [name, { steps: own, values: own.map(value) }];
  };
  return {
    status,
    steps: steps.at(-1)!,
    metrics: Object.fromEntries(Object.entries(curves).map(([name, value]) => curve(name, value))),
    timing: { trainingSeconds: steps.at(-1)! / 100, at: steps.map((s) => s / 100) },
    config,
    provenance: {} as ExperimentRecord['provenance'],
  };
}

export const every = (by: number, to: number): number[] => Array.from({ length: Math.floor(to / by) + 1 }, (_, i) => i * by);

/** A wobble of a per cent or so that differs from seed to seed. */
export const wobble = (seed: number): number => 1 + 0.01 * Math.sin(7 * seed + 1);

/** Plans until nothing is missing, and analyses. */
export function analysed(study: Study, record: (t: Trial) => ExperimentRecord, scale: 'quick' | 'full' = 'quick'): Analysis {
  const options = { scale, seed: 0 };
  const known = new Map<string, ExperimentRecord>();
  const lookup = (t: Trial): ExperimentRecord | undefined => known.get(t.id);
  for (let planned = study.plan(options, lookup); planned.some((t) => !known.has(t.id)); planned = study.plan(options, lookup))
    for (const t of planned) if (!known.has(t.id)) known.set(t.id, record(t));
  // What is expected of a study that has all its records is what it has run.
  const ids = (trials: readonly Trial[]): string[] => [...new Set(trials.map((t) => t.id))].sort();
  if (study.expected !== undefined) expect(ids(study.expected(options, lookup))).toEqual(ids(study.plan(options, lookup)));
  return study.analyse(options, lookup);
}

/** By what would be written of the data, and read again. @returns claim -> verdict */
export const verdictsOf = ({ data }: Analysis): Record<string, string> => {
  const study = studies[(data as unknown as { study: string }).study];
  return Object.fromEntries(study.judge(parse(stringify(data)) as object).map((c) => [c.id, c.verdict]));
};
