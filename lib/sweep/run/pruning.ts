/** Which trials are ended at a rung. A trial is compared with those of its own comparison (`per`) alone, else one method's would end
 *  another's. */
import { canonical } from '../../canonical.js';
import type { ParsedConfig } from '../../experiments/index.js';
import { median } from '../../metrics/index.js';
import { valueAt } from '../spec/paths.js';
import type { Objective, Pruning } from '../spec/schema.js';
import type { Rungs } from '../executors/executor.js';
import type { Store } from '../store/store.js';

/** Whether the latest of the values at a rung goes on; `values` are losses, the latest last, none of them NaN. */
type Rule = (values: readonly number[]) => boolean;

function ruleOf(pruning: Pruning): Rule {
  if (pruning.method === 'median')
    return (values) => {
      const before = values.slice(0, -1);
      return before.length < pruning.startup || values.at(-1)! <= median(before);
    };
  // Li et al. 2020, in the form that ends trials rather than pauses them: the best 1 / reduction of those seen so far go on.
  return (values) => {
    const kept = Math.max(1, Math.floor(values.length / pruning.reduction));
    return values.filter((v) => v < values.at(-1)!).length < kept;
  };
}

/** @param store  with the results so far, which count at the rungs they reached */
export function pruner(pruning: Pruning, objective: Objective, store: Store, sweep: number): Rungs {
  const { metric = objective.metric, goal = objective.goal } = pruning;
  const steps = [...new Set(pruning.rungs)].sort((a, b) => a - b);
  const rule = ruleOf(pruning);
  const seen = new Map<string, number[]>();
  const observe = (config: ParsedConfig, step: number, value: number): number[] => {
    const key = canonical([step, ...objective.per.map((path) => valueAt(config, path) ?? null)]);
    const values = seen.get(key) ?? [];
    if (!seen.has(key)) seen.set(key, values);
    const loss = goal === 'min' ? value : -value;
    values.push(Number.isNaN(loss) ? Infinity : loss);
    return values;
  };
  for (const curve of store.curves(metric, { sweep })) {
    for (const step of steps) {
      const at = curve.steps.indexOf(step);
      if (at >= 0) observe(curve.config, step, curve.values[at]);
    }
  }
  return {
    metric,
    steps,
    decide: ({ config }, step, value) => (rule(observe(config, step, value)) ? undefined : `pruned at step ${step}: ${metric} = ${value}`),
  };
}
