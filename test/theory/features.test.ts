import { describe, it } from 'vitest';
import { ArgumentError, NumericalError } from '../../lib/errors.js';
import { gemm, Matrix, scale, syrk } from '../../lib/linalg/index.js';
import { linkOf } from '../../lib/links/index.js';
import { Stream } from '../../lib/random/index.js';
import { featureMoments } from '../../lib/theory/index.js';
import { build, expectClose, expectThrows } from '../close.js';

/** G G' for random directions of differing lengths. */
function hidden(h: number, d: number, spread = 0): Matrix {
  const g = new Stream(4).normal(Matrix.zeros(h, d), 1 / Math.sqrt(d));
  for (let i = 0; i < h; i++) for (let j = 0; j < d; j++) g.data[i * d + j] *= 1 + (spread * i) / h;
  return gemm(g, g, { transposeB: true });
}

describe('featureMoments', () => {
  it.each([0, 0.8])('of ReLU are the arc-cosine kernel (Cho & Saul 2009), spread of lengths %d', (spread) => {
    const k = hidden(12, 60, spread);
    const kernel = build(12, 12, (i, j) => {
      const size = Math.sqrt(k.get(i, i) * k.get(j, j));
      const angle = Math.acos(Math.min(1, k.get(i, j) / size));
      return (size / (2 * Math.PI)) * (Math.sin(angle) + (Math.PI - angle) * Math.cos(angle));
    });
    expectClose(featureMoments(k, 'relu'), kernel, 1e-8);
  });

  it('of erf are the kernel of Williams 1998, and of a line K itself', () => {
    const k = hidden(8, 100, 0.5);
    const kernel = build(
      8,
      8,
      (i, j) =>
      (2 / Math.PI) * Math.asin((2 * k.get(i, j)) / Math.sqrt((1 + 2 * k.get(i, i)) * (1 + 2 * k.get(j, j)))), // prettier-ignore
    );
    expectClose(featureMoments(k, 'erf'), kernel, 1e-8);
    expectClose(featureMoments(k, 'identity'), k, 1e-12);
  });

  it('of tanh are what many samples show', () => {
    const [h, d, n] = [6, 30, 200_000];
    const stream = new Stream(9);
    const g = stream.normal(Matrix.zeros(h, d), 1 / Math.sqrt(d));
    const x = stream.normal(Matrix.zeros(n, d));
    const inner = gemm(x, g, { transposeB: true });
    const z = linkOf('tanh').apply(inner, Matrix.zeros(n, h));
    expectClose(scale(1 / n, syrk(z, { transpose: true })), featureMoments(gemm(g, g, { transposeB: true }), 'tanh'), 0.005);
  });

  it('of features nearly parallel takes more of the series, or throws NumericalError where that does not end', () => {
    const pair = (r: number): Matrix => Matrix.from([
      [1, r],
      [r, 1],
    ]); // prettier-ignore
    const high = { name: 'hermite' as const, coefficients: [...new Array<number>(14).fill(0), 1] };
    expectClose(featureMoments(pair(0.9), high), pair(0.9 ** 14), 1e-6);
    const step = featureMoments(pair(0.6), 'sign');
    expectClose(step, pair((2 / Math.PI) * Math.asin(0.6)), 1e-6);
    expectThrows(() => featureMoments(pair(0.9999), 'sign'), NumericalError, 'NOT_CONVERGED', /correlation of 0.9999, too close to 1/);
  });

  it('of features of very different lengths is exact on the diagonal', () => {
    const k = Matrix.diagonal([1e-6, 0.01, 1, 1e4]);
    expectClose(featureMoments(k, 'relu'), build(4, 4, (i, j) => (i === j ? k.get(i, i) / 2 : Math.sqrt(k.get(i, i) * k.get(j, j)) / (2 * Math.PI))), 1e-7); // prettier-ignore
  });

  it('throws ArgumentError for what is no covariance', () => {
    expectThrows(() => featureMoments(Matrix.from([[1, 2], [2, 1]]), 'relu'), ArgumentError, 'ERR_ARGUMENT', /K\[1, 0\] is 2, which no covariance/); // prettier-ignore
    expectThrows(() => featureMoments(Matrix.from([[1, NaN], [NaN, 1]]), 'relu'), ArgumentError, 'ERR_ARGUMENT', /K\[1, 0\] is NaN/); // prettier-ignore
    expectThrows(() => featureMoments(Matrix.zeros(2, 3), 'relu'), ArgumentError, 'ERR_ARGUMENT', /K must be square/);
    expectThrows(() => featureMoments(Matrix.zeros(2, 2), 'relu'), ArgumentError, 'ERR_ARGUMENT', /diagonal of K must be positive/);
  });
});
