/**
 * Softmax cross-entropy, L = -(1/n) sum_i log p_i[y_i] with p_i = softmax(f_i); targets are class indices, n x 1. Of one sample: gradient
 * p - e_y, Hessian diag(p) - p p' = S S' with S = (I - p 1') diag(sqrt p); p 1' diag(sqrt p) is p sqrt(p)'.
 */
import { softmax, softmaxCrossEntropy as evaluate } from '../linalg/index.js';
import type { Loss } from '../types.js';

/** Scratch of drawGradient, of the last batch size. */
let draws = new Float64Array(0);

export const softmaxCrossEntropy: Loss = {
  name: 'softmax-cross-entropy',
  targets: () => 1,
  evaluate,
  identityHessian: false,
  hessianRoot(outputs, k, root) {
    const { data: p, cols: c } = softmax(outputs, root);
    for (let row = 0; row < p.length; row += c) {
      const r = Math.sqrt(p[row + k]);
      for (let j = row; j < row + c; j++) p[j] *= -r;
      p[row + k] += r;
    }
  },
  hessianTimes(outputs, x, work) {
    const { cols: c } = outputs;
    const p = softmax(outputs, work);
    for (let row = 0; row < p.data.length; row += c) {
      let mean = 0;
      for (let j = row; j < row + c; j++) mean += p.data[j] * x.data[j];
      for (let j = row; j < row + c; j++) x.data[j] = p.data[j] * (x.data[j] - mean);
    }
  },
  drawGradient(outputs, stream, gradient) {
    const { data: p, cols: c } = softmax(outputs, gradient);
    if (draws.length !== gradient.rows) draws = new Float64Array(gradient.rows);
    stream.uniform(draws);
    for (let i = 0, row = 0; i < gradient.rows; i++, row += c) {
      let [label, below] = [0, p[row]];
      while (label < c - 1 && draws[i] >= below) below += p[row + ++label];
      p[row + label] -= 1;
    }
  },
};
