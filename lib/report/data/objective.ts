/** What a sweep is judged by: what its specification says, or else its first metric. */
import { valueAt, type Objective, type Spec } from '../../sweep/index.js';
import type { Settings } from './settings.js';

/** @returns null where nothing has been measured */
export function objectiveOf({ objective }: Partial<Pick<Spec, 'objective'>>, { all, metrics }: Settings): Objective | null {
  if (objective !== undefined) return objective;
  const metric = metrics.find((name) => name !== 'loss') ?? metrics[0];
  if (metric === undefined) return null;
  const per = all.some(({ config }) => valueAt(config, 'optimizer.name') !== undefined) ? ['optimizer.name'] : [];
  return { metric, goal: 'min', at: 'last', per };
}
