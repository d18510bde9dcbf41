/** A network that is one layer after another. */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { affineFrom } from './affine.js';
import { copy, denseRows, Matrix, type Dtype, type Rows } from '../linalg/index.js';
import { parseOptions, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import type { AffineMap, LayerStats, Loss, Network, Parameter, StatisticsRequest } from '../types.js';
import { DenseCurvature } from './denseCurvature.js';
import { layersOf, layerSpec } from './specification.js';
import { flat, sizeOf, type Layer, type Shape } from './layers/layer.js';
import { Statistics } from './statistics.js';

export const sequentialSchema = z.strictObject({
  /** Width of the inputs, or their size as images (rows of height x width x channels numbers, channels last). */
  inputs: z.union([size(), z.strictObject({ height: size(), width: size(), channels: size().default(1) })]),
  /** From the input on. */
  layers: z.array(layerSpec).min(1),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  seed: seed().default(0),
});
export type SequentialOptions = z.input<typeof sequentialSchema>;

/** A network of the layers listed: dense, convolution, activations, batchNorm, layerNorm, maxPool, averagePool, flatten.
 *  Parameters are named weight0, bias0, weight1, ... by weight layer, from the input on, and gamma1, beta1, ... by the place of their
 *  normalisation in the list.
 *  @throws OptionsError naming the field, the value and what is allowed */
export function sequential(options: SequentialOptions): Network {
  const { inputs, layers, dtype, seed: s } = parseOptions(sequentialSchema, options, 'sequential');
  const shape = typeof inputs === 'number' ? flat(inputs) : inputs;
  return new Sequential('sequential', shape, dtype, layersOf(layers, shape, dtype, new Stream(s).substream('sequential')));
}

export class Sequential implements Network {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly dtype: Dtype;
  readonly params: readonly Parameter[];
  readonly gradients: readonly Matrix[];
  readonly stats: readonly (LayerStats | null)[];
  readonly features: Matrix;
  readonly activation: string;
  readonly mixesSamples: boolean;
  readonly takesFactors: boolean;
  readonly state: Readonly<Record<string, Matrix>>;
  dense: Matrix | null = null;

  readonly #layers: readonly Layer[];
  /** Of each layer, the index of its first parameter. */
  readonly #first: readonly number[];
  readonly #statistics: Statistics;
  readonly #curvature: DenseCurvature;
  readonly #wanted: boolean[];
  #outputs: Matrix; // n x outputs
  #lossGradient: Matrix; // n x outputs, the caller's
  #outputGradient: Matrix; // n x outputs
  #work: Matrix; // n x outputs

  /** @param activation  what is reported of the features; by default the identity where the whole network is affine */
  constructor(name: string, input: Shape, dtype: Dtype, layers: readonly Layer[], activation?: string) {
    const weights = layers.filter((l) => l.weighted !== undefined);
    this.name = name;
    this.dtype = dtype;
    this.inputs = sizeOf(input);
    this.outputs = sizeOf(layers.at(-1)!.shape);
    this.#layers = layers;
    let at = 0;
    this.#first = layers.map(({ parameters }) => (at += parameters.length) - parameters.length);
    let weight = -1;
    this.params = layers.flatMap((layer) => {
      if (layer.weighted !== undefined) weight++;
      return layer.parameters.map((p) => ({ ...p, layer: Math.max(0, weight) }));
    });
    this.gradients = layers.flatMap((l) => l.gradients);
    this.#statistics = new Statistics(layers);
    this.stats = layers.flatMap((l, i) => l.parameters.map((_, p) => (p === 0 ? this.#statistics.reports[i] : null)));
    this.#curvature = new DenseCurvature(layers);
    this.features = weights[0].parameters[0].value;
    this.activation = activation ?? (layers.every((l) => l.affine) ? 'identity' : 'nonlinear');
    this.takesFactors = layers[0].takesFactors === true;
    this.mixesSamples = layers.some((l) => l.mixesSamples);
    this.state = Object.assign({}, ...layers.map((l) => l.state)) as Record<string, Matrix>;
    this.#wanted = layers.map(() => false);
    this.#outputs = this.#lossGradient = this.#outputGradient = this.#work = Matrix.zeros(0, 0, dtype);
  }

  forward(inputs: Rows, fresh = true): Matrix {
    if (inputs.cols !== this.inputs)
      throw new ArgumentError(`${this.name}: inputs must have ${this.inputs} columns, got ${inputs.rows} x ${inputs.cols}`);
    if (inputs.rows === 0) throw new ArgumentError(`${this.name}: a batch needs at least one sample`);
    let x: Rows = this.takesFactors ? inputs : denseRows(inputs);
    for (const layer of this.#layers) x = layer.forward(x, fresh);
    return (this.#outputs = denseRows(x));
  }

  backward(outputGradient: Matrix, parameters: readonly number[]): void {
    const { rows, cols } = this.#outputs;
    if (outputGradient.rows !== rows || outputGradient.cols !== cols)
      throw new ArgumentError(
        `${this.name}: the gradient must be in the last forward pass's outputs, ${rows} x ${cols}; got ${outputGradient.rows} x ${outputGradient.cols}`,
      );
    this.#lossGradient = outputGradient;
    this.#backward(outputGradient, this.#want(parameters), null);
  }

  report(request: StatisticsRequest, parameters: readonly number[]): void {
    const { needs } = request;
    // The layers come first: the empirical factors need what the backward pass left in buffers that later passes use again.
    this.#statistics.fill(request, this.#outputs, this.#want(parameters));
    this.dense = needs.dense === 'none' ? null : this.#curvature.form(request, this.#outputs, this.#lossGradient);
  }

  curvatureTimes(direction: readonly Matrix[], loss: Loss, out: readonly Matrix[]): void {
    let change: Matrix | null = null;
    this.#layers.forEach((layer, l) => {
      change = layer.tangent(change, this.#ownOf(l, direction));
    });
    const product = this.#copied(change!);
    if (!loss.identityHessian) {
      if (this.#work.rows !== product.rows) this.#work = Matrix.zeros(product.rows, product.cols, this.dtype);
      loss.hessianTimes(this.#outputs, product, this.#work);
    }
    const share = 1 / product.rows;
    for (let i = 0; i < product.data.length; i++) product.data[i] *= share;
    this.#wanted.fill(true);
    this.#backward(product, this.#wanted, out);
  }

  predict(inputs: Matrix): Matrix {
    return this.#layers.reduce((x, layer) => layer.predict(x), inputs);
  }

  affineMap(): AffineMap | null {
    if (!this.#layers.every((l) => l.affine)) return null;
    const { inputs, dtype } = this;
    const [first, ...rest] = this.#layers;
    const atAxes = first.predictAxes?.() ?? first.predict(Matrix.identity(inputs, dtype));
    return affineFrom(
      this.predict(Matrix.zeros(1, inputs, dtype)),
      rest.reduce((x, layer) => layer.predict(x), atAxes),
    );
  }

  /** @param wanted  one a layer; @param into  where gradients go, one a parameter; null: to their own places */
  #backward(outputGradient: Matrix, wanted: readonly boolean[], into: readonly Matrix[] | null): void {
    const top = this.#layers.length - 1;
    const lowest = wanted.indexOf(true);
    // Layers without weights may work in place, and the gradient given is the caller's.
    let dy: Matrix | null = this.#layers[top].weighted === undefined ? this.#copied(outputGradient) : outputGradient;
    for (let l = top; l >= lowest; l--) {
      const layer = this.#layers[l];
      this.#statistics.record(l, dy!);
      const gradients = !wanted[l] ? null : into === null ? layer.gradients : this.#ownOf(l, into);
      dy = layer.backward(dy!, gradients, l > lowest, 'differentiated');
    }
  }

  /** Which layers the parameters belong to. @throws ArgumentError when there are none, or one does not exist */
  #want(parameters: readonly number[]): readonly boolean[] {
    if (parameters.length === 0) throw new ArgumentError(`${this.name}: no parameters to differentiate`);
    const unknown = parameters.find((p) => this.params[p] === undefined);
    if (unknown !== undefined)
      throw new ArgumentError(`${this.name}: there is no parameter ${unknown}, only ${this.params.length} from 0 on`);
    this.#layers.forEach(({ parameters: own }, l) => {
      const first = this.#first[l];
      this.#wanted[l] = parameters.some((p) => p >= first && p < first + own.length);
    });
    return this.#wanted;
  }

  #ownOf(l: number, all: readonly Matrix[]): readonly Matrix[] {
    return all.slice(this.#first[l], this.#first[l] + this.#layers[l].parameters.length);
  }

  #copied(gradient: Matrix): Matrix {
    const { rows, cols } = gradient;
    if (this.#outputGradient.rows !== rows || this.#outputGradient.cols !== cols)
      this.#outputGradient = Matrix.zeros(rows, cols, this.dtype);
    return copy(gradient, this.#outputGradient);
  }
}
