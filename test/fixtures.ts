/** Small tasks, networks and hand-driven updates that several tests share. */
import { linearRepresentation, type LinearRepresentationOptions } from '../lib/data/index.js';
import { squared } from '../lib/losses/index.js';
import { Matrix, type Dtype } from '../lib/linalg/index.js';
import { twoLayer, type TwoLayerOptions } from '../lib/networks/index.js';
import { Stream } from '../lib/random/index.js';
import type { Batch, Network, Optimizer, Params, RepresentationTask, Task, UpdateContext } from '../lib/types.js';

export const SMALL = { inputs: 9, outputs: 5, rank: 3, noise: 0.1 } as const;

export const smallTask = (options: LinearRepresentationOptions = {}): RepresentationTask =>
  linearRepresentation({ ...SMALL, covariance: { family: 'log', condition: 10 }, ...options });

export const smallNetwork = (options: Partial<TwoLayerOptions> = {}): Network =>
  twoLayer({ inputs: 9, hidden: 3, outputs: 5, seed: 4, ...options });

export function batchOf(task: Task, n: number, seed = 0): Batch {
  const batch = { inputs: Matrix.zeros(n, task.inputs, task.dtype), targets: Matrix.zeros(n, task.outputs, task.dtype) };
  task.sample(new Stream(seed).substream('test-batch'), batch);
  return batch;
}

/** Loss of the network on the batch, with gradients and statistics for all parameters. */
export function evaluate(
  network: Network,
  batch: Batch,
  needs = { inputs: true, outputFactor: 'ggn', gaussNewton: false } as Optimizer['needs'],
): number {
  const gradient = Matrix.zeros(batch.targets.rows, network.outputs, network.dtype);
  const loss = squared.evaluate(network.forward(batch.inputs), batch.targets, gradient);
  network.backward(
    gradient,
    needs,
    network.params.map((_, i) => i),
  );
  return loss;
}

export const contextOf = (network: Network, step = 1): UpdateContext => ({
  step,
  params: network.params,
  gradients: network.gradients,
  stats: network.stats,
  gaussNewton: network.gaussNewton,
});

/** The steps an optimiser takes from the network's last evaluation. */
export function stepsOf<S extends object>(
  optimizer: Optimizer<S>,
  network: Network,
  state: S = optimizer.init(network.params),
  step = 1,
): Matrix[] {
  const steps = network.params.map(({ value }) => Matrix.zeros(value.rows, value.cols, value.dtype));
  optimizer.update(
    contextOf(network, step),
    state,
    steps,
    network.params.map((_, i) => i),
  );
  return steps;
}

/** Parameters of the given shapes, each a layer, for optimisers that need no network. */
export const paramsOf = (values: readonly Matrix[]): Params =>
  values.map((value, layer) => ({ name: `W${layer}`, value, layer, role: 'weight' }));

export const bothDtypes: readonly Dtype[] = ['float64', 'float32'];
