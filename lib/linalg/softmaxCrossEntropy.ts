import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import type { Matrix } from './matrix.js';

/** Mean cross-entropy of integer labels under softmax(logits); the logits (n x c) are overwritten by its gradient.
 *  @throws ArgumentError when labels are not n integers in [0, c) */
export function softmaxCrossEntropy(logits: Matrix, labels: Int32Array): number {
  if (labels.length !== logits.rows)
    throw new ArgumentError(`softmaxCrossEntropy: ${logits.rows} rows of logits need as many labels, got ${labels.length}`);
  const bad = labels.findIndex((label) => label < 0 || label >= logits.cols);
  if (bad >= 0) throw new ArgumentError(`softmaxCrossEntropy: label ${bad} is ${labels[bad]}, outside [0, ${logits.cols})`);
  return native.softmaxCrossEntropy(Int32Array.of(logits.rows, logits.cols), labels, logits.data);
}
