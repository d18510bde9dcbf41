import { ArgumentError } from '../errors.js';
import { scale } from './entrywise.js';
import { gemm } from './gemm.js';
import { Matrix, requireSameDtype, requireShape } from './matrix.js';
import { shiftedSolve } from './shiftedSolve.js';
import { syrk } from './syrk.js';

/** Ridge regression along a path of penalties, for the cost of one or two factorisations (shiftedSolve.ts):
 *  b(lambda) = (X'X/n + lambda I)^-1 X'Y/n = X' (X X'/n + lambda I)^-1 Y/n, by the smaller of the two matrices.
 *  @param inputs   X, n x d; @param targets  Y, n x r
 *  @param lambdas  each at least 0; 0 is the limit from above (the least norm where n < d, and then X of full rank); Infinity, rescaled by
 *                  lambda, is X'Y/n
 *  @returns d x r for each lambda, in the order given
 *  @throws ArgumentError; NumericalError NOT_POSITIVE_DEFINITE for lambda = 0 where X has not full rank
 *  Memory beside X: min(n, d)^2 numbers. Source: Hoerl & Kennard 1970. */
export function ridgePath(inputs: Matrix, targets: Matrix, lambdas: readonly number[]): Matrix[] {
  const [n, d] = [inputs.rows, inputs.cols];
  requireShape('ridgePath', 'targets', targets, n, targets.cols);
  requireSameDtype('ridgePath', inputs, targets);
  if (n === 0) throw new ArgumentError('ridgePath: inputs must have a row');
  for (const l of lambdas)
    if (!(typeof l === 'number' && l >= 0)) throw new ArgumentError(`ridgePath: lambdas must be at least 0, got ${String(l)}`);
  const finite = lambdas.filter((l) => l < Infinity);
  const tall = n >= d;
  const gradient = tall || finite.length < lambdas.length ? gemm(inputs, targets, { transposeA: true, alpha: 1 / n }) : null; // d x r
  let found: readonly Matrix[] = [];
  if (finite.length > 0) {
    const gram = syrk(inputs, { transpose: tall, alpha: 1 / n });
    const right = tall ? gradient! : scale(1 / n, targets.clone());
    const { solutions } = shiftedSolve(gram, right, finite);
    found = tall ? solutions : solutions.map((s) => gemm(inputs, s, { transposeA: true }));
  }
  let next = 0;
  return lambdas.map((l) => (l === Infinity ? gradient!.clone() : found[next++]));
}
