import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, type Operands, gemm, gemmInto } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, combine, expectClose, multiply, random, refuses, transposed, withEntry } from '../close.js';

/** m, n, k; the last ones cross the tiles of vector kernels and of cache blocking. */
const SHAPES = [
  [3, 4, 5],
  [1, 1, 1],
  [0, 3, 2],
  [3, 0, 2],
  [3, 2, 0],
  [17, 9, 33],
  [70, 65, 129],
  [200, 20, 30], // long and thin: our own kernels still
  [165, 33, 20], // OpenBLAS
  [20, 163, 12],
] as const;
const OPERANDS: readonly Operands[] = ['NN', 'NT', 'TN', 'TT'];

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  describe.each(OPERANDS)('gemm %s', (operands) => {
    const [transposeA, transposeB] = [operands[0] === 'T', operands[1] === 'T'];
    it.each(SHAPES)('equals alpha op(A) op(B) + beta C from plain loops for m, n, k = %i, %i, %i', (m, n, k) => {
      const a = place(transposeA ? random(k, m, dtype, 1) : random(m, k, dtype, 1));
      const b = place(transposeB ? random(n, k, dtype, 2) : random(k, n, dtype, 2));
      const c = place(random(m, n, dtype, 3));
      const product = multiply(transposeA ? transposed(a) : a, transposeB ? transposed(b) : b);
      const expected = combine(1.5, product, -0.5, c);
      const tolerance = 2 * (k + 2) * epsilon;
      expectClose(gemm(a, b, { transposeA, transposeB }), product, tolerance);
      expect(gemm(a, b, { transposeA, transposeB, alpha: 1.5, beta: -0.5, out: c })).toBe(c);
      expectClose(c, expected, tolerance);
      expect(gemmInto(c, a, b, operands)).toBe(c);
      expectClose(c, product, tolerance);
    });
  });

  it('gemm does not read out when beta is 0', () => {
    const out = place(Matrix.zeros(2, 2, dtype));
    out.data.fill(NaN);
    const a = place(random(2, 3, dtype));
    expectClose(gemm(a, a, { transposeB: true, out }), multiply(a, transposed(a)), 8 * epsilon);
  });

  it('gemm carries a NaN of A into its row of the product and no other', () => {
    const b = place(random(5, 3, dtype, 2));
    const a = random(4, 5, dtype);
    const clean = gemm(a, b);
    const c = gemm(place(withEntry(a, 2, 1, NaN)), b);
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 3; j++)
        if (i === 2) expect(c.get(i, j)).toBeNaN();
        else expectClose([c.get(i, j)], [clean.get(i, j)], 8 * epsilon);
  });
});

refuses('gemm', [
  [
    'an option is misspelt',
    () => gemm(random(2, 2), random(2, 2), { transB: true } as never),
    /unknown option 'transB'; there are: transposeA/,
  ],
  [
    'the operands are no such letters',
    () => gemmInto(random(2, 2), random(2, 2), random(2, 2), 'XX' as never),
    /one of NN, NT, TN, TT; got "XX"/,
  ],
]);

describe('laws', () => {
  const size = fc.integer({ min: 0, max: 20 });
  const shapes = fc.tuple(size, size, size, size);

  it.each(DTYPES)("gemm: (AB)C = A(BC) and (AB)' = B'A' in $dtype", ({ dtype, epsilon }) => {
    fc.assert(
      fc.property(shapes, fc.nat(), ([m, k, n, p], seed) => {
        const [a, b, c] = [random(m, k, dtype, seed), random(k, n, dtype, seed + 1), random(n, p, dtype, seed + 2)];
        expectClose(gemm(gemm(a, b), c), gemm(a, gemm(b, c)), 200 * epsilon);
        expectClose(gemm(b, a, { transposeA: true, transposeB: true }), transposed(gemm(a, b)), 50 * epsilon);
      }),
      FIXED,
    );
  });
});

const [a, b] = [random(2, 3), random(3, 4, 'float64', 2)];
refuses('gemm', [
  ['the inner sizes differ', () => gemm(b, a), /gemm: 3 x 4 and 2 x 3 \(NN\) do not multiply into 3 x 3/],
  ['a transposed inner size differs', () => gemm(a, b, { transposeA: true }), /\(TN\) do not multiply/],
  ['out has another shape', () => gemm(a, b, { out: Matrix.zeros(4, 2) }), /gemm: out must be 2 x 4, got 4 x 2/],
  ['gemmInto is given an out of another shape', () => gemmInto(Matrix.zeros(4, 2), a, b), /do not multiply into 4 x 2/],
  ['operands differ in dtype', () => gemm(a, b.clone('float32')), /gemm: operands have different dtypes, float64 and float32/],
  ['out differs in dtype', () => gemm(a, b, { out: Matrix.zeros(2, 4, 'float32') }), /gemm: operands have different dtypes/],
  ['beta is not 0 and there is no out', () => gemm(a, b, { beta: 1 }), /gemm: beta other than 0 needs out/],
  [
    'out is an operand',
    () => gemm(Matrix.identity(3), b.clone(), { out: b.clone() }) && gemmInto(b, Matrix.identity(3), b),
    /gemm: out shares memory/,
  ],
  ['out overlaps an operand', () => overlapping(), /gemm: out shares memory/],
]);

function overlapping(): Matrix {
  const memory = new Float64Array(7);
  return gemm(Matrix.wrap(memory.subarray(0, 4), 2, 2), Matrix.identity(2), { out: Matrix.wrap(memory.subarray(3), 2, 2) });
}
