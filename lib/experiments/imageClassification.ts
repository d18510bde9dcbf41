/** Experiment `image-classification`: one optimiser on a network of any depth, on real images. */
import { z } from 'zod';
import { imageClassification, imageClassificationSchema, type ImageTask } from '../data/index.js';
import { softmaxCrossEntropy } from '../losses/index.js';
import { accuracy, meanLoss } from '../metrics/index.js';
import { multilayerPerceptron, multilayerPerceptronSchema, sequential, sequentialSchema } from '../networks/index.js';
import { positive, seed, size } from '../options.js';
import { trainSchema } from '../train/index.js';
import type { Network } from '../types.js';
import type { Assembled } from './assembled.js';
import { buildOptimizer, optimizerConfig } from './optimizer.js';
import { scheduleConfig } from './schedule.js';

export const schema = z.strictObject({
  experiment: z.literal('image-classification'),
  /** Decides the initialisation and the batches, each through a stream of its own. */
  seed: seed().default(0),
  dtype: z.enum(['float64', 'float32']).default('float32'),
  data: imageClassificationSchema.omit({ seed: true, dtype: true }),
  /** Hidden layers by their widths, or every layer spelled out. */
  network: z.union([
    multilayerPerceptronSchema.omit({ inputs: true, outputs: true, dtype: true, seed: true }),
    sequentialSchema.pick({ layers: true }),
  ]),
  optimizer: optimizerConfig,
  /** Multiplies the learning rate over the steps. */
  schedule: scheduleConfig.prefault({ kind: 'constant' }),
  train: trainSchema
    .omit({ seed: true, steps: true, every: true })
    .extend({
      batch: size().default(256),
      /** Passes over the training images. */
      epochs: positive().default(3),
      /** Steps between two points of the metrics' curves; an epoch where not given. */
      every: size().optional(),
    })
    .prefault({}),
});
export type Config = z.output<typeof schema>;

/** @throws OptionsError when the parts do not fit each other; FileError about the data */
export function assemble(config: Config): Assembled {
  const { seed: s, dtype, data, schedule } = config;
  const { epochs, every, ...train } = config.train;
  const task = taskOf({ ...data, dtype });
  const epoch = task.trainCount / train.batch;
  const steps = Math.max(1, Math.round(epochs * epoch));
  const network = networkOf(config, task);
  return {
    task,
    network,
    optimizer: buildOptimizer(config.optimizer, schedule, steps),
    loss: softmaxCrossEntropy,
    metrics: { accuracy: accuracy(task.test()), testLoss: meanLoss(softmaxCrossEntropy, task.test()) },
    ...train,
    steps,
    every: every ?? Math.max(1, Math.round(epoch)),
    seed: s,
    epoch,
  };
}

function networkOf({ network, dtype, seed: s }: Config, { height, width, channels, inputs, outputs }: ImageTask): Network {
  if ('layers' in network) return sequential({ inputs: { height, width, channels }, layers: network.layers, dtype, seed: s });
  return multilayerPerceptron({ ...network, inputs, outputs, dtype, seed: s });
}

/** The last task: a comparison of optimisers reads its data once. */
let held: { readonly key: string; readonly task: ImageTask } | undefined;

function taskOf(options: Parameters<typeof imageClassification>[0]): ImageTask {
  const key = JSON.stringify(options);
  if (held?.key !== key) held = { key, task: imageClassification(options) };
  return held.task;
}
