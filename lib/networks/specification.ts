/** Layers as plain data, and how a network is made of them. */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { Matrix, type Dtype } from '../linalg/index.js';
import { activationSchema, kernelOf } from '../links/index.js';
import { size } from '../options.js';
import type { Stream } from '../random/index.js';
import { initialisation, initialWeight, type Initialisation } from './initialise.js';
import { Activation } from './layers/activation.js';
import { BatchNorm } from './layers/batchNorm.js';
import { Convolution } from './layers/convolution.js';
import { Dense } from './layers/dense.js';
import { Flatten } from './layers/flatten.js';
import { LayerNorm } from './layers/layerNorm.js';
import { Pooling } from './layers/pooling.js';
import { isFlat, type Layer, type OwnParameter, type Shape } from './layers/layer.js';

const weighted = { bias: z.boolean().default(true), init: initialisation.default('he') };
const window = { size: size().default(2), /** By default the window's size. */ stride: size().optional() };

export const layerSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('dense'), outputs: size(), ...weighted }),
  z.strictObject({
    kind: z.literal('convolution'),
    /** Channels out. */
    channels: size(),
    kernel: size().default(3),
    stride: size().default(1),
    /** Zeros around the image. */
    padding: z.int().min(0).default(0),
    ...weighted,
  }),
  z.strictObject({ kind: z.literal('activation'), activation: activationSchema }),
  z.strictObject({ kind: z.literal('batchNorm') }),
  z.strictObject({ kind: z.literal('layerNorm') }),
  z.strictObject({ kind: z.literal('maxPool'), ...window }),
  z.strictObject({ kind: z.literal('averagePool'), ...window }),
  z.strictObject({ kind: z.literal('flatten') }),
]);
export type LayerSpec = z.output<typeof layerSpec>;

/** The layers of a specification, initialised from the stream.
 *  @throws OptionsError when one does not fit the shape it is given, or none has a weight */
export function layersOf(specs: readonly LayerSpec[], input: Shape, dtype: Dtype, stream: Stream): Layer[] {
  const layers: Layer[] = [];
  let shape = input;
  let weights = 0;
  specs.forEach((spec, i) => {
    const weight = (kind: Initialisation, m: number, n: number, fanOut = m): OwnParameter => ({
      name: `weight${weights}`,
      value: initialWeight(kind, m, n, dtype, stream.substream(`weight${weights}`), fanOut),
      role: 'weight',
    });
    const bias = (present: boolean, m: number): OwnParameter | null =>
      present ? { name: `bias${weights}`, value: Matrix.zeros(1, m, dtype), role: 'bias' } : null;
    // A normalisation belongs to the weight before it, but is numbered by its place: one weight may have several.
    const names = { gamma: `gamma${i}`, beta: `beta${i}`, running: `running${i}` };
    const layer = build(spec, i, shape, dtype, weight, bias, names);
    if (layer === null) return;
    if (layer.weighted !== undefined) weights++;
    layers.push(layer);
    shape = layer.shape;
  });
  if (weights === 0)
    throw new OptionsError('network', [
      { path: 'layers', keys: ['layers'], value: JSON.stringify(specs), message: 'must hold a dense or convolution layer' },
    ]);
  return layers;
}

/** @returns null for an identity */
function build(
  spec: LayerSpec,
  index: number,
  shape: Shape,
  dtype: Dtype,
  weight: (kind: Initialisation, m: number, n: number, fanOut?: number) => OwnParameter,
  bias: (present: boolean, m: number) => OwnParameter | null,
  names: { gamma: string; beta: string; running: string },
): Layer | null {
  switch (spec.kind) {
    case 'dense':
      if (!isFlat(shape)) refuse(index, spec, `is given images of ${written(shape)}; put a flatten layer before it`);
      return new Dense(weight(spec.init, spec.outputs, shape.channels), bias(spec.bias, spec.outputs));
    case 'convolution': {
      const geometry = windowOf(index, spec, shape, spec.kernel, spec.stride, spec.padding);
      const area = spec.kernel ** 2;
      const own = weight(spec.init, spec.channels, area * shape.channels, area * spec.channels);
      return new Convolution(own, bias(spec.bias, spec.channels), geometry);
    }
    case 'activation': {
      const kernel = kernelOf(spec.activation);
      return kernel === null ? null : new Activation(kernel, shape);
    }
    case 'batchNorm':
      return new BatchNorm(names, shape, dtype);
    case 'layerNorm':
      return new LayerNorm(names, shape, dtype);
    case 'maxPool':
      return new Pooling('max', windowOf(index, spec, shape, spec.size, spec.stride ?? spec.size, 0));
    case 'averagePool':
      return new Pooling('average', windowOf(index, spec, shape, spec.size, spec.stride ?? spec.size, 0));
    case 'flatten':
      return new Flatten(shape);
  }
}

function windowOf(index: number, spec: LayerSpec, shape: Shape, kernel: number, stride: number, padding: number) {
  if (kernel > shape.height + 2 * padding || kernel > shape.width + 2 * padding)
    refuse(index, spec, `a window of ${kernel} x ${kernel} does not fit images of ${written(shape)} with padding ${padding}`);
  return { ...shape, kernelHeight: kernel, kernelWidth: kernel, stride, padding };
}

const written = ({ height, width, channels }: Shape): string => `${height} x ${width} x ${channels}`;

function refuse(index: number, spec: LayerSpec, message: string): never {
  const keys = ['layers', index];
  throw new OptionsError('network', [{ path: `layers[${index}]`, keys, value: JSON.stringify(spec), message: `${spec.kind}: ${message}` }]);
}
