import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, gemm, gemv } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, combine, expectClose, multiply, random, refuses, transposed, withEntry } from '../close.js';

const SHAPES = [
  [4, 7],
  [7, 4],
  [1, 1],
  [0, 3],
  [3, 0],
  [65, 130],
] as const;

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  describe.each([false, true])('gemv with transpose %s', (transpose) => {
    it.each(SHAPES)('equals alpha op(A) x + beta y from plain loops for A %i x %i', (m, n) => {
      const [inner, outer] = transpose ? [m, n] : [n, m];
      const a = place(random(m, n, dtype));
      const x = place(random(inner, 1, dtype, 2));
      const y = place(random(outer, 1, dtype, 3));
      const product = multiply(transpose ? transposed(a) : a, x);
      const expected = combine(1.5, product, -0.5, y);
      expectClose(gemv(a, x, { transpose }), product, 2 * (inner + 2) * epsilon);
      expect(gemv(a, x, { transpose, alpha: 1.5, beta: -0.5, out: y })).toBe(y);
      expectClose(y, expected, 2 * (inner + 2) * epsilon);
    });

    it.each([3, 0])('does not read out when beta is 0, summing over %i', (inner) => {
      const [m, n] = transpose ? [inner, 2] : [2, inner];
      const [a, x] = [random(m, n, dtype), random(inner, 1, dtype, 2)];
      const out = place(Matrix.zeros(2, 1, dtype));
      out.data.fill(NaN);
      expectClose(gemv(a, x, { transpose, out }), multiply(transpose ? transposed(a) : a, x), 8 * epsilon);
    });
  });

  it('gemv carries a NaN of A into its own row', () => {
    const y = gemv(place(withEntry(random(4, 3, dtype), 2, 1, NaN)), place(random(3, 1, dtype, 2)));
    expect(Array.from(y.data, Number.isNaN)).toEqual([false, false, true, false]);
  });
});

it.each(DTYPES)('gemv equals gemm with a single column in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 60 });
  fc.assert(
    fc.property(size, size, fc.nat(), fc.boolean(), (m, n, seed, transpose) => {
      const a = random(m, n, dtype, seed);
      const x = random(transpose ? m : n, 1, dtype, seed + 1);
      expectClose(gemv(a, x, { transpose }), gemm(a, x, { transposeA: transpose }), 200 * epsilon);
    }),
    FIXED,
  );
});

const [a, x] = [random(2, 3), random(3, 1)];
refuses('gemv', [
  ['x has another length', () => gemv(a, random(2, 1)), /gemv: x must be 3 x 1, got 2 x 1/],
  ['x has another length than the transpose needs', () => gemv(a, x, { transpose: true }), /gemv: x must be 2 x 1, got 3 x 1/],
  ['x is a row', () => gemv(a, random(1, 3)), /gemv: x must be 3 x 1, got 1 x 3/],
  ['operands differ in dtype', () => gemv(a, x.clone('float32')), /gemv: operands have different dtypes/],
  ['out has another shape', () => gemv(a, x, { out: Matrix.zeros(3, 1) }), /gemv: out must be 2 x 1, got 3 x 1/],
  ['out differs in dtype', () => gemv(a, x, { out: Matrix.zeros(2, 1, 'float32') }), /gemv: operands have different dtypes/],
  ['beta is not 0 and there is no out', () => gemv(a, x, { beta: 1 }), /gemv: beta other than 0 needs out/],
  ['out is x', () => gemv(Matrix.identity(3), x, { out: x }), /gemv: out shares memory/],
]);
