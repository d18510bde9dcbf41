/**
 * The two-layer network f(x) = F s(G x) of the paper, with batch normalisation of G x as an option. Row-major batches: H = X G',
 * Z = s(H), outputs Z F'. For R = dL/d(outputs): grad_F = R' Z and grad_G = ((R F) o s'(H))' X. Its output factor for the squared loss
 * is F'F o (S'S/n), S the activation's derivatives, and F'F for the identity.
 */
import { z } from 'zod';
import { activationSchema, kernelOf, nameOf } from '../links/index.js';
import { parseOptions, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import type { Network } from '../types.js';
import { initialWeight } from './initialise.js';
import { Activation } from './layers/activation.js';
import { BatchNorm } from './layers/batchNorm.js';
import { Dense } from './layers/dense.js';
import { flat } from './layers/layer.js';
import { Sequential } from './sequential.js';

export const twoLayerSchema = z.strictObject({
  /** d_X. */
  inputs: size(),
  /** d_h. */
  hidden: size(),
  /** d_Y. */
  outputs: size(),
  activation: activationSchema.default('identity'),
  /** Batch-normalise the hidden layer before its activation. */
  batchNorm: z.boolean().default(false),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  seed: seed().default(0),
});
export type TwoLayerOptions = z.input<typeof twoLayerSchema>;

/** A two-layer network without biases, its parameters G and F (and gamma, beta of batch-norm), with entries of G drawn from
 *  N(0, 1/inputs) and of F from N(0, 1/hidden).
 *  @throws OptionsError naming the field, the value and what is allowed */
export function twoLayer(options: TwoLayerOptions): Network {
  const { inputs, hidden, outputs, activation, batchNorm, dtype, seed: s } = parseOptions(twoLayerSchema, options, 'twoLayer');
  const stream = new Stream(s).substream('two-layer');
  const g = initialWeight('lecun', hidden, inputs, dtype, stream.substream('features'));
  const f = initialWeight('lecun', outputs, hidden, dtype, stream.substream('head'));
  const kernel = kernelOf(activation);
  const layers = [
    new Dense({ name: 'G', value: g, role: 'weight' }, null),
    ...(batchNorm ? [new BatchNorm({ gamma: 'gamma', beta: 'beta', running: 'running' }, flat(hidden), dtype)] : []),
    ...(kernel === null ? [] : [new Activation(kernel, flat(hidden))]),
    new Dense({ name: 'F', value: f, role: 'weight' }, null),
  ];
  return new Sequential('two-layer', flat(inputs), dtype, layers, nameOf(activation));
}
