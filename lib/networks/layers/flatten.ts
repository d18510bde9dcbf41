/** An image as a vector: its numbers stay where they are, row by row, channels last. */
import type { Matrix } from '../../linalg/index.js';
import { flat, sizeOf, type Layer, type Shape } from './layer.js';

export class Flatten implements Layer {
  readonly shape: Shape;
  readonly parameters = [];
  readonly gradients = [];
  readonly affine = true;
  readonly mixesSamples = false;
  readonly columnwise = true;
  readonly state = {};

  constructor(image: Shape) {
    this.shape = flat(sizeOf(image));
  }

  forward(x: Matrix): Matrix {
    return x;
  }

  backward(dy: Matrix): Matrix {
    return dy;
  }

  tangent(dx: Matrix | null): Matrix | null {
    return dx;
  }

  predict(x: Matrix): Matrix {
    return x;
  }

  rootTimes(root: Matrix): Matrix {
    return root;
  }
}
