/** Four problems that every optimiser is run on: an ill-conditioned quadratic, Rosenbrock's valley, regression and classification. */
import { softmaxCrossEntropy, squared } from '../lib/losses/index.js';
import { Matrix, gemm, type Dtype } from '../lib/linalg/index.js';
import { Dense } from '../lib/networks/layers/dense.js';
import { flat, type Layer } from '../lib/networks/layers/layer.js';
import { multilayerPerceptron, twoLayer } from '../lib/networks/index.js';
import { Sequential } from '../lib/networks/sequential.js';
import { Stream } from '../lib/random/index.js';
import type { Loss, Network, Task } from '../lib/types.js';
import { smallTask } from './fixtures.js';

export interface Problem {
  readonly task: Task;
  readonly network: Network;
  readonly loss: Loss;
}

/** The same batch at every step. */
function fixed(name: string, inputs: Matrix, targets: Matrix, outputs: number): Task {
  return {
    name,
    inputs: inputs.cols,
    outputs,
    targets: targets.cols,
    dtype: inputs.dtype,
    sample(stream, batch) {
      stream.uniform(new Float64Array(1)); // a task moves its stream on
      batch.inputs.data.set(inputs.data);
      batch.targets.data.set(targets.data);
    },
  };
}

/** Rows a fixed batch has. */
export const ROWS: Readonly<Record<ProblemName, number>> = { quadratic: 32, rosenbrock: 1, regression: 64, classifier: 96 };
export type ProblemName = 'quadratic' | 'rosenbrock' | 'regression' | 'classifier';

export const problems: Readonly<Record<ProblemName, (dtype: Dtype) => Problem>> = {
  /** |W X' - W* X'|^2 with inputs of condition number 30: its minimum is 0. */
  quadratic(dtype) {
    const stream = new Stream(11);
    const inputs = stream.normal(Matrix.zeros(ROWS.quadratic, 6));
    for (let i = 0; i < inputs.data.length; i++) inputs.data[i] *= 30 ** (-(i % 6) / 10);
    const targets = gemm(inputs, stream.normal(Matrix.zeros(4, 6)), { transposeB: true });
    const network = multilayerPerceptron({ inputs: 6, outputs: 4, bias: false, init: 'lecun', dtype, seed: 2 });
    return { task: fixed('quadratic', inputs.clone(dtype), targets.clone(dtype), 4), network, loss: squared };
  },
  /** (1 - x)^2 + 100 (y - x^2)^2 from (-1.2, 1), as a network: weights (x, y)' on a constant input, then two residuals. */
  rosenbrock(dtype) {
    const weight = Matrix.from([[-1.2], [1]], dtype);
    const layers = [new Dense({ name: 'point', value: weight, role: 'weight' }, null), new Residuals()];
    const network = new Sequential('rosenbrock', flat(1), dtype, layers);
    return { task: fixed('rosenbrock', Matrix.from([[1]], dtype), Matrix.zeros(1, 2, dtype), 2), network, loss: squared };
  },
  /** Linear representation learning with fresh batches. */
  regression(dtype) {
    return { task: smallTask({ dtype }), network: twoLayer({ inputs: 9, hidden: 3, outputs: 5, seed: 4, dtype }), loss: squared };
  },
  /** Three classes of points around three centres, a hidden layer of ReLUs. */
  classifier(dtype) {
    const stream = new Stream(5);
    const inputs = stream.normal(Matrix.zeros(ROWS.classifier, 8));
    const labels = Matrix.zeros(ROWS.classifier, 1);
    for (let i = 0; i < ROWS.classifier; i++) {
      labels.data[i] = i % 3;
      for (let j = 0; j < 8; j++) inputs.data[i * 8 + j] += j % 3 === i % 3 ? 1.2 : 0;
    }
    const network = multilayerPerceptron({ inputs: 8, hidden: [12], outputs: 3, dtype, seed: 6 });
    return { task: fixed('classifier', inputs.clone(dtype), labels.clone(dtype), 3), network, loss: softmaxCrossEntropy };
  },
};

/** (x, y) to sqrt 2 (1 - x, 10 (y - x^2)): half the squared norm is Rosenbrock's function. */
class Residuals implements Layer {
  readonly shape = flat(2);
  readonly parameters = [];
  readonly gradients = [];
  readonly affine = false;
  readonly mixesSamples = false;
  readonly state = {};
  #x = 0;

  forward(z: Matrix): Matrix {
    return this.predict(z);
  }

  /** J' dy with J = sqrt 2 [[-1, 0], [-20 x, 10]]. */
  backward(dy: Matrix): Matrix {
    const [a, b] = dy.data;
    return Matrix.from([[Math.SQRT2 * (-a - 20 * this.#x * b), Math.SQRT2 * 10 * b]], dy.dtype);
  }

  tangent(dx: Matrix | null): Matrix | null {
    if (dx === null) return null;
    const [dx0, dy0] = dx.data;
    return Matrix.from([[-Math.SQRT2 * dx0, Math.SQRT2 * 10 * (dy0 - 2 * this.#x * dx0)]], dx.dtype);
  }

  predict(z: Matrix): Matrix {
    const [x, y] = z.data;
    this.#x = x;
    return Matrix.from([[Math.SQRT2 * (1 - x), Math.SQRT2 * 10 * (y - x * x)]], z.dtype);
  }
}
