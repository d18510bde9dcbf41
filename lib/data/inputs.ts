/** Inputs x = Sigma^(1/2) u, one a row, with u normal or of signs. */
import { Matrix, gemmInto, scaleColumns, type Dtype } from '../linalg/index.js';
import type { Stream } from '../random/index.js';
import type { Covariance } from '../types.js';

export type Distribution = 'rademacher' | 'gaussian';

/** Fills inputs (n x d) with fresh samples. Allocates nothing after the first call at a batch size. */
export type InputSampler = (stream: Stream, inputs: Matrix) => void;

export function inputSampler(covariance: Covariance, distribution: Distribution, dtype: Dtype): InputSampler {
  const gaussian = distribution === 'gaussian';
  const draw = (stream: Stream, u: Matrix): Matrix => (gaussian ? stream.normal(u) : stream.rademacher(u));
  if (covariance.diagonal) {
    const deviations = Matrix.from([covariance.eigenvalues.map(Math.sqrt)], dtype).data;
    const unit = covariance.eigenvalues.every((l) => l === 1);
    return (stream, inputs) => {
      draw(stream, inputs);
      if (!unit) scaleColumns(inputs, deviations);
    };
  }
  const root = covariance.root.clone(dtype);
  if (!gaussian) return (stream, inputs) => void stream.signedProduct(root, inputs);
  let white = Matrix.zeros(0, 0, dtype);
  return (stream, inputs) => {
    if (white.rows !== inputs.rows) white = Matrix.zeros(inputs.rows, inputs.cols, dtype);
    gemmInto(inputs, stream.normal(white), root);
  };
}
