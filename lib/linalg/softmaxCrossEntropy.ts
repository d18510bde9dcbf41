import { native } from '../native/index.js';
import type { Matrix } from './matrix.js';

/** Mean cross-entropy of integer labels under softmax(logits); the logits (n x c) are overwritten by its gradient.
 *  @throws RangeError when a label is outside [0, c) */
export function softmaxCrossEntropy(logits: Matrix, labels: Int32Array): number {
  return native.softmaxCrossEntropy(Int32Array.of(logits.rows, logits.cols), labels, logits.data);
}
