/** Population losses of linear representation learning in closed form (Zhang, Moniri et al. 2025), in float64 whatever the network's dtype. */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { parseOptions, seed as seedField, size } from '../options.js';
import { Matrix, cholesky, choleskySolve, gemm, leastSquares, norm } from '../linalg/index.js';
import { Stream } from '../random/index.js';
import type { LinearTeacher, Metric, Network, RepresentationTask } from '../types.js';
import { orthonormalRowsOf } from './subspace.js';

/** Expected training loss of the network in evaluation mode, 1/2 tr((W - F*G*) Sigma (W - F*G*)') + |bias|^2/2 + d_Y noise^2/2.
 *  @throws ArgumentError for a nonlinear network, which has no closed form here */
export function populationLoss(task: LinearTeacher): Metric {
  const target = gemm(task.head, task.features);
  return (network) => {
    const { weight, bias } = requireLinear('populationLoss', network);
    const difference = Matrix.zeros(target.rows, target.cols);
    for (let i = 0; i < difference.data.length; i++) difference.data[i] = weight.data[i] - target.data[i];
    return quadratic(difference, task) + norm(bias) ** 2 / 2 + (task.outputs * task.noise ** 2) / 2;
  };
}

/** Excess transfer loss with the best head on the frozen features, relative to the loss of predicting 0: in [0, 1].
 *  With A = F*_t G* and H = A Sigma_t G' (G Sigma_t G')^-1: tr((A - H G) Sigma_t (A - H G)') / tr(A Sigma_t A').
 *  @throws ArgumentError for a nonlinear network */
export function transferLoss(task: RepresentationTask): Metric {
  const excess = transferExcess(task);
  const scale = quadratic(gemm(task.transfer.head, task.features), task.transfer);
  return (network) => excess(network) / scale;
}

/** The same excess loss in absolute terms, 1/2 tr((A - H G) Sigma_t (A - H G)'). */
export function transferExcess(task: RepresentationTask): Metric {
  const teacher = task.transfer;
  const target = gemm(teacher.head, task.features); // A, d_Y x d
  const weighted = gemm(target, teacher.covariance.matrix); // A Sigma
  return (network) => {
    requireLinear('transferLoss and transferExcess', network);
    const basis = orthonormalRowsOf(network.features); // the best head depends on the row space alone
    const gram = gemm(gemm(basis, teacher.covariance.matrix), basis, { transposeB: true });
    const head = choleskySolve(cholesky(gram), gemm(weighted, basis, { transposeB: true }), 'right');
    return quadratic(gemm(head, basis, { alpha: -1, beta: 1, out: target.clone() }), teacher);
  };
}

const finiteSampleSchema = z.strictObject({ samples: size(), seed: seedField().default(0) });
export type FiniteSampleOptions = z.input<typeof finiteSampleSchema>;

/** Relative excess transfer loss of a head fitted by least squares on `samples` samples of the transfer task: what a user with that
 *  much data gets. Each call uses the same samples. @throws ArgumentError for a nonlinear network */
export function finiteSampleTransferLoss(task: RepresentationTask, options: FiniteSampleOptions): Metric {
  const { samples, seed } = parseOptions(finiteSampleSchema, options, 'finiteSampleTransferLoss');
  const teacher = task.transfer;
  const batch = { inputs: Matrix.zeros(samples, task.inputs, task.dtype), targets: Matrix.zeros(samples, task.outputs, task.dtype) };
  teacher.sample(new Stream(seed).substream('transfer-samples'), batch);
  const inputs = batch.inputs.clone('float64');
  const targets = batch.targets.clone('float64');
  const target = gemm(teacher.head, task.features);
  const scale = quadratic(target, teacher);
  return (network) => {
    requireLinear('finiteSampleTransferLoss', network);
    const basis = orthonormalRowsOf(network.features);
    const { solution } = leastSquares(gemm(inputs, basis, { transposeB: true }), targets); // h x d_Y
    return quadratic(gemm(solution, basis, { transposeA: true, alpha: -1, beta: 1, out: target.clone() }), teacher) / scale;
  };
}

/** 1/2 tr(M Sigma M') = |M Sigma^(1/2)|_F^2 / 2, never negative. */
function quadratic(m: Matrix, teacher: LinearTeacher): number {
  return norm(gemm(m, teacher.covariance.root)) ** 2 / 2;
}

function requireLinear(metric: string, network: Network): { weight: Matrix; bias: Matrix } {
  const map = network.affineMap();
  if (map === null) throw new ArgumentError(`${metric}: a closed form exists for the identity activation, not for ${network.activation}`);
  return map;
}
