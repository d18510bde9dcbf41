/** Which trials are ended at a rung. A trial is compared with those of its own comparison (`per`) alone, else one method's would end
 *  another's. */
import { canonical } from '../../canonical.js';
import type { ParsedConfig } from '../../experiments/index.js';
import { median } from '../../metrics/index.js';
import { valueAt } from '../../paths.js';
import type { Objective, Pruning } from '../spec/schema.js';
import type { Rungs } from '../executors/executor.js';
import type { Store } from '../store/store.js';

/** Whether a trial with this loss at a rung goes on; `losses` are all seen there, its own among them. */
type Rule = (losses: readonly number[], own: number) => boolean;

function ruleOf(pruning: Pruning): Rule {
  if (pruning.method === 'median') return (losses, own) => losses.length <= pruning.startup || own <= median(losses);
  // Li et al. 2020, in the form that ends trials rather than pauses them: the best 1 / reduction of those seen go on.
  return (losses, own) => losses.filter((v) => v < own).length < Math.max(1, Math.floor(losses.length / pruning.reduction));
}

/** @param store  with the results so far, which count at the rungs they reached */
export function pruner(pruning: Pruning, objective: Objective, store: Store, sweep: number): Rungs {
  const { metric = objective.metric, goal = objective.goal } = pruning;
  const steps = [...new Set(pruning.rungs)].sort((a, b) => a - b);
  const rule = ruleOf(pruning);
  const seen = new Map<string, number[]>();
  const lossesOf = (config: ParsedConfig, step: number): number[] => {
    const key = canonical([step, ...objective.per.map((path) => valueAt(config, path) ?? null)]);
    const losses = seen.get(key) ?? [];
    seen.set(key, losses);
    return losses;
  };
  const lossOf = (value: number): number => (Number.isNaN(value) ? Infinity : goal === 'min' ? value : -value);
  for (const curve of store.curves(metric, { sweep }))
    for (const step of steps) {
      const at = curve.steps.indexOf(step);
      // One that ended at the rung by itself was never asked there.
      const asked = curve.state === 'pruned' || at < curve.steps.length - 1;
      if (at >= 0 && asked) lossesOf(curve.config, step).push(lossOf(curve.values[at]));
    }
  return {
    metric,
    steps,
    decide({ config }, step, value) {
      const losses = lossesOf(config, step);
      losses.push(lossOf(value));
      return rule(losses, lossOf(value)) ? undefined : endedAt(step);
    },
    promote(step, candidates) {
      for (const { job, value } of candidates) lossesOf(job.config, step).push(lossOf(value));
      return new Set(candidates.filter(({ job, value }) => rule(lossesOf(job.config, step), lossOf(value))).map(({ job }) => job));
    },
  };
}

export const endedAt = (step: number): string => `pruned at step ${step}`;
