/** Experiment `index-learning`: one optimiser on a single- or multi-index teacher for many steps, where the theory of one step ends. */
import { z } from 'zod';
import { indexModel, indexModelSchema } from '../data/index.js';
import { squared } from '../losses/index.js';
import { directionAngle, directionShare, meanLoss } from '../metrics/index.js';
import { twoLayer, twoLayerSchema } from '../networks/index.js';
import { Matrix } from '../linalg/index.js';
import { seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import { trainSchema, type TrainOptions } from '../train/index.js';
import type { IndexTask, Metric } from '../types.js';
import { buildOptimizer, optimizerConfig } from './optimizer.js';
import { placedAt } from './placed.js';
import { trainedWork } from './predict.js';
import { scheduleConfig } from './schedule.js';

const fields = z.strictObject({
  experiment: z.literal('index-learning'),
  /** Decides the task, the initialisation and the batches, each through a stream of its own. */
  seed: seed().default(0),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  task: indexModelSchema.omit({ seed: true, dtype: true }).prefault({}),
  network: z
    .strictObject({
      /** h. */
      hidden: size().default(64),
      activation: twoLayerSchema.shape.activation.unwrap().default('relu'),
      batchNorm: twoLayerSchema.shape.batchNorm,
    })
    .prefault({}),
  optimizer: optimizerConfig.prefault({ name: 'layerwise', outputFactor: 'none', damping: 0.1, learningRate: 0.1 }),
  /** Multiplies the learning rate over the steps. */
  schedule: scheduleConfig.prefault({ kind: 'constant' }),
  train: trainSchema.omit({ seed: true }).prefault({}),
  /** Fresh samples of the test error. */
  testSamples: size().default(2000),
});
export const schema = fields.superRefine(({ task }, context) => {
  if (task.directions > task.inputs)
    context.addIssue({
      code: 'custom',
      path: ['task', 'directions'],
      message: `must be at most task.inputs = ${task.inputs}`,
      input: task.directions,
    });
});
export type Config = z.output<typeof schema>;
export const start: z.input<typeof schema> = { experiment: 'index-learning' };

export function work({ task, network, optimizer, train }: Config): number {
  return trainedWork({ ...train, widths: [task.inputs, network.hidden, 1], optimizer, sampling: 2 * train.batch * task.inputs });
}

/** Metrics: `share` and `angle` of what the first layer has learned (G - G0) with the teacher's directions, and `testError` over the
 *  variance of the targets.
 *  @throws OptionsError when the optimiser's options do not fit the network */
export function assemble(config: Config): TrainOptions {
  const { seed: s, dtype, train } = config;
  const task = placedAt(['task'], config.task, () => indexModel({ ...config.task, seed: s, dtype }));
  const network = placedAt(['network'], config.network, () =>
    twoLayer({ ...config.network, inputs: task.inputs, outputs: 1, dtype, seed: s }),
  );
  const optimizer = buildOptimizer(config.optimizer, config.schedule, train.steps);
  const metrics: Record<string, Metric> = {
    share: directionShare(task, network.features),
    angle: directionAngle(task, network.features),
    testError: relativeError(task, config.testSamples, s),
  };
  return { task, network, optimizer, metrics, ...train, seed: s };
}

/** Mean squared error on fresh samples over the variance of their targets. */
function relativeError(task: IndexTask, samples: number, s: number): Metric {
  const batch = { inputs: Matrix.zeros(samples, task.inputs, task.dtype), targets: Matrix.zeros(samples, 1, task.dtype) };
  task.sample(new Stream(s).substream('index-learning/test'), batch);
  const loss = meanLoss(squared, batch);
  let [sum, squares] = [0, 0];
  for (const y of batch.targets.data) {
    sum += y;
    squares += y * y;
  }
  const variance = squares / samples - (sum / samples) ** 2;
  return (network) => (2 * loss(network)) / variance;
}
