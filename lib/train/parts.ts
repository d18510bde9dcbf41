/** What the parts of a run must have in common, and how its layers take turns. */
import { ArgumentError, OptionsError } from '../errors.js';
import type { Loss, Metric, Network, Optimizer, Order, Task } from '../types.js';
import type { TrainOptions } from './training.js';

/** Slips that types would find: a factory not called, a part left out. */
export function requireParts({
  task,
  network,
  optimizer,
  loss,
  metrics,
}: Required<Pick<TrainOptions, 'task' | 'network' | 'optimizer' | 'loss' | 'metrics'>>): void {
  const has = (value: unknown, method: string): boolean =>
    typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function';
  for (const [what, value, method] of [
    ['task', task, 'sample'],
    ['network', network, 'forward'],
    ['optimizer', optimizer, 'update'],
    ['loss', loss, 'evaluate'],
  ] as const)
    if (!has(value, method))
      throw new ArgumentError(
        `train: ${what} must be what its factory returns, got ${typeof value === 'function' ? 'a function: call it' : value === null ? 'null' : typeof value}`,
      );
  for (const [name, metric] of Object.entries(metrics))
    if (typeof (metric as unknown) !== 'function')
      throw new ArgumentError(`train: the metric ${name} must be a function of the network, got ${typeof metric}`);
}

export function requireFit(task: Task, network: Network, loss: Loss, { name, needs }: Optimizer): void {
  for (const key of ['inputs', 'outputs', 'dtype'] as const)
    if (task[key] !== network[key])
      throw new ArgumentError(`train: the task's ${key} are ${task[key]}, the network's ${network[key]}; they must agree`);
  const { dense, products = false } = needs(1);
  if (network.mixesSamples && (dense !== 'none' || products))
    throw new ArgumentError(
      `train: ${name} uses the curvature of all parameters, which is not defined through batch-norm; use a network without it, or a layer-wise method`,
    );
  const targets = loss.targets(network.outputs);
  if (task.targets !== targets)
    throw new ArgumentError(`train: the loss ${loss.name} takes targets of ${targets} columns, the task gives ${task.targets}`);
}

/** A target is a metric of the run, or its loss. */
export function requireTarget(target: { readonly metric: string } | undefined, metrics: Readonly<Record<string, Metric>>): void {
  const names = ['loss', ...Object.keys(metrics)];
  if (target !== undefined && !names.includes(target.metric))
    throw new OptionsError('train', [
      { path: 'target.metric', value: target.metric, message: `must be one of ${names.join(', ')}; got '${target.metric}'` },
    ]);
}

export function chooseOrder(wanted: Order | undefined, { name, order: fixed }: Optimizer): Order {
  if (wanted !== undefined && fixed !== undefined && wanted !== fixed)
    throw new OptionsError('train', [{ path: 'order', value: wanted, message: `${name} is defined in order '${fixed}'; got '${wanted}'` }]);
  return wanted ?? fixed ?? 'simultaneous';
}

/** Parameter indices that move together, in turn. */
export function phasesOf({ params }: Network, order: Order): readonly (readonly number[])[] {
  const all = params.map((_, i) => i);
  if (order === 'simultaneous') return [all];
  const layers = [...new Set(params.map((p) => p.layer))].sort((a, b) => (order === 'alternating' ? a - b : b - a));
  return layers.map((layer) => all.filter((i) => params[i].layer === layer));
}
