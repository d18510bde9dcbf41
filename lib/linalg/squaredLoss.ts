import { native } from '../native/index.js';
import { type Matrix, requireAlike } from './matrix.js';

const ints = new Int32Array(2);

/** Half the mean squared distance of the rows of f and y, and its gradient (f - y) / n, in one pass.
 *  @param f         n x d
 *  @param gradient  n x d, written; may be f
 *  @throws ArgumentError when shapes or dtypes differ */
export function squaredLoss(f: Matrix, y: Matrix, gradient: Matrix): number {
  requireAlike('squaredLoss', f, y);
  requireAlike('squaredLoss', f, gradient);
  ints[0] = f.rows;
  ints[1] = f.cols;
  return native.squaredLoss(ints, f.data, y.data, gradient.data);
}
