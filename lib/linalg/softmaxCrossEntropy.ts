import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireAlike, requireSameDtype, requireShape } from './matrix.js';

const ints = new Int32Array(2);

/** Mean cross-entropy of labels under softmax(logits), and its gradient (softmax - one-hot) / n. Finite logits of any size overflow
 *  nothing; a NaN logit makes the loss NaN.
 *  @param logits    n x c
 *  @param labels    n x 1, whole numbers in [0, c)
 *  @param gradient  n x c, written; may be logits
 *  @returns the mean over rows; 0 for no rows
 *  @throws ArgumentError when shapes or dtypes differ, or a label is no whole number in [0, c), naming its row
 *  Source: the maximum of a row is subtracted before exp; Blanchard, Higham & Higham 2021 */
export function softmaxCrossEntropy(logits: Matrix, labels: Matrix, gradient: Matrix): number {
  const { rows: n, cols: c } = logits;
  requireShape('softmaxCrossEntropy', 'labels', labels, n, 1);
  requireSameDtype('softmaxCrossEntropy', logits, labels);
  requireAlike('softmaxCrossEntropy', logits, gradient);
  for (let i = 0; i < n; i++) {
    const label = labels.data[i];
    if (!(label >= 0 && label < c && Number.isInteger(label)))
      throw new ArgumentError(`softmaxCrossEntropy: the label of row ${i} is ${label}; it must be a whole number in [0, ${c})`);
  }
  ints[0] = n;
  ints[1] = c;
  return native.softmaxCrossEntropy(ints, logits.data, labels.data, gradient.data);
}

/** out = exp(logits) / (their sum), row by row. Finite logits of any size overflow nothing; a NaN makes its row NaN.
 *  @param out  n x c, written; may be logits
 *  @returns out
 *  @throws ArgumentError when shapes or dtypes differ */
export function softmax(logits: Matrix, out: Matrix): Matrix {
  requireAlike('softmax', logits, out);
  ints[0] = logits.rows;
  ints[1] = logits.cols;
  native.softmax(ints, logits.data, out.data);
  return out;
}
