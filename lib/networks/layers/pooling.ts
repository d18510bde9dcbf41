/** Maximum and average pooling over square windows, without padding. */
import {
  averagePool,
  averagePoolBackward,
  convolutionOutput,
  Matrix,
  maxPool,
  maxPoolBackward,
  type ConvolutionShape,
} from '../../linalg/index.js';
import { sizeOf, type Layer, type Shape } from './layer.js';

interface Buffers {
  readonly n: number;
  readonly outputs: Matrix; // n x outputs
  readonly tangent: Matrix; // n x outputs
  readonly inputGradient: Matrix; // n x inputs
  readonly chosen: Int32Array; // n outputs: where each maximum stands in its image
}

export class Pooling implements Layer {
  readonly shape: Shape;
  readonly parameters = [];
  readonly gradients = [];
  readonly affine: boolean;
  readonly mixesSamples = false;
  readonly state = {};

  readonly #kind: 'max' | 'average';
  readonly #geometry: ConvolutionShape;
  #held: Buffers | undefined;

  constructor(kind: 'max' | 'average', geometry: ConvolutionShape) {
    this.#kind = kind;
    this.#geometry = geometry;
    this.affine = kind === 'average';
    this.shape = { ...convolutionOutput(geometry), channels: geometry.channels };
  }

  forward(x: Matrix): Matrix {
    const { outputs, chosen } = this.#buffers(x.rows, x);
    return this.#pool(x, outputs, chosen);
  }

  backward(dy: Matrix): Matrix {
    const { inputGradient, chosen } = this.#held!;
    return this.#kind === 'max'
      ? maxPoolBackward(dy, chosen, this.#geometry, inputGradient)
      : averagePoolBackward(dy, this.#geometry, inputGradient);
  }

  tangent(dx: Matrix | null): Matrix | null {
    if (dx === null) return null;
    const { tangent, chosen } = this.#held!;
    if (this.#kind === 'average') return averagePool(dx, this.#geometry, tangent);
    for (let at = 0; at < chosen.length; at++) tangent.data[at] = dx.data[Math.floor(at / tangent.cols) * dx.cols + chosen[at]];
    return tangent;
  }

  predict(x: Matrix): Matrix {
    const out = Matrix.zeros(x.rows, sizeOf(this.shape), x.dtype);
    return this.#pool(x, out, new Int32Array(this.#kind === 'max' ? out.data.length : 0));
  }

  #pool(x: Matrix, out: Matrix, chosen: Int32Array): Matrix {
    return this.#kind === 'max' ? maxPool(x, this.#geometry, out, chosen) : averagePool(x, this.#geometry, out);
  }

  #buffers(n: number, { cols, dtype }: Matrix): Buffers {
    if (this.#held?.n === n) return this.#held;
    const size = sizeOf(this.shape);
    const outputs = (): Matrix => Matrix.zeros(n, size, dtype);
    const inputGradient = Matrix.zeros(n, cols, dtype);
    return (this.#held = { n, outputs: outputs(), tangent: outputs(), inputGradient, chosen: new Int32Array(n * size) });
  }
}
