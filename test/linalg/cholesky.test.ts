import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { type Dtype, Matrix, cholesky, choleskySolve, gemm, transpose } from '../../lib/linalg/index.js';
import {
  CASES,
  DTYPES,
  FIXED,
  build,
  expectClose,
  expectThrows,
  multiply,
  random,
  randomPositive,
  refuses,
  transposed,
  withEntry,
} from '../close.js';

const ORDERS = [4, 1, 0, 33, 150] as const;

/** Cholesky-Banachiewicz, row by row. */
function reference(a: Matrix): Matrix {
  const l = Matrix.zeros(a.rows, a.rows);
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j <= i; j++) {
      let rest = a.get(i, j);
      for (let p = 0; p < j; p++) rest -= l.get(i, p) * l.get(j, p);
      l.data[i * a.rows + j] = i === j ? Math.sqrt(rest) : rest / l.get(j, j);
    }
  return l;
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(ORDERS)('cholesky equals the row-by-row factor for n = %i, and reads the lower triangle alone', (n) => {
    const full = randomPositive(n);
    const a = place(build(n, n, (i, j) => (j > i ? NaN : full.get(i, j))).clone(dtype));
    const before = a.clone();
    const l = cholesky(a);
    expectClose(l, reference(a), 20 * (n + 1) * epsilon);
    expect(a.data).toEqual(before.data);
    const out = place(Matrix.zeros(n, n, dtype));
    expect(cholesky(a, out)).toBe(out);
    expectClose(out, l, 0);
    expect(cholesky(a, a)).toBe(a);
    expectClose(a, l, 0);
  });

  it.each([
    [5, 3],
    [3, 5],
    [1, 1],
    [0, 2],
    [2, 0],
    [150, 17],
  ])('choleskySolve solves on either side for n = %i and %i right-hand sides', (n, m) => {
    const a = randomPositive(n, dtype);
    const l = place(cholesky(a));
    const tolerance = 20 * (n + 1) * epsilon;
    const left = place(random(n, m, dtype, 2));
    const right = place(random(m, n, dtype, 3));
    const x = choleskySolve(l, left);
    const y = choleskySolve(l, right, 'right');
    expectClose(multiply(a, x), left.clone('float64'), tolerance);
    expectClose(multiply(y, a), right.clone('float64'), tolerance);
    expect(choleskySolve(l, left, 'left', left)).toBe(left);
    expect(choleskySolve(l, right, 'right', right)).toBe(right);
    expectClose(left, x, 0);
    expectClose(right, y, 0);
  });

  it.each([
    [1, Matrix.from([[0]])],
    [
      2,
      Matrix.from([
        [1, 0],
        [2, 1],
      ]),
    ],
    [3, withEntry(Matrix.identity(4), 2, 2, -1)],
    [120, withEntry(Matrix.identity(150), 119, 119, -1)],
  ])('cholesky throws NumericalError naming minor %i when a is indefinite', (minor, a) => {
    const message = new RegExp(`cholesky: the leading minor of order ${minor} of ${a.rows} is not positive definite; add damping`);
    expectThrows(() => cholesky(place(a.clone(dtype))), NumericalError, 'NOT_POSITIVE_DEFINITE', message);
  });

  it('cholesky throws NumericalError when the lower triangle holds a NaN anywhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 260 }), fc.nat(), fc.nat(), (n, row, col) => {
        const [i, j] = [row % n, col % ((row % n) + 1)];
        const a = withEntry(Matrix.identity(n, dtype), i, j, NaN);
        const message = new RegExp(`leading minor of order ${i + 1} of ${n} is .* check for NaN`);
        expectThrows(() => cholesky(a), NumericalError, 'NOT_POSITIVE_DEFINITE', message);
      }),
      FIXED,
    );
  });

  it('choleskySolve carries a NaN of b into its own column', () => {
    const x = choleskySolve(cholesky(randomPositive(4, dtype)), place(withEntry(random(4, 3, dtype), 2, 1, NaN)));
    for (let i = 0; i < 4; i++) for (let j = 0; j < 3; j++) expect(Number.isNaN(x.get(i, j))).toBe(j === 1);
  });
});

it.each(DTYPES)('choleskySolve on the right is the transpose of the left, and undoes a product, in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 30 });
  fc.assert(
    fc.property(size, size, fc.nat(), (n, m, seed) => {
      const a = randomPositive(n, dtype, seed);
      const l = cholesky(a);
      const x = random(n, m, dtype, seed + 1);
      expectClose(gemm(l, l, { transposeB: true }), a, 50 * epsilon);
      expectClose(choleskySolve(l, gemm(a, x)), x, 1000 * epsilon);
      expectClose(choleskySolve(l, transpose(x), 'right'), transposed(choleskySolve(l, x)), 1000 * epsilon);
    }),
    FIXED,
  );
});

const wide = random(2, 3);
const [square, single]: Matrix[] = (['float64', 'float32'] as Dtype[]).map((dtype) => Matrix.identity(2, dtype));
refuses('cholesky', [
  ['a is not square', () => cholesky(wide), /cholesky: a must be square, got 2 x 3/],
  ['out has another shape', () => cholesky(square, Matrix.zeros(3, 3)), /cholesky: out must be 2 x 2, got 3 x 3/],
  ['out differs in dtype', () => cholesky(square, single), /cholesky: operands have different dtypes/],
  ['out overlaps a without being a', () => cholesky(square, Matrix.wrap(square.data, 2, 2)), /cholesky: out shares memory/],
]);
refuses('choleskySolve', [
  ['l is not square', () => choleskySolve(wide, wide), /choleskySolve: l must be square, got 2 x 3/],
  ['b does not fit on the left', () => choleskySolve(square, random(3, 2)), /choleskySolve: b must be 2 x 2, got 3 x 2/],
  ['b does not fit on the right', () => choleskySolve(square, wide, 'right'), /choleskySolve: b must be 2 x 2, got 2 x 3/],
  ['operands differ in dtype', () => choleskySolve(single, wide), /choleskySolve: operands have different dtypes/],
  ['out has another shape', () => choleskySolve(square, wide, 'left', square), /choleskySolve: out must be 2 x 3/],
  ['out is l', () => choleskySolve(square, square.clone(), 'left', square), /choleskySolve: out shares memory/],
]);
