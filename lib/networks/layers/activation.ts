/** Entry-wise activations: a name, or a name with its numbers. */
import { z } from 'zod';
import { activate, hadamard, Matrix, type ActivationName } from '../../linalg/index.js';
import type { Layer, Shape } from './layer.js';

const numbers = z.array(z.number()).min(1);

export const activationSchema = z.union([
  z.enum(['identity', 'relu', 'leakyRelu', 'tanh', 'sigmoid', 'gelu']),
  /** x for x > 0, slope x below; 'leakyRelu' alone has slope 0.01. */
  z.strictObject({ name: z.literal('leakyRelu'), slope: z.number() }),
  /** sum_k coefficients[k] x^k. */
  z.strictObject({ name: z.literal('polynomial'), coefficients: numbers }),
  /** sum_k coefficients[k] h_k(x), h_k = He_k / sqrt(k!) orthonormal under the standard normal. */
  z.strictObject({ name: z.literal('hermite'), coefficients: numbers }),
]);
export type ActivationOptions = z.output<typeof activationSchema>;

/** What the native pass takes; null for the identity. */
export interface Kernel {
  readonly kind: ActivationName;
  readonly numbers: Float64Array;
}

export function kernelOf(activation: ActivationOptions): Kernel | null {
  if (activation === 'identity') return null;
  if (activation === 'leakyRelu') return { kind: 'leakyRelu', numbers: Float64Array.of(0.01) };
  if (typeof activation === 'string') return { kind: activation, numbers: new Float64Array(0) };
  switch (activation.name) {
    case 'leakyRelu':
      return { kind: 'leakyRelu', numbers: Float64Array.of(activation.slope) };
    case 'polynomial':
      return { kind: 'polynomial', numbers: Float64Array.from(activation.coefficients) };
    case 'hermite':
      return { kind: 'polynomial', numbers: hermiteToPowers(activation.coefficients) };
  }
}

/** Coefficients in powers of x of sum_k c_k h_k(x), h_k = He_k / sqrt(k!), by sqrt(k + 1) h_(k+1) = x h_k - sqrt(k) h_(k-1). */
export function hermiteToPowers(coefficients: readonly number[]): Float64Array {
  const size = coefficients.length;
  const powers = new Float64Array(size);
  let before = new Float64Array(size);
  let current = Float64Array.from({ length: size }, (_, j) => (j === 0 ? 1 : 0));
  for (let k = 0; k < size; k++) {
    for (let j = 0; j <= k; j++) powers[j] += coefficients[k] * current[j];
    const next = new Float64Array(size);
    for (let j = 0; j + 1 < size; j++) next[j + 1] = current[j];
    for (let j = 0; j < size; j++) next[j] = (next[j] - Math.sqrt(k) * before[j]) / Math.sqrt(k + 1);
    [before, current] = [current, next];
  }
  return powers;
}

export class Activation implements Layer {
  readonly shape: Shape;
  readonly parameters = [];
  readonly gradients = [];
  readonly affine = false;
  readonly mixesSamples = false;
  readonly state = {};
  derivative: Matrix;

  readonly #kernel: Kernel;
  #outputs: Matrix;
  #tangent: Matrix | undefined;

  constructor(kernel: Kernel, shape: Shape) {
    this.#kernel = kernel;
    this.shape = shape;
    this.#outputs = this.derivative = Matrix.zeros(0, 0);
  }

  forward(x: Matrix): Matrix {
    if (this.#outputs.rows !== x.rows || this.#outputs.cols !== x.cols) {
      this.#outputs = Matrix.zeros(x.rows, x.cols, x.dtype);
      this.derivative = Matrix.zeros(x.rows, x.cols, x.dtype);
    }
    return activate(this.#kernel.kind, x, this.#outputs, this.derivative, this.#kernel.numbers);
  }

  backward(dy: Matrix): Matrix {
    return hadamard(dy, this.derivative, dy);
  }

  tangent(dx: Matrix | null): Matrix | null {
    if (dx === null) return null;
    if (this.#tangent?.rows !== dx.rows) this.#tangent = Matrix.zeros(dx.rows, dx.cols, dx.dtype);
    return hadamard(dx, this.derivative, this.#tangent);
  }

  predict(x: Matrix): Matrix {
    return activate(
      this.#kernel.kind,
      x,
      Matrix.zeros(x.rows, x.cols, x.dtype),
      Matrix.zeros(x.rows, x.cols, x.dtype),
      this.#kernel.numbers,
    );
  }
}
