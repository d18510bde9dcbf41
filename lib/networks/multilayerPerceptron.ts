/** Fully connected networks of any depth. */
import { z } from 'zod';
import { activationSchema } from '../links/index.js';
import { parseOptions, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import type { Network } from '../types.js';
import { initialisation } from './initialise.js';
import { flat } from './layers/layer.js';
import { Sequential } from './sequential.js';
import { layersOf, type LayerSpec } from './specification.js';

export const multilayerPerceptronSchema = z.strictObject({
  inputs: size(),
  /** Widths of the hidden layers; none makes a linear model. */
  hidden: z.array(size()).default([]),
  outputs: size(),
  activation: activationSchema.default('relu'),
  /** Of the hidden layers, before their activation. */
  normalisation: z.enum(['none', 'batchNorm', 'layerNorm']).default('none'),
  bias: z.boolean().default(true),
  init: initialisation.default('he'),
  /** Of the output layer; `init` where not given. */
  outputInit: initialisation.optional(),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  seed: seed().default(0),
});
export type MultilayerPerceptronOptions = z.input<typeof multilayerPerceptronSchema>;

/** A fully connected network: each hidden layer dense, normalised, activated; then a dense output layer.
 *  @throws OptionsError naming the field, the value and what is allowed */
export function multilayerPerceptron(options: MultilayerPerceptronOptions): Network {
  const o = parseOptions(multilayerPerceptronSchema, options, 'multilayerPerceptron');
  const specs: LayerSpec[] = o.hidden.flatMap((outputs) => [
    { kind: 'dense', outputs, bias: o.bias, init: o.init },
    ...(o.normalisation === 'none' ? [] : [{ kind: o.normalisation }]),
    { kind: 'activation', activation: o.activation },
  ]);
  specs.push({ kind: 'dense', outputs: o.outputs, bias: o.bias, init: o.outputInit ?? o.init });
  const layers = layersOf(specs, flat(o.inputs), o.dtype, new Stream(o.seed).substream('multilayer-perceptron'));
  return new Sequential('multilayer-perceptron', flat(o.inputs), o.dtype, layers);
}
