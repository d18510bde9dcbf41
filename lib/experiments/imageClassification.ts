/** Experiment `image-classification`: one optimiser on a network of any depth, on real images. */
import { z } from 'zod';
import { FASHION_MNIST, imageClassification, imageClassificationSchema, type ImageTask } from '../data/index.js';
import { OptionsError } from '../errors.js';
import { softmaxCrossEntropy } from '../losses/index.js';
import { accuracy, meanLoss } from '../metrics/index.js';
import { multilayerPerceptron, multilayerPerceptronSchema, sequential, sequentialSchema } from '../networks/index.js';
import { positive, safeParse, seed, size } from '../options.js';
import { trainSchema } from '../train/index.js';
import type { Network } from '../types.js';
import type { Assembled } from './assembled.js';
import { buildOptimizer, optimizerConfig } from './optimizer.js';
import { placedAt } from './placed.js';
import { trainedWork } from './predict.js';
import { scheduleConfig } from './schedule.js';

const perceptron = multilayerPerceptronSchema.omit({ inputs: true, outputs: true, dtype: true, seed: true });
const layered = sequentialSchema.pick({ layers: true });
type NetworkConfig = z.output<typeof perceptron> | z.output<typeof layered>;

/** Hidden layers by their widths, or every layer spelled out: as `layers` is there or not, so that complaints are about what was meant. */
const networkConfig = z.unknown().transform((config, context) => {
  const spelledOut = typeof config === 'object' && config !== null && 'layers' in config;
  const both = spelledOut ? Object.keys(config).filter((key) => Object.hasOwn(perceptron.shape, key)) : [];
  for (const key of both)
    context.addIssue({
      code: 'custom',
      path: [key],
      message: 'is not for a network spelled out; allowed: layers alone, or hidden and its options without layers',
      input: config,
    });
  if (both.length > 0) return z.NEVER;
  const parsed = safeParse(spelledOut ? layered : perceptron, config);
  if (parsed.success) return parsed.data;
  context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: config }) as z.core.$ZodRawIssue));
  return z.NEVER;
}) as unknown as z.ZodType<NetworkConfig, z.input<typeof perceptron> | z.input<typeof layered>>;

export const schema = z.strictObject({
  experiment: z.literal('image-classification'),
  /** Decides the initialisation and the batches, each through a stream of its own. */
  seed: seed().default(0),
  dtype: z.enum(['float64', 'float32']).default('float32'),
  data: imageClassificationSchema.omit({ seed: true, dtype: true }),
  network: networkConfig,
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

/** A configuration to begin with: what has no default is Fashion-MNIST and a small network. */
export const start: z.input<typeof schema> = {
  experiment: 'image-classification',
  data: { directory: FASHION_MNIST.directory },
  network: { hidden: [128] },
  optimizer: { name: 'adamw', learningRate: 0.001 },
};

/** Of the usual 60,000 images of 28 x 28: which they are is not known before they are read. */
export function work({ network, optimizer, train }: Config): number {
  const hidden =
    'layers' in network
      ? network.layers.flatMap((l) => ('outputs' in l ? [l.outputs] : 'channels' in l ? [l.channels * 100] : []))
      : network.hidden;
  return trainedWork({ batch: train.batch, steps: (train.epochs * 60_000) / train.batch, widths: [784, ...hidden, 10], optimizer });
}

/** Steps are counted by 32-bit integers. */
const MOST_STEPS = 2 ** 31 - 1;

/** @throws OptionsError when the parts do not fit each other; FileError about the data */
export function assemble(config: Config): Assembled {
  const { seed: s, dtype, data, schedule } = config;
  const { epochs, every, ...train } = config.train;
  const task = placedAt(['data'], data, () => taskOf({ ...data, dtype }));
  const epoch = task.trainCount / train.batch;
  const steps = Math.max(1, Math.round(epochs * epoch));
  if (steps > MOST_STEPS) {
    const message = `must be at most ${Math.floor(MOST_STEPS / epoch)}, ${MOST_STEPS} steps of ${train.batch} of ${task.trainCount} images; got ${epochs}`;
    throw new OptionsError('config', [{ path: 'train.epochs', keys: ['train', 'epochs'], value: String(epochs), message }]);
  }
  const network = placedAt(['network'], config.network, () => networkOf(config, task));
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
