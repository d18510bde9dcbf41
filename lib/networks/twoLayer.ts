/**
 * The two-layer network f(x) = F s(G x) of the paper, with batch normalisation of G x as an option. Row-major batches: H = X G',
 * Z = s(H), outputs Z F'. For R = dL/d(outputs): grad_F = R' Z and grad_G = ((R F) o s'(H))' X.
 */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { Matrix, activate, affineRows, gemm, gemmInto, hadamard, syrkInto, type Dtype } from '../linalg/index.js';
import { parseOptions, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import type { AffineMap, LayerStats, Needs, Network, Parameter } from '../types.js';
import { BatchNorm } from './batchNorm.js';
import { gaussNewtonMatrix } from './gaussNewton.js';

export const twoLayerSchema = z.strictObject({
  /** d_X. */
  inputs: size(),
  /** d_h. */
  hidden: size(),
  /** d_Y. */
  outputs: size(),
  activation: z.enum(['identity', 'relu', 'tanh']).default('identity'),
  /** Batch-normalise the hidden layer before its activation. */
  batchNorm: z.boolean().default(false),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  seed: seed().default(0),
});
export type TwoLayerOptions = z.input<typeof twoLayerSchema>;

/** A two-layer network with entries of G drawn from N(0, 1/inputs) and of F from N(0, 1/hidden).
 *  @throws OptionsError naming the field, the value and what is allowed */
export function twoLayer(options: TwoLayerOptions): Network {
  return new TwoLayer(parseOptions(twoLayerSchema, options, 'twoLayer'));
}

/** Buffers of one batch size. */
interface Buffers {
  readonly rows: number;
  readonly hidden: Matrix; // H, n x h
  readonly active: Matrix; // Z, n x h; H itself for identity without batch-norm
  readonly derivative: Matrix | null; // s'(.), n x h; null for identity
  readonly hiddenGradient: Matrix; // n x h
  readonly outputs: Matrix; // n x d_Y
}

class TwoLayer implements Network {
  readonly name = 'two-layer';
  readonly inputs: number;
  readonly outputs: number;
  readonly dtype: Dtype;
  readonly activation: 'identity' | 'relu' | 'tanh';
  readonly params: readonly Parameter[];
  readonly gradients: readonly Matrix[];
  readonly stats: readonly (LayerStats | null)[];
  readonly features: Matrix; // G, h x d_X
  readonly state: Readonly<Record<string, Matrix>>;
  gaussNewton: Matrix | null = null;

  readonly #head: Matrix; // F, d_Y x h
  readonly #norm: BatchNorm | null;
  readonly #featureStats: { inputs: Matrix; outputFactor: Matrix | null };
  readonly #headStats: { inputs: Matrix; outputFactor: Matrix | null };
  readonly #outputFactor: Matrix; // h x h
  readonly #derivativeGram: Matrix; // h x h
  readonly #map: AffineMap;
  #buffers: Buffers | undefined;
  #dense: Matrix | undefined; // p x p

  constructor(o: z.output<typeof twoLayerSchema>) {
    const { inputs, hidden, outputs, dtype } = o;
    this.inputs = inputs;
    this.outputs = outputs;
    this.dtype = dtype;
    this.activation = o.activation;
    const stream = new Stream(o.seed).substream('two-layer');
    this.features = stream.substream('features').normal(Matrix.zeros(hidden, inputs, dtype), 1 / Math.sqrt(inputs));
    this.#head = stream.substream('head').normal(Matrix.zeros(outputs, hidden, dtype), 1 / Math.sqrt(hidden));
    this.#norm = o.batchNorm ? new BatchNorm(hidden, dtype) : null;

    const empty = Matrix.zeros(0, 0, dtype);
    this.#featureStats = { inputs: empty, outputFactor: null };
    this.#headStats = { inputs: empty, outputFactor: null };
    const vectors: Parameter[] =
      this.#norm === null
        ? []
        : [
            { name: 'gamma', value: this.#norm.gamma, layer: 0, role: 'vector' },
            { name: 'beta', value: this.#norm.beta, layer: 0, role: 'vector' },
          ];
    this.params = [
      { name: 'G', value: this.features, layer: 0, role: 'weight' },
      ...vectors,
      { name: 'F', value: this.#head, layer: 1, role: 'weight' },
    ];
    this.gradients = [
      Matrix.zeros(hidden, inputs, dtype),
      ...(this.#norm === null ? [] : [this.#norm.gammaGradient, this.#norm.betaGradient]),
      Matrix.zeros(outputs, hidden, dtype),
    ];
    this.stats = this.params.map(({ name }) => (name === 'G' ? this.#featureStats : name === 'F' ? this.#headStats : null));
    this.state = this.#norm === null ? {} : { running: this.#norm.running };
    this.#outputFactor = Matrix.zeros(hidden, hidden, dtype);
    this.#derivativeGram = Matrix.zeros(hidden, hidden, dtype);
    this.#map = { weight: Matrix.zeros(outputs, inputs, dtype), bias: Matrix.zeros(outputs, 1, dtype) };
  }

  forward(inputs: Matrix, fresh = true): Matrix {
    const b = this.#buffersFor(inputs.rows);
    gemmInto(b.hidden, inputs, this.features, 'NT');
    let preactivation = b.hidden;
    if (this.#norm !== null) preactivation = this.#norm.forward(b.hidden, fresh);
    if (this.activation !== 'identity') activate(this.activation, preactivation, b.active, b.derivative!);
    this.#featureStats.inputs = inputs;
    this.#headStats.inputs = this.#activeOf(b);
    return gemmInto(b.outputs, this.#headStats.inputs, this.#head, 'NT');
  }

  backward(outputGradient: Matrix, needs: Needs, parameters: readonly number[]): void {
    const b = this.#buffers!;
    const active = this.#activeOf(b);
    const last = this.params.length - 1;
    this.gaussNewton = needs.gaussNewton ? this.#formGaussNewton(b, active) : null;
    if (needs.outputFactor === 'ggn') this.#formOutputFactor(b);
    this.#featureStats.outputFactor = needs.outputFactor === 'ggn' ? this.#outputFactor : null;

    if (parameters.includes(last)) gemmInto(this.gradients[last], outputGradient, active, 'TN');
    if (parameters.length === 1 && parameters[0] === last) return;
    gemmInto(b.hiddenGradient, outputGradient, this.#head);
    if (b.derivative !== null) hadamard(b.hiddenGradient, b.derivative, b.hiddenGradient);
    if (this.#norm !== null) this.#norm.backward(b.hiddenGradient);
    gemmInto(this.gradients[0], b.hiddenGradient, this.#featureStats.inputs, 'TN');
  }

  predict(inputs: Matrix): Matrix {
    let h = gemm(inputs, this.features, { transposeB: true });
    if (this.#norm !== null) h = affineRows(h, this.#norm.evaluationMap(), h);
    const active = this.activation === 'identity' ? h : activate(this.activation, h, h.clone(), h.clone());
    return gemm(active, this.#head, { transposeB: true });
  }

  affineMap(): AffineMap | null {
    if (this.activation !== 'identity') return null;
    const { weight, bias } = this.#map;
    if (this.#norm === null) {
      gemmInto(weight, this.#head, this.features);
      return this.#map;
    }
    // F (scale o (G x) + shift): scale the columns of F, and carry the shift through it.
    const { data: map, cols: h } = this.#norm.evaluationMap();
    const scaled = this.#head.clone();
    bias.data.fill(0);
    for (let i = 0; i < scaled.rows; i++)
      for (let j = 0; j < h; j++) {
        bias.data[i] += scaled.data[i * h + j] * map[h + j];
        scaled.data[i * h + j] *= map[j];
      }
    gemmInto(weight, scaled, this.features);
    return this.#map;
  }

  #activeOf(b: Buffers): Matrix {
    return this.activation !== 'identity' ? b.active : this.#norm !== null ? this.#norm.outputs : b.hidden;
  }

  /** B_G = mean_i D_i F'F D_i = F'F o (S'S/n), S the n x h activation derivatives; with batch-norm its statistics are held
   *  fixed, which scales D by gamma/sigma. */
  #formOutputFactor(b: Buffers): void {
    const factor = syrkInto(this.#outputFactor, this.#head, true);
    if (b.derivative !== null) hadamard(factor, syrkInto(this.#derivativeGram, b.derivative, true, 1 / b.rows), factor);
    if (this.#norm !== null) this.#norm.scaleBothSides(factor);
  }

  #formGaussNewton(b: Buffers, active: Matrix): Matrix {
    if (this.#norm !== null)
      throw new ArgumentError(
        'the dense Gauss-Newton matrix is not defined through batch-norm, which mixes the samples; use batchNorm: false or a layer-wise method',
      );
    const p = this.params.reduce((sum, { value }) => sum + value.data.length, 0);
    this.#dense ??= Matrix.zeros(p, p, this.dtype);
    gaussNewtonMatrix(this.#dense, { inputs: this.#featureStats.inputs, active, derivative: b.derivative, head: this.#head });
    return this.#dense;
  }

  #buffersFor(rows: number): Buffers {
    if (this.#buffers?.rows === rows) return this.#buffers;
    const matrix = (cols: number): Matrix => Matrix.zeros(rows, cols, this.dtype);
    const h = this.features.rows;
    const hidden = matrix(h);
    const nonlinear = this.activation !== 'identity';
    return (this.#buffers = {
      rows,
      hidden,
      active: nonlinear ? matrix(h) : hidden,
      derivative: nonlinear ? matrix(h) : null,
      hiddenGradient: matrix(h),
      outputs: matrix(this.outputs),
    });
  }
}
