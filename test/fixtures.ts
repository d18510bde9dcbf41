/** Small tasks, networks and hand-driven updates that several tests share. */
import { linearRepresentation, type LinearRepresentationOptions } from '../lib/data/index.js';
import { squared } from '../lib/losses/index.js';
import { Matrix, type Dtype } from '../lib/linalg/index.js';
import { twoLayer, type TwoLayerOptions } from '../lib/networks/index.js';
import { Stream } from '../lib/random/index.js';
import { Evaluation } from '../lib/train/index.js';
import type { Batch, Loss, Needs, Network, Optimizer, Params, RepresentationTask, Task, UpdateContext } from '../lib/types.js';

export const SMALL = { inputs: 9, outputs: 5, rank: 3, noise: 0.1 } as const;

export const smallTask = (options: LinearRepresentationOptions = {}): RepresentationTask =>
  linearRepresentation({ ...SMALL, covariance: { family: 'log', condition: 10 }, ...options });

export const smallNetwork = (options: Partial<TwoLayerOptions> = {}): Network =>
  twoLayer({ inputs: 9, hidden: 3, outputs: 5, seed: 4, ...options });

export function batchOf(task: Task, n: number, seed = 0): Batch {
  const batch = { inputs: Matrix.zeros(n, task.inputs, task.dtype), targets: Matrix.zeros(n, task.targets, task.dtype) };
  task.sample(new Stream(seed).substream('test-batch'), batch);
  return batch;
}

/** Everything but the dense matrix, with the exact factors. */
export const FACTORS: Needs = { inputs: true, outputFactor: 'ggn', outputRows: false, dense: 'none' };
export const DENSE: Needs = { ...FACTORS, dense: 'ggn' };

const evaluations = new WeakMap<Network, Evaluation>();

/** Loss of the network on the batch, with gradients and statistics for all parameters. */
export function evaluate(network: Network, batch: Batch, needs: Needs = FACTORS, loss: Loss = squared): number {
  const evaluation = new Evaluation({ network, loss, optimizer: { needs: () => needs }, labels: new Stream(3).substream('test-labels') });
  evaluation.step = 1;
  evaluations.set(network, evaluation);
  return evaluation.evaluate(
    batch,
    network.params.map((_, i) => i),
    true,
  );
}

/** What an update sees of the network's last evaluation. */
export function contextOf(network: Network, step = 1): Evaluation {
  const evaluation = evaluations.get(network)!;
  evaluation.step = step;
  return evaluation;
}

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

/** What an update sees where there are gradients and no network. */
export function gradientContext(step: number, params: Params, gradients: readonly Matrix[]): UpdateContext {
  const none = (): never => {
    throw new Error('there is no network to ask');
  };
  return { step, params, gradients, stats: params.map(() => null), dense: null, loss: 0, lossAt: none, curvatureTimes: none, note: none };
}
