import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, gemm, syrk, syrkInto } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, combine, expectClose, multiply, random, randomSymmetric, refuses, transposed, withEntry } from '../close.js';

const SHAPES = [
  [4, 7],
  [7, 4],
  [1, 1],
  [0, 3],
  [3, 0],
  [37, 65],
  [130, 9],
  [163, 20], // OpenBLAS; the others run on our own kernels
] as const;

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  describe.each([false, true])('syrk with transpose %s', (transpose) => {
    it.each(SHAPES)("equals alpha A A' + beta C from plain loops for n, k = %i, %i", (n, k) => {
      const a = place(transpose ? random(k, n, dtype) : random(n, k, dtype));
      const c = place(randomSymmetric(n, dtype, 2));
      const product = transpose ? multiply(transposed(a), a) : multiply(a, transposed(a));
      const expected = combine(1.5, product, -0.5, c);
      expectClose(syrk(a, { transpose }), product, 2 * (k + 2) * epsilon);
      expect(syrk(a, { transpose, alpha: 1.5, beta: -0.5, out: c })).toBe(c);
      expectClose(c, expected, 2 * (k + 2) * epsilon);
      expect(syrkInto(c, a, transpose)).toBe(c);
      expectClose(c, product, 2 * (k + 2) * epsilon);
    });

    it('returns a matrix symmetric to the bit', () => {
      const c = syrk(place(random(33, 21, dtype)), { transpose });
      expect(transposed(c).data).toEqual(c.clone('float64').data);
    });
  });

  it('syrk does not read out when beta is 0, and of out only the lower triangle otherwise', () => {
    const a = place(random(3, 5, dtype));
    const out = place(Matrix.zeros(3, 3, dtype));
    out.data.fill(NaN);
    const product = multiply(a, transposed(a));
    expectClose(syrk(a, { out }), product, 16 * epsilon);
    out.data[1] = out.data[2] = out.data[5] = NaN;
    expectClose(syrk(a, { out, beta: 1 }), combine(2, product, 0, product), 32 * epsilon);
  });

  it('syrk carries a NaN of A into its row and column and no other', () => {
    const c = syrk(place(withEntry(random(4, 5, dtype), 2, 1, NaN)));
    for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) expect(Number.isNaN(c.get(i, j))).toBe(i === 2 || j === 2);
  });
});

it.each(DTYPES)('syrk equals gemm of A with its transpose in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(size, size, fc.nat(), fc.boolean(), (m, n, seed, transpose) => {
      const a = random(m, n, dtype, seed);
      expectClose(syrk(a, { transpose }), gemm(a, a, transpose ? { transposeA: true } : { transposeB: true }), 100 * epsilon);
    }),
    FIXED,
  );
});

const a = random(2, 3);
refuses('syrk', [
  ['out has another shape', () => syrk(a, { out: Matrix.zeros(3, 3) }), /syrk: out must be 2 x 2, got 3 x 3/],
  ['syrkInto is given an out of another shape', () => syrkInto(Matrix.zeros(2, 2), a, true), /syrk: out must be 3 x 3, got 2 x 2/],
  ['out differs in dtype', () => syrk(a, { out: Matrix.zeros(2, 2, 'float32') }), /syrk: operands have different dtypes/],
  ['syrkInto is given another dtype', () => syrkInto(Matrix.zeros(2, 2, 'float32'), a, false), /syrk: operands have different dtypes/],
  ['beta is not 0 and there is no out', () => syrk(a, { beta: 1 }), /syrk: beta other than 0 needs out/],
  ['out is the operand', () => syrkInto(Matrix.wrap(a.data.subarray(0, 4), 2, 2), a, false), /syrk: out shares memory/],
]);
