/** Optimisers in configurations: every row of the optimisers' table, told apart by `name`. */
import { z } from 'zod';
import { optimizers, type OptimizerName } from '../optimizers/index.js';
import type { Optimizer } from '../types.js';
import { scheduled, type ScheduleConfig } from './schedule.js';

const row = (name: OptimizerName) => optimizers[name].schema.extend({ name: z.literal(name) });
const names = Object.keys(optimizers) as OptimizerName[];

type Options = Record<string, unknown>;
export type OptimizerConfig = Options & { name: OptimizerName };

export const optimizerConfig = z.discriminatedUnion('name', names.map(row) as unknown as [ReturnType<typeof row>]) as unknown as z.ZodType<
  OptimizerConfig,
  Options & { name: OptimizerName }
>;

/** The optimiser of a parsed configuration, its learning rate under the schedule. */
export function buildOptimizer({ name, ...options }: OptimizerConfig, schedule: ScheduleConfig, steps: number): Optimizer {
  const rate = options['learningRate'] as number | number[];
  const learningRate = Array.isArray(rate) ? rate.map((r) => scheduled(r, schedule, steps)) : scheduled(rate, schedule, steps);
  const create = optimizers[name].create as (o: Options) => Optimizer;
  return create({ ...options, learningRate });
}
