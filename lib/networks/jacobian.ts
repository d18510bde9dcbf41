/** Exact Jacobians and curvature matrices of small networks, one backward pass an output of a sample: slow, and simple enough to be the
 *  reference that faster ways are compared with. */
import { ArgumentError } from '../errors.js';
import { Matrix, dot, syrkInto } from '../linalg/index.js';
import type { Batch, Loss, Network } from '../types.js';

/** d outputs / d parameters in training mode (passes of the network: its gradients are overwritten): row i c + k is that of output k of sample i, parameters in order and row by row.
 *  @returns (n c) x p */
export function jacobian(network: Network, inputs: Matrix): Matrix {
  const outputs = network.forward(inputs, false);
  const [n, c] = [outputs.rows, outputs.cols];
  const p = network.gradients.reduce((sum, g) => sum + g.data.length, 0);
  const out = Matrix.zeros(n * c, p, network.dtype);
  const every = network.params.map((_, i) => i);
  const one = Matrix.zeros(n, c, network.dtype);
  for (let row = 0; row < n * c; row++) {
    one.data.fill(0);
    one.data[row] = 1;
    network.backward(one, every);
    let at = row * p;
    for (const { data } of network.gradients) {
      out.data.set(data, at);
      at += data.length;
    }
  }
  return out;
}

/** Mean over the batch of J_i' M_i J_i with the whole Jacobian formed: Gauss-Newton (M_i the loss's Hessian, `ggn`), which is the Fisher
 *  matrix of the losses here; or the empirical Fisher (M_i = r_i r_i', r_i the gradient at the data's targets).
 *  The network's gradients are overwritten. Through batch-norm, J_i is of sample i's outputs as part of this batch.
 *  @returns p x p; memory (n c) p */
export function denseCurvatureOf(network: Network, loss: Loss, { inputs, targets }: Batch, kind: 'ggn' | 'empirical'): Matrix {
  if (!['ggn', 'empirical'].includes(kind)) throw new ArgumentError(`denseCurvatureOf: kind must be one of ggn, empirical; got ${kind}`);
  const outputs = network.forward(inputs, false).clone();
  const [n, c] = [outputs.rows, outputs.cols];
  const blocks: Matrix[] = []; // n x c each: M_i = sum over blocks of the outer products of their rows i
  if (kind === 'ggn')
    for (let k = 0; k < c; k++) {
      const root = Matrix.zeros(n, c, network.dtype);
      loss.hessianRoot(outputs, k, root);
      blocks.push(root);
    }
  else {
    const gradient = Matrix.zeros(n, c, network.dtype);
    loss.evaluate(outputs, targets, gradient);
    blocks.push(gradient);
    for (let i = 0; i < gradient.data.length; i++) gradient.data[i] *= n;
  }
  const j = jacobian(network, inputs);
  const p = j.cols;
  const rows = Matrix.zeros(n, p, network.dtype);
  const out = Matrix.zeros(p, p, network.dtype);
  const column = Matrix.zeros(1, c, network.dtype);
  for (const block of blocks) {
    for (let i = 0; i < n; i++)
      for (let q = 0; q < p; q++) {
        for (let k = 0; k < c; k++) column.data[k] = j.data[(i * c + k) * p + q];
        rows.data[i * p + q] = dot(column, Matrix.wrap(block.data.subarray(i * c, (i + 1) * c), 1, c));
      }
    syrkInto(out, rows, true, 1 / n, 1);
  }
  return out;
}
