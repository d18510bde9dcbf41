import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix, gemm } from '../../lib/linalg/index.js';
import { SignTable, Stream } from '../../lib/random/index.js';
import { CASES, FIXED, expectClose, random } from '../close.js';

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it('signedProduct is u A with the signs that rademacher would draw, for any shape and position (property)', () => {
    const size = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(size, size, size, fc.nat(400), (n, m, d, position) => {
        const a = place(random(m, d, dtype, 7));
        const streams = [new Stream(3, 1, position), new Stream(3, 1, position)];
        const out = place(Matrix.zeros(n, d, dtype));
        expect(streams[0].signedProduct(new SignTable(a), out)).toBe(out);
        const signs = streams[1].rademacher(Matrix.zeros(n, m, dtype));
        expectClose(out, gemm(signs, a), 4 * (m + 1) * epsilon);
        expect(streams[0].state).toEqual(streams[1].state);
      }),
      FIXED,
    );
  });

  it('signedProduct does not depend on how rows are split over calls', () => {
    const table = new SignTable(random(23, 18, dtype, 7));
    const [whole, parts] = [Matrix.zeros(50, 18, dtype), Matrix.zeros(50, 18, dtype)];
    new Stream(9).signedProduct(table, whole);
    const stream = new Stream(9);
    for (const [from, to] of [
      [0, 7],
      [7, 8],
      [8, 50],
    ] as const)
      stream.signedProduct(table, Matrix.wrap(parts.data.subarray(18 * from, 18 * to), to - from, 18));
    expect(parts.data).toEqual(whole.data);
  });
});

it('SignTable pays while it fits the second-level cache', () => {
  expect(SignTable.pays(Matrix.zeros(100, 100))).toBe(true);
  expect(SignTable.pays(Matrix.zeros(500, 500))).toBe(false);
});

it('signedProduct throws ArgumentError when out does not fit the table, and draws nothing', () => {
  const table = new SignTable(random(4, 3));
  const stream = new Stream(1);
  expect(() => stream.signedProduct(table, Matrix.zeros(2, 4))).toThrow(ArgumentError);
  expect(() => stream.signedProduct(table, Matrix.zeros(2, 3, 'float32'))).toThrow(/3 columns of float64, got 3 of float32/);
  expect(stream.state.position).toBe(0);
});
