import { squaredLoss } from '../linalg/index.js';
import type { Loss } from '../types.js';

/** Squared loss, L = 1/(2n) sum_i |y_i - f(x_i)|^2; its gradient in the outputs is (f - y)/n. As a likelihood: y ~ N(f, I). */
export const squared: Loss = {
  name: 'squared',
  targets: (outputs) => outputs,
  evaluate: squaredLoss,
  identityHessian: true,
  hessianRoot(_outputs, k, root) {
    root.data.fill(0);
    for (let i = 0; i < root.rows; i++) root.data[i * root.cols + k] = 1;
  },
  hessianTimes() {
    // the identity
  },
  drawGradient: (_outputs, stream, gradient) => stream.normal(gradient),
};
