// An optimiser that the package does not have: Lion (Chen et al. 2023), the sign of a mix of momentum and gradient.
// Without its decoupled weight decay.
//   c = beta1 m + (1 - beta1) g;  step = -learningRate sign(c);  m <- beta2 m + (1 - beta2) g
import { axpby, Matrix } from 'layerwise';

/** @returns {import('layerwise').Optimizer<{ momentum: Matrix[] }>} */
export function lion({ learningRate = 1e-3, beta1 = 0.9, beta2 = 0.99 } = {}) {
  return {
    name: 'lion',
    // Gradients alone; a method that preconditions would ask for `inputs` or an `outputFactor` here, and find them in `stats`.
    needs: () => ({ inputs: false, outputFactor: 'none', outputRows: false, dense: 'none' }),
    init: (params) => ({ momentum: params.map(({ value }) => Matrix.zeros(value.rows, value.cols, value.dtype)) }),
    update({ gradients }, { momentum }, steps, which) {
      for (const i of which) {
        const [g, m, step] = [gradients[i].data, momentum[i].data, steps[i].data];
        for (let k = 0; k < step.length; k++) step[k] = -learningRate * Math.sign(beta1 * m[k] + (1 - beta1) * g[k]);
        axpby(1 - beta2, gradients[i], beta2, momentum[i]);
      }
    },
  };
}
