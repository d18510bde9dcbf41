/** Experiment `linear-representation`: one optimiser on one task of linear representation learning (Zhang, Moniri et al. 2025). */
import { z } from 'zod';
import { linearRepresentation, linearRepresentationSchema } from '../data/index.js';
import { finiteSampleTransferLoss, populationLoss, subspaceDistance, transferLoss } from '../metrics/index.js';
import { twoLayer, twoLayerSchema } from '../networks/index.js';
import { nonNegative, seed, size } from '../options.js';
import { trainSchema, type TrainOptions } from '../train/index.js';
import type { Metric } from '../types.js';
import { buildOptimizer, optimizerConfig } from './optimizer.js';
import { placedAt } from './placed.js';
import { trainedWork } from './predict.js';
import { scheduleConfig } from './schedule.js';

const fields = z.strictObject({
  experiment: z.literal('linear-representation').default('linear-representation'),
  /** Decides the task, the initialisation and the batches, each through a stream of its own. */
  seed: seed().default(0),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  task: linearRepresentationSchema.omit({ seed: true, dtype: true }).prefault({}),
  network: z
    .strictObject({
      /** d_h; the task's rank where not given. */
      hidden: size().optional(),
      batchNorm: twoLayerSchema.shape.batchNorm,
    })
    .prefault({}),
  optimizer: optimizerConfig.prefault({ name: 'layerwise' }),
  /** Multiplies the learning rate over the steps. */
  schedule: scheduleConfig.prefault({ kind: 'constant' }),
  train: trainSchema.omit({ seed: true }).prefault({}),
  /** Samples for the finite-sample transfer loss; 0 leaves that metric out. */
  transferSamples: nonNegative().int().default(0),
});
/** Fields that must fit each other. */
export const schema = fields.superRefine(({ task, network }, context) => {
  const refuse = (path: string[], value: unknown, message: string): void => {
    context.addIssue({ code: 'custom', path, message, input: value });
  };
  const limit = task.inputs <= task.outputs ? 'inputs' : 'outputs';
  if (task.rank > task[limit]) refuse(['task', 'rank'], task.rank, `must be at most task.${limit} = ${task[limit]}`);
  if (network.hidden !== undefined && network.hidden > task.inputs)
    refuse(['network', 'hidden'], network.hidden, `must be at most task.inputs = ${task.inputs}`);
});
export type Config = z.output<typeof schema>;

/** A configuration to begin with: here the defaults are one. */
export const start: z.input<typeof schema> = {};

export function work({ task, network, optimizer, train }: Config): number {
  const { inputs, outputs, rank } = task;
  const { batch, steps } = train;
  return trainedWork({ batch, steps, widths: [inputs, network.hidden ?? rank, outputs], optimizer, sampling: 5 * batch * inputs });
}

/** @throws OptionsError when the optimiser's options do not fit the network */
export function assemble(config: Config): TrainOptions {
  const { seed: s, dtype, task: taskConfig, network: networkConfig, train } = config;
  const task = placedAt(['task'], taskConfig, () => linearRepresentation({ ...taskConfig, seed: s, dtype }));
  const { inputs, outputs } = task;
  const { hidden = taskConfig.rank, batchNorm } = networkConfig;
  const network = placedAt(['network'], networkConfig, () => twoLayer({ inputs, hidden, outputs, batchNorm, dtype, seed: s }));
  const optimizer = buildOptimizer(config.optimizer, config.schedule, train.steps);
  const metrics: Record<string, Metric> = {
    distance: subspaceDistance(task),
    transfer: transferLoss(task),
    population: populationLoss(task),
  };
  if (config.transferSamples > 0) metrics['finiteTransfer'] = finiteSampleTransferLoss(task, { samples: config.transferSamples, seed: s });
  return { task, network, optimizer, metrics, ...train, seed: s };
}
