import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix, gemm } from '../../lib/linalg/index.js';
import { Stream } from '../../lib/random/index.js';
import { CASES, FIXED, expectClose, random } from '../close.js';

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it('signedProduct is u A with the signs that rademacher would draw, for any shape and position (property)', () => {
    const size = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(size, size, size, fc.nat(400), (n, m, d, position) => {
        const a = place(random(m, d, dtype, 7));
        const streams = [new Stream(3, 1, position), new Stream(3, 1, position)];
        const out = place(Matrix.zeros(n, d, dtype));
        expect(streams[0].signedProduct(a, out)).toBe(out);
        const signs = streams[1].rademacher(Matrix.zeros(n, m, dtype));
        expectClose(out, gemm(signs, a), 4 * (m + 1) * epsilon);
        expect(streams[0].state).toEqual(streams[1].state);
      }),
      FIXED,
    );
  });

  it('signedProduct does not depend on how rows are split over calls', () => {
    const a = random(23, 18, dtype, 7);
    const [whole, parts] = [Matrix.zeros(50, 18, dtype), Matrix.zeros(50, 18, dtype)];
    new Stream(9).signedProduct(a, whole);
    const stream = new Stream(9);
    for (const [from, to] of [
      [0, 7],
      [7, 8],
      [8, 50],
    ] as const)
      stream.signedProduct(a, Matrix.wrap(parts.data.subarray(18 * from, 18 * to), to - from, 18));
    expect(parts.data).toEqual(whole.data);
  });
});

describe.each(['float64', 'float32'] as const)('signedProduct in %s', (dtype) => {
  it.each([
    [1030, 12, 5], // rows beyond one table's
    [40, 163, 37], // more groups than have tables at a time, parts of a panel
    [9, 70, 64],
    [9, 71, 1],
    [12, 0, 3],
  ])('of %i x %i x %i is the product to rounding, and has the bits that rows alone have', (n, m, d) => {
    const a = random(m, d, dtype, 7);
    const out = new Stream(5, 0, 3).signedProduct(a, Matrix.zeros(n, d, dtype));
    expectClose(
      out,
      gemm(new Stream(5, 0, 3).rademacher(Matrix.zeros(n, m, dtype)), a),
      4 * (m + 1) * (dtype === 'float64' ? 2 ** -52 : 2 ** -23),
    );
    const stream = new Stream(5, 0, 3);
    for (let i = 0; i < Math.min(n, 20); i++)
      // one row at a time is summed without tables
      expect(stream.signedProduct(a, Matrix.zeros(1, d, dtype)).data).toEqual(out.data.slice(i * d, (i + 1) * d));
  });
});

it('signedProduct throws ArgumentError when out does not fit a, or is a, and draws nothing', () => {
  const a = random(4, 3);
  const stream = new Stream(1);
  expect(() => stream.signedProduct(a, Matrix.zeros(2, 4))).toThrow(ArgumentError);
  expect(() => stream.signedProduct(a, Matrix.zeros(2, 3, 'float32'))).toThrow(/float64.*float32|float32.*float64/);
  const square = random(3, 3);
  expect(() => stream.signedProduct(square, square)).toThrow(ArgumentError);
  expect(stream.state.position).toBe(0);
});
