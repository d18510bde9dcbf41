import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dtype, Matrix, addToDiagonal, trsm, type TrsmOptions } from '../../lib/linalg/index.js';
import {
  CASES,
  DTYPES,
  FIXED,
  build,
  combine,
  expectClose,
  multiply,
  random,
  refuses,
  transposed,
  triangleOf,
  withEntry,
} from '../close.js';

const SHAPES = [
  [4, 7],
  [7, 4],
  [1, 1],
  [0, 3],
  [3, 0],
  [65, 33],
] as const;
const booleans = [false, true];
const WAYS = (['left', 'right'] as const).flatMap((side) =>
  (['lower', 'upper'] as const).flatMap((triangle) =>
    booleans.flatMap((transpose) => booleans.map((unit) => ({ side, triangle, transpose, unit }))),
  ),
);

/** Well-conditioned triangles in both halves: small entries beside a diagonal of about 2. */
function triangles(n: number, dtype: Dtype, seed = 1): Matrix {
  const a = random(n, n, dtype, seed);
  for (let i = 0; i < a.data.length; i++) a.data[i] *= 0.5 / Math.max(1, n);
  return addToDiagonal(a, 2);
}

/** op(A) as a full matrix. */
function operand(a: Matrix, { triangle, transpose, unit }: Required<Pick<TrsmOptions, 'triangle' | 'transpose' | 'unit'>>): Matrix {
  const t = triangleOf(a, triangle);
  const u = unit ? build(a.rows, a.cols, (i, j) => (i === j ? 1 : t.get(i, j))) : t;
  return transpose ? transposed(u) : u;
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  describe.each(WAYS)('trsm with $side $triangle, transpose $transpose, unit $unit', (way) => {
    it.each(SHAPES)('solves to a residual of rounding size for B %i x %i', (m, n) => {
      const a = place(triangles(way.side === 'left' ? m : n, dtype));
      const b = place(random(m, n, dtype, 2));
      const before = b.clone();
      const x = trsm(a, b, { ...way, alpha: 1.5 });
      const t = operand(a, way);
      expectClose(way.side === 'left' ? multiply(t, x) : multiply(x, t), combine(1.5, b, 0, b), 40 * epsilon);
      expect(b.data).toEqual(before.data);
      const inPlace = trsm(a, b, { ...way, alpha: 1.5, out: b });
      expect(inPlace).toBe(b);
      expect(b.data).toEqual(x.data);
    });
  });

  it('trsm reads neither the other triangle nor a unit diagonal', () => {
    const a = place(triangles(3, dtype));
    const b = place(random(3, 2, dtype, 2));
    const x = trsm(a, b, { unit: true });
    for (const at of [0, 1, 2, 4, 5, 8]) a.data[at] = NaN;
    expect(trsm(a, b, { unit: true }).data).toEqual(x.data);
  });

  it('trsm returns infinity for a zero on the diagonal', () => {
    expect(trsm(Matrix.from([[0]], dtype), Matrix.from([[2]], dtype)).data).toEqual(Matrix.from([[Infinity]], dtype).data);
  });

  it('trsm carries a NaN of B to the rows that depend on it and to no other column', () => {
    const x = trsm(place(triangles(4, dtype)), place(withEntry(random(4, 3, dtype), 2, 1, NaN)));
    expect([x.get(2, 1), x.get(3, 1)]).toEqual([NaN, NaN]);
    for (let i = 0; i < 4; i++) expect([x.get(i, 0), x.get(i, 2)].every(Number.isFinite)).toBe(true);
  });
});

it.each(DTYPES)('trsm undoes multiplication by a triangle in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 30 });
  fc.assert(
    fc.property(size, size, fc.nat(), fc.constantFrom(...WAYS), (m, n, seed, way) => {
      const a = triangles(way.side === 'left' ? m : n, dtype, seed);
      const x = random(m, n, dtype, seed + 1);
      const t = operand(a, way);
      const b = (way.side === 'left' ? multiply(t, x) : multiply(x, t)).clone(dtype);
      expectClose(trsm(a, b, way), x, 100 * epsilon);
    }),
    FIXED,
  );
});

const [a, b] = [triangles(2, 'float64'), random(2, 3)];
refuses('trsm', [
  ['a is not square', () => trsm(b, b), /trsm: a must be square, got 2 x 3/],
  ['b does not fit on the left', () => trsm(a, random(3, 2)), /trsm: a must be 3 x 3, got 2 x 2/],
  ['b does not fit on the right', () => trsm(a, b, { side: 'right' }), /trsm: a must be 3 x 3, got 2 x 2/],
  ['operands differ in dtype', () => trsm(a, b.clone('float32')), /trsm: operands have different dtypes/],
  ['out has another shape', () => trsm(a, b, { out: Matrix.zeros(3, 2) }), /trsm: out must be 2 x 3, got 3 x 2/],
  ['out differs in dtype', () => trsm(a, b, { out: Matrix.zeros(2, 3, 'float32') }), /trsm: operands have different dtypes/],
  ['out is a', () => trsm(a, a, { out: a }), /trsm: out shares memory/],
]);
