import { native } from '../native/index.js';
import { type Matrix, requireAlike } from './matrix.js';

const ints = new Int32Array(2);

/** Mean over rows of sum_j log(1 + exp(f_j)) - y_j f_j, f the logits and y the targets, and its gradient (sigmoid(f) - y) / n. Logits of
 *  any size overflow nothing before the loss itself does; NaN gives NaN.
 *  @param logits    n x c
 *  @param targets   n x c, probabilities: usually 0 or 1
 *  @param gradient  n x c, written; may be logits
 *  @returns the mean over rows; 0 for no rows
 *  @throws ArgumentError when shapes or dtypes differ
 *  Source: log(1 + exp(f)) = max(f, 0) + log1p(exp(-|f|)) */
export function logisticLoss(logits: Matrix, targets: Matrix, gradient: Matrix): number {
  requireAlike('logisticLoss', logits, targets);
  requireAlike('logisticLoss', logits, gradient);
  ints[0] = logits.rows;
  ints[1] = logits.cols;
  return native.logisticLoss(ints, logits.data, targets.data, gradient.data);
}
