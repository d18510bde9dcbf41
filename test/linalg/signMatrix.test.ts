import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix, SignMatrix } from '../../lib/linalg/index.js';
import { native } from '../../lib/native/index.js';
import { Stream } from '../../lib/random/index.js';
import { CASES, FIXED, expectClose, multiply, random, transposed } from '../close.js';

const signs = (n: number, m: number, stream = new Stream(3)): SignMatrix => stream.signs(new SignMatrix(n, m));
/** The same as numbers, drawn the other way. */
const numbers = (n: number, m: number, stream = new Stream(3)): Matrix => stream.rademacher(Matrix.zeros(n, m));

describe('SignMatrix', () => {
  it('holds what rademacher would draw, from any position, whatever it held before (property)', () => {
    const size = fc.integer({ min: 0, max: 140 });
    fc.assert(
      fc.property(size, size, fc.nat(400), (n, m, position) => {
        const streams = [new Stream(3, 1, position), new Stream(3, 1, position)];
        const u = streams[0].signs(new SignMatrix(n, m));
        expect(u.toMatrix(Matrix.zeros(n, m))).toEqual(numbers(n, m, streams[1]));
        expect(streams[0].state).toEqual(streams[1].state);
        streams[0].signs(u);
        expect(u.toMatrix(Matrix.zeros(n, m))).toEqual(numbers(n, m, streams[1]));
      }),
      FIXED,
    );
  });

  it('has an exact Gram matrix of its columns, for any shape (property)', () => {
    const size = fc.integer({ min: 0, max: 150 });
    fc.assert(
      fc.property(size, size, (n, m) => {
        const u = numbers(n, m);
        const exact = multiply(transposed(u), u);
        expect(signs(n, m).gram(Matrix.zeros(m, m))).toEqual(exact);
        expect(signs(n, m).gram(Matrix.zeros(m, m, 'float32'))).toEqual(exact.clone('float32'));
      }),
      { ...FIXED, numRuns: 30 },
    );
  });

  it('counts through more words than one pass of the widest kernel takes', () => {
    const u = numbers(1100, 9);
    expect(signs(1100, 9).gram(Matrix.zeros(9, 9))).toEqual(multiply(transposed(u), u));
  });

  it('adds its Gram matrix to what is there: alpha U U + beta C', () => {
    const [u, c] = [numbers(70, 6), random(6, 6)];
    for (let i = 0; i < 6; i++) for (let j = 0; j < i; j++) c.data[6 * j + i] = c.data[6 * i + j];
    const expected = multiply(transposed(u), u);
    for (let i = 0; i < 36; i++) expected.data[i] = 0.5 * expected.data[i] - 2 * c.data[i];
    expectClose(signs(70, 6).gram(c.clone(), 0.5, -2), expected, 2 ** -48);
    const nan = c.clone();
    nan.data.fill(NaN); // beta 0 does not read
    expect(signs(70, 6).gram(nan, 1, 0)).toEqual(multiply(transposed(u), u));
  });

  it('knows its columns anew after each filling', () => {
    const stream = new Stream(3);
    const u = new SignMatrix(65, 7);
    for (const shift of [0, 65 * 7]) {
      stream.signs(u);
      const v = numbers(65, 7, new Stream(3, 0, shift));
      expect(u.gram(Matrix.zeros(7, 7))).toEqual(multiply(transposed(v), v));
    }
  });

  it('refuses shapes and dtypes that do not fit, shared memory, and sizes that are none', () => {
    const u = signs(4, 3);
    const square = random(3, 3);
    for (const wrong of [
      () => u.times(random(4, 2), Matrix.zeros(4, 2)),
      () => u.times(random(3, 2), Matrix.zeros(3, 2)),
      () => u.times(random(3, 2), Matrix.zeros(4, 2, 'float32')),
      () => u.times(random(4, 2), Matrix.zeros(4, 2), true),
      () => signs(3, 3).times(square, square),
      () => u.gram(Matrix.zeros(4, 4)),
      () => u.toMatrix(Matrix.zeros(3, 4)),
      () => new SignMatrix(-1, 2),
      () => new SignMatrix(1.5, 2),
      () => new SignMatrix(2 ** 30, 2 ** 30),
    ])
      expect(wrong).toThrow(ArgumentError);
  });

  it('refuses bytes that would be read past the end of a table', () => {
    expect(() => {
      native.signProduct(Int32Array.of(8, 5, 3), new Uint8Array(64).fill(32), new Float64Array(15), new Float64Array(24));
    }).toThrow(/above 31/);
  });
});

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it('times is U A, and U A of the transpose, for any shape (property)', () => {
    const size = fc.integer({ min: 0, max: 90 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 0, max: 40 }), (n, m, d) => {
        const [u, v] = [signs(n, m), numbers(n, m)];
        const [a, b] = [place(random(m, d, dtype, 7)), place(random(n, d, dtype, 8))];
        const out = place(Matrix.zeros(n, d, dtype));
        expect(u.times(a, out)).toBe(out);
        expectClose(out, multiply(v, a), 4 * (m + 1) * epsilon);
        expectClose(u.times(b, place(Matrix.zeros(m, d, dtype)), true), multiply(transposed(v), b), 4 * (n + 1) * epsilon);
      }),
      FIXED,
    );
  });

  it.each([
    [1030, 12, 5], // rows beyond one table's
    [40, 163, 37], // more groups than have tables at a time, parts of a panel
    [9, 70, 64],
    [9, 71, 1],
    [12, 0, 3],
  ])('times of %i x %i by %i columns has the bits that rows alone have', (n, m, d) => {
    const a = place(random(m, d, dtype, 7));
    const out = signs(n, m).times(a, place(Matrix.zeros(n, d, dtype)));
    expectClose(out, multiply(numbers(n, m), a), 4 * (m + 1) * epsilon);
    const stream = new Stream(3);
    for (let i = 0; i < Math.min(n, 20); i++)
      // one row at a time is summed without tables
      expect(signs(1, m, stream).times(a, Matrix.zeros(1, d, dtype)).data).toEqual(out.data.slice(i * d, (i + 1) * d));
  });
});
