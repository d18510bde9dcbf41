import { describe, expect, it } from 'vitest';
import {
  ColouredRows,
  Colouring,
  Matrix,
  SignMatrix,
  denseRows,
  rowsGram,
  rowsTimes,
  symmetricFunction,
  timesRows,
} from '../../lib/linalg/index.js';
import { Stream } from '../../lib/random/index.js';
import { DTYPES, build, expectClose, multiply, random, randomPositive, transposed } from '../close.js';

const [N, D] = [37, 12];

interface Kind {
  readonly title: string;
  readonly covariance: Matrix;
  readonly diagonal: boolean;
}
const KINDS: readonly Kind[] = [
  { title: 'of any root', covariance: randomPositive(D), diagonal: false },
  { title: 'of a diagonal root', covariance: build(D, D, (i, j) => (i === j ? 1 / (1 + i) : 0)), diagonal: true },
];

const power =
  ({ covariance }: Kind) =>
  (exponent: number): Matrix =>
    symmetricFunction(covariance, (x) => x ** exponent);
/** As a colouring takes it. */
const given =
  (kind: Kind) =>
  (exponent: number): Matrix => {
    const whole = power(kind)(exponent);
    return kind.diagonal ? Matrix.from([Array.from({ length: D }, (_, i) => whole.get(i, i))]) : whole;
  };

describe.each(DTYPES)('in $dtype', ({ dtype, epsilon }) => {
  describe.each(KINDS)('rows $title', (kind) => {
    describe.each(['signs', 'normals'] as const)('and %s', (drawn) => {
      const colouring = new Colouring({ dimension: D, dtype, diagonal: kind.diagonal, invertible: true, power: given(kind) });
      const stream = new Stream(5);
      const x = new ColouredRows(drawn === 'signs' ? new SignMatrix(N, D) : Matrix.zeros(N, D, dtype), colouring);
      x.refill((white) => void (white instanceof SignMatrix ? stream.signs(white) : stream.normal(white)));
      const white =
        drawn === 'signs' ? new Stream(5).rademacher(Matrix.zeros(N, D, dtype)) : new Stream(5).normal(Matrix.zeros(N, D, dtype));
      const dense = multiply(white, power(kind)(1 / 2));
      const close = 100 * epsilon;

      it('are the product when multiplied out, once', () => {
        expect(denseRows(x)).toBe(x.matrix);
        expectClose(x.matrix, dense, close);
        expect(denseRows(dense)).toBe(dense);
      });

      it('X W has the value of the product, added to what is there', () => {
        const w = random(4, D, dtype, 2);
        const expected = multiply(dense, transposed(w));
        expectClose(rowsTimes(Matrix.zeros(N, 4, dtype), x, w), expected, close);
        const held = random(N, 4, dtype, 3);
        const sum = build(N, 4, (i, j) => expected.get(i, j) - 2 * held.get(i, j));
        expectClose(rowsTimes(held, x, w, -2), sum, close);
      });

      it('G X has the value of the product', () => {
        const g = random(N, 3, dtype, 4);
        expectClose(timesRows(Matrix.zeros(3, D, dtype), g, x), multiply(transposed(g), dense), N * close);
      });

      it('X X has the value of the product, symmetric to the bit, and of the white rows', () => {
        const gram = multiply(transposed(dense), dense);
        const out = rowsGram(Matrix.zeros(D, D, dtype), x, 1 / N);
        expectClose(
          out,
          build(D, D, (i, j) => gram.get(i, j) / N),
          close,
        );
        expect(transposed(out).data).toEqual(Float64Array.from(out.data));
        const held = randomPositive(D, dtype, 6);
        const sum = build(D, D, (i, j) => gram.get(i, j) / N + 3 * held.get(i, j));
        expectClose(rowsGram(held, x, 1 / N, 3), sum, close);
        expectClose(x.whiteGram(Matrix.zeros(D, D, dtype)), multiply(transposed(white), white), N * close);
      });

      it('are others after they are drawn anew', () => {
        const y = new ColouredRows(drawn === 'signs' ? new SignMatrix(2, D) : Matrix.zeros(2, D, dtype), colouring);
        const own = new Stream(9);
        const draw = (): Matrix => {
          y.refill((u) => void (u instanceof SignMatrix ? own.signs(u) : own.normal(u)));
          return y.matrix.clone();
        };
        expect(draw()).not.toEqual(draw());
      });
    });

    it('a colouring undoes itself, and its precision is the inverse of the covariance', () => {
      const colouring = new Colouring({ dimension: D, dtype, diagonal: kind.diagonal, invertible: true, power: given(kind) });
      const w = random(3, D, dtype, 2);
      const there = colouring.colour(w, Matrix.zeros(3, D, dtype));
      expectClose(there, multiply(w, power(kind)(1 / 2)), 50 * epsilon);
      expectClose(colouring.whiten(there, Matrix.zeros(3, D, dtype)), w, 1000 * epsilon);
      expectClose(multiply(colouring.precision, kind.covariance), Matrix.identity(D), 1000 * epsilon);
    });
  });
});

it('the white form of a product is handed over once, and only while the product is what it was', () => {
  const kind = KINDS[0];
  const colouring = new Colouring({ dimension: D, dtype: 'float64', diagonal: false, invertible: true, power: given(kind) });
  const x = new ColouredRows(new SignMatrix(N, D), colouring);
  x.refill((white) => void (white instanceof SignMatrix && new Stream(5).signs(white)));
  const white = new Stream(5).rademacher(Matrix.zeros(N, D));
  const g = random(N, 3, 'float64', 4);
  const [product, other] = [Matrix.zeros(3, D), Matrix.zeros(3, D)];
  timesRows(product, g, x);
  expectClose(x.takeWhite(product)!, multiply(transposed(white), g), 1e-12);
  expect(x.takeWhite(product)).toBeNull();

  timesRows(product, g, x);
  expect(x.takeWhite(other)).toBeNull();
  timesRows(product, g, x);
  product.data[5] *= -1; // as decay, clipping or a sign would
  expect(x.takeWhite(product)).toBeNull();
  timesRows(product, g, x);
  rowsTimes(Matrix.zeros(N, 3), x, product); // wants the same scratch
  expect(x.takeWhite(product)).toBeNull();
  timesRows(product, g, x);
  x.refill(() => undefined);
  expect(x.takeWhite(product)).toBeNull();
});

it('rows that do not fit their colouring are refused', () => {
  const colouring = new Colouring({ dimension: D, dtype: 'float64', diagonal: false, invertible: true, power: given(KINDS[0]) });
  expect(() => new ColouredRows(new SignMatrix(N, D + 1), colouring)).toThrow(/rows have 13 entries, the colouring is of dimension 12/);
  expect(() => new ColouredRows(Matrix.zeros(N, D, 'float32'), colouring)).toThrow(/rows are float32, the colouring is float64/);
});
