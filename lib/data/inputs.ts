/** Inputs x = Sigma^(1/2) u, one a row, with u normal or of signs. */
import { ColouredRows, Colouring, Matrix, SignMatrix, epsilonOf, gemmInto, scaleColumns, type Dtype, type Rows } from '../linalg/index.js';
import type { Stream } from '../random/index.js';
import type { Covariance } from '../types.js';

export type Distribution = 'rademacher' | 'gaussian';

/** Fresh samples of one distribution, in either form and with the same draws. */
export interface InputSampler {
  /** Fills inputs (n x d). Allocates nothing after the first call at a batch size. */
  readonly fill: (stream: Stream, inputs: Rows) => void;
  /** n x d inputs to fill that stay factors; null where multiplying out is cheaper for a first weight of `width` rows. */
  readonly factors: (n: number, width: number) => ColouredRows | null;
}

/** Products that a step takes with its inputs or their root, at least: forward and backward passes in two turns. */
const PASSES = 4;

export function inputSampler(covariance: Covariance, distribution: Distribution, dtype: Dtype): InputSampler {
  const gaussian = distribution === 'gaussian';
  const d = covariance.eigenvalues.length;
  const fill = gaussian ? normals(covariance, dtype) : signs(covariance, dtype);
  return {
    fill(stream, inputs) {
      if (!(inputs instanceof ColouredRows)) fill(stream, inputs);
      else
        inputs.refill((white) => {
          if (white instanceof SignMatrix) stream.signs(white);
          else stream.normal(white);
        });
    },
    factors(n, width) {
      const least = covariance.eigenvalues.at(-1) ?? 0;
      const saved = gaussian ? (covariance.diagonal ? 0 : n) : n + width; // signs save half of each product's n d width beside
      if (PASSES * width * (covariance.diagonal ? 0 : d) >= saved * d) return null;
      const colouring = new Colouring({
        dimension: d,
        dtype,
        diagonal: covariance.diagonal,
        invertible: least > d * epsilonOf({ dtype }) * covariance.eigenvalues[0],
        power: (exponent) => {
          if (covariance.diagonal) return Matrix.from([covariance.eigenvalues.map((l) => l ** exponent)]);
          // In another dtype a copy is kept, and the original is not.
          return exponent === 1 / 2 && dtype === 'float64' ? covariance.root : covariance.power(exponent, dtype);
        },
      });
      return new ColouredRows(gaussian ? Matrix.zeros(n, d, dtype) : new SignMatrix(n, d), colouring);
    },
  };
}

type Fill = (stream: Stream, inputs: Matrix) => void;

function normals(covariance: Covariance, dtype: Dtype): Fill {
  if (covariance.diagonal) return scaled(covariance, dtype, (stream, inputs) => stream.normal(inputs));
  let root: Matrix | undefined; // where inputs stay factors, it is never needed here
  let white = Matrix.zeros(0, 0, dtype);
  return (stream, inputs) => {
    root ??= covariance.root.clone(dtype);
    if (white.rows !== inputs.rows) white = Matrix.zeros(inputs.rows, inputs.cols, dtype);
    gemmInto(inputs, stream.normal(white), root);
  };
}

function signs(covariance: Covariance, dtype: Dtype): Fill {
  if (covariance.diagonal) return scaled(covariance, dtype, (stream, inputs) => stream.rademacher(inputs));
  let root: Matrix | undefined;
  let white = new SignMatrix(0, 0);
  return (stream, inputs) => {
    root ??= covariance.root.clone(dtype);
    if (white.rows !== inputs.rows) white = new SignMatrix(inputs.rows, inputs.cols);
    stream.signs(white).times(root, inputs);
  };
}

function scaled({ eigenvalues }: Covariance, dtype: Dtype, draw: (stream: Stream, inputs: Matrix) => Matrix): Fill {
  const deviations = Matrix.from([eigenvalues.map(Math.sqrt)], dtype).data;
  const unit = eigenvalues.every((l) => l === 1);
  return (stream, inputs) => {
    draw(stream, inputs);
    if (!unit) scaleColumns(inputs, deviations);
  };
}
