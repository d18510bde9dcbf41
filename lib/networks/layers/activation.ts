/** An entry-wise activation. */
import { activate, hadamard, Matrix } from '../../linalg/index.js';
import type { Kernel } from '../../links/index.js';
import type { Layer, Shape } from './layer.js';

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
