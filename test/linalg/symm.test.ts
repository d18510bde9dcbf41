import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, gemm, symm } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, combine, expectClose, multiply, random, randomSymmetric, refuses, withEntry } from '../close.js';

const SHAPES = [
  [4, 7],
  [7, 4],
  [1, 1],
  [0, 3],
  [3, 0],
  [65, 33],
] as const;

/** a with NaN above the diagonal, where symm must not look. */
function lowerOnly(a: Matrix): Matrix {
  const b = a.clone();
  for (let i = 0; i < a.rows; i++) b.data.fill(NaN, i * a.cols + i + 1, (i + 1) * a.cols);
  return b;
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  describe.each(['left', 'right'] as const)('symm with A on the %s', (side) => {
    it.each(SHAPES)('equals the plain product, reading the lower triangle alone, for B %i x %i', (m, n) => {
      const order = side === 'left' ? m : n;
      const full = randomSymmetric(order, dtype);
      const a = place(lowerOnly(full));
      const b = place(random(m, n, dtype, 2));
      const c = place(random(m, n, dtype, 3));
      const product = side === 'left' ? multiply(full, b) : multiply(b, full);
      const expected = combine(1.5, product, -0.5, c);
      expectClose(symm(a, b, { side }), product, 2 * (order + 2) * epsilon);
      expect(symm(a, b, { side, alpha: 1.5, beta: -0.5, out: c })).toBe(c);
      expectClose(c, expected, 2 * (order + 2) * epsilon);
    });

    it('does not read out when beta is 0', () => {
      const a = place(randomSymmetric(3, dtype));
      const out = place(Matrix.zeros(3, 3, dtype));
      out.data.fill(NaN);
      expectClose(symm(a, place(Matrix.identity(3, dtype)), { side, out }), a, epsilon);
    });
  });

  it('symm carries a NaN of B into its column and no other', () => {
    const c = symm(place(randomSymmetric(4, dtype)), place(withEntry(random(4, 3, dtype, 2), 2, 1, NaN)));
    for (let i = 0; i < 4; i++) for (let j = 0; j < 3; j++) expect(Number.isNaN(c.get(i, j))).toBe(j === 1);
  });
});

it.each(DTYPES)('symm equals gemm for symmetric A in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(size, size, fc.nat(), (m, n, seed) => {
      const b = random(m, n, dtype, seed);
      const [left, right] = [randomSymmetric(m, dtype, seed + 1), randomSymmetric(n, dtype, seed + 2)];
      expectClose(symm(left, b), gemm(left, b), 100 * epsilon);
      expectClose(symm(right, b, { side: 'right' }), gemm(b, right), 100 * epsilon);
    }),
    FIXED,
  );
});

const [a, b] = [randomSymmetric(2), random(2, 3)];
refuses('symm', [
  ['a is not square', () => symm(b, b), /symm: a must be square, got 2 x 3/],
  ['b does not fit on the right', () => symm(a, b, { side: 'right' }), /symm: a must be 3 x 3, got 2 x 2/],
  ['b does not fit on the left', () => symm(a, random(3, 2)), /symm: a must be 3 x 3, got 2 x 2/],
  ['operands differ in dtype', () => symm(a, b.clone('float32')), /symm: operands have different dtypes/],
  ['out has another shape', () => symm(a, b, { out: Matrix.zeros(3, 2) }), /symm: out must be 2 x 3, got 3 x 2/],
  ['out differs in dtype', () => symm(a, b, { out: Matrix.zeros(2, 3, 'float32') }), /symm: operands have different dtypes/],
  ['beta is not 0 and there is no out', () => symm(a, b, { beta: 1 }), /symm: beta other than 0 needs out/],
  ['out is b', () => symm(a, b, { out: b }), /symm: out shares memory/],
]);
