/** Orders around every boundary of native/cholesky.h: diagonal blocks of 32, splits in sixteens, LAPACK up to 64, tiles of unknowns. */
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, cholesky, choleskySolve, dampedSolve, lu, luSolve } from '../../lib/linalg/index.js';
import {
  CASES,
  DTYPES,
  build,
  combine,
  expectClose,
  expectThrows,
  multiply,
  random,
  randomPositive,
  sumOver,
  transposed,
  withEntry,
} from '../close.js';

const ORDERS = [1, 31, 32, 33, 48, 49, 63, 64, 65, 80, 95, 96, 97, 100, 112, 113, 127, 128, 129, 130, 200, 257] as const;
const COLUMNS = [0, 1, 3, 8, 9, 16, 17, 31, 33, 64, 65, 300] as const;
const SIDES = ['left', 'right'] as const;
const CODE = 'NOT_POSITIVE_DEFINITE';
const DAMPING = 0.25;

/** One matrix an order, and its factor by plain loops, for every case. */
const known = new Map(ORDERS.map((n) => [n as number, ((a) => ({ a, l: factorOf(a) }))(randomPositive(n))]));

/** Cholesky-Banachiewicz, row by row. */
function factorOf(a: Matrix): Matrix {
  const l = Matrix.zeros(a.rows, a.rows);
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j <= i; j++) {
      let rest = a.get(i, j);
      for (let p = 0; p < j; p++) rest -= l.get(i, p) * l.get(j, p);
      l.data[i * a.rows + j] = i === j ? Math.sqrt(rest) : rest / l.get(j, j);
    }
  return l;
}

/** L' \ (L \ B), column by column. */
function substituted(l: Matrix, b: Matrix): Matrix {
  const [n, x] = [l.rows, b.clone('float64')];
  const eliminate = (i: number, from: number, to: number, entry: (p: number) => number): void => {
    for (let j = 0; j < b.cols; j++) {
      let rest = x.data[i * b.cols + j];
      for (let p = from; p < to; p++) rest -= entry(p) * x.data[p * b.cols + j];
      x.data[i * b.cols + j] = rest / l.data[i * n + i];
    }
  };
  for (let i = 0; i < n; i++) eliminate(i, 0, i, (p) => l.data[i * n + p]);
  for (let i = n - 1; i >= 0; i--) eliminate(i, i + 1, n, (p) => l.data[p * n + i]);
  return x;
}

/** exp(-((i - j) / width)^2 / 2) + ridge I: neighbours are alike, so even the blocks on the diagonal are ill-conditioned. */
const smoothKernel = (n: number, ridge: number): Matrix =>
  build(n, n, (i, j) => Math.exp(-(((i - j) / 3) ** 2) / 2) + (i === j ? ridge : 0));

const frobenius = (x: Matrix): number => Math.sqrt(sumOver(x.data, (value) => value * value));
const onSide = (side: (typeof SIDES)[number], x: Matrix): Matrix => (side === 'left' ? x : transposed(x));

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(ORDERS)('cholesky equals the row-by-row factor for n = %i, zero above the diagonal, whatever stands there before', (n) => {
    const { a, l } = known.get(n)!;
    const lower = place(build(n, n, (i, j) => (j > i ? NaN : a.get(i, j))).clone(dtype));
    expectClose(cholesky(lower, place(Matrix.zeros(n, n, dtype))), l, 4 * (n + 1) * epsilon);
    expect(cholesky(lower, lower)).toBe(lower);
    expectClose(lower, l, 4 * (n + 1) * epsilon);
    expect(lower.data.every((value, k) => k % n <= Math.floor(k / n) || value === 0)).toBe(true);
  });

  it.each(ORDERS)('choleskySolve and dampedSolve equal substitution by plain loops for n = %i, on either side', (n) => {
    const { a, l } = known.get(n)!;
    const factor = place(build(n, n, (i, j) => (j > i ? NaN : l.get(i, j))).clone(dtype)); // above the diagonal nothing is read
    const undamped = combine(1, a, -DAMPING, Matrix.identity(n));
    const upper = place(build(n, n, (i, j) => (j < i ? NaN : undamped.get(i, j))).clone(dtype)); // nor below it
    const before = [factor.clone(), upper.clone()];
    const b = random(n, Math.max(...COLUMNS), dtype, 2);
    const all = substituted(l, b);
    for (const m of COLUMNS)
      for (const side of SIDES) {
        const taken = (from: Matrix): Matrix =>
          onSide(
            side,
            build(n, m, (i, j) => from.get(i, j)),
          );
        const [x, y] = [place(taken(b).clone(dtype)), place(taken(b).clone(dtype))];
        expect(choleskySolve(factor, x, side, x)).toBe(x);
        expect(dampedSolve(upper, DAMPING, y, side, place(Matrix.zeros(n, n, dtype)))).toBe(y);
        expectClose(x, taken(all), 20 * (n + 1) * epsilon);
        expectClose(y, taken(all), 20 * (n + 1) * epsilon);
      }
    expectClose(factor, before[0], 0);
    expectClose(upper, before[1], 0);
  });
});

describe.each(DTYPES)('in $dtype', ({ dtype, epsilon }) => {
  it.each([33, 64, 65, 100, 130, 200])(
    'the failing minor is named at every position for n = %i, and a pivot just above zero is none',
    (n) => {
      const a = randomPositive(n);
      const l = factorOf(a);
      for (let p = 0; p < n; p++) {
        // The last pivot of the minor of order p + 1, squared, is moved to either side of zero: an update left out would show.
        const shifted = (square: number): Matrix => withEntry(a, p, p, a.get(p, p) - l.get(p, p) ** 2 + square).clone(dtype);
        const x = random(n, 1, dtype);
        const message = new RegExp(`the leading minor of order ${p + 1} of ${n} is not positive definite`);
        const work = Matrix.zeros(n, n, dtype);
        expectThrows(() => cholesky(shifted(-0.01)), NumericalError, CODE, message);
        expectThrows(() => dampedSolve(shifted(-0.01), 0, x, 'left', work), NumericalError, CODE, message);
        expect(Math.abs(cholesky(withIdentityAfter(shifted(0.01), p)).get(p, p) - 0.1)).toBeLessThan(1e-3);
      }
    },
  );

  it.each([100, 257])('dampedSolve of order %i refuses a matrix of lower rank, whose last pivots are noise', (n) => {
    const thin = random(n, n - 40, dtype);
    const a = multiply(thin, transposed(thin)).clone(dtype);
    const minor = new RegExp(`minor of order (${Array.from({ length: 40 }, (_, k) => n - k).join('|')}) of ${n}`);
    expectThrows(() => dampedSolve(a, 0, random(n, 20, dtype), 'left', Matrix.zeros(n, n, dtype)), NumericalError, CODE, minor);
  });

  it.each([33, 100, 257])('dampedSolve of order %i refuses a positive pivot within the rounding error of its diagonal entry', (n) => {
    for (const p of [1, 31, 32, n - 1]) {
      // Rows 0 and p agree but for a[p][p] = 1 + excess, so that the pivot squared is the excess, exactly.
      const nearly = (excess: number): Matrix =>
        build(n, n, (i, j) => (i === j ? 1 + (i === p ? excess : 0) : +(i + j === p && i * j === 0))).clone(dtype);
      const solved = (a: Matrix): Matrix => dampedSolve(a, 0, random(n, 2, dtype), 'left', Matrix.zeros(n, n, dtype));
      expectThrows(() => solved(nearly(epsilon)), NumericalError, CODE, new RegExp(`minor of order ${p + 1} of ${n}`));
      expect(solved(nearly(4 * n * epsilon)).data.every(Number.isFinite)).toBe(true);
      expect(cholesky(nearly(epsilon)).get(p, p)).toBeGreaterThan(0);
    }
  });

  const condition = dtype === 'float64' ? 1e10 : 1e5;
  it.each([64, 130, 257])(`the residual for a smooth kernel of order %i and condition ${condition} is at most 3 times that of LU`, (n) => {
    const a = smoothKernel(n, 7.5 / condition).clone(dtype);
    const [l, factors] = [cholesky(a), lu(a)];
    const unrelated = random(n, 64, dtype, 5);
    for (const b of [unrelated, multiply(a, unrelated).clone(dtype)]) {
      const residual = (x: Matrix): number => frobenius(combine(1, multiply(a, x), -1, b));
      const bound = 3 * residual(luSolve(factors, b));
      for (const side of SIDES) {
        const x = onSide(side, b).clone(dtype);
        expect(residual(onSide(side, choleskySolve(l, x, side)))).toBeLessThan(bound);
        expect(residual(onSide(side, dampedSolve(a, 0, x, side, Matrix.zeros(n, n, dtype))))).toBeLessThan(bound);
      }
    }
    expect(frobenius(combine(1, multiply(l, transposed(l)), -1, a))).toBeLessThan(3 * n * epsilon);
  });

  it('a NaN anywhere in the triangle that is read makes cholesky and dampedSolve name its row', () => {
    const n = 200;
    for (const i of [0, 15, 16, 31, 32, 63, 64, 95, 96, 111, 112, 127, 128, 198, 199])
      for (const j of [0, i >> 1, Math.max(0, i - 1), i]) {
        const message = new RegExp(`minor of order ${i + 1} of ${n} .* check for NaN`);
        const a = withEntry(withEntry(Matrix.identity(n, dtype), i, j, NaN), j, i, NaN);
        expectThrows(() => cholesky(a), NumericalError, CODE, message);
        expectThrows(() => dampedSolve(a, 1, random(n, 1, dtype), 'left', Matrix.zeros(n, n, dtype)), NumericalError, CODE, message);
      }
  });

  it.each([3, 64, 150])('a NaN of b stays in its own one of %i right-hand sides, and one in l returns', (m) => {
    const n = 100;
    const l = cholesky(randomPositive(n, dtype));
    for (const side of SIDES) {
      const b = random(n, m, dtype);
      const x = onSide(side, choleskySolve(l, onSide(side, withEntry(b, 70, 1, NaN)).clone(dtype), side));
      expect(x.data.every((value, k) => Number.isNaN(value) === (k % m === 1))).toBe(true);
      const lost = choleskySolve(withEntry(l, 50, 40, NaN), onSide(side, b).clone(dtype), side);
      expect(lost.data.every(Number.isNaN)).toBe(true);
    }
  });

  it.each([3, 64])('a zero on the diagonal of l leaves none of %i solutions finite', (m) => {
    for (const p of [0, 31, 32, 70, 99]) {
      const l = withEntry(cholesky(randomPositive(100, dtype)), p, p, 0);
      for (const side of SIDES) {
        const x = onSide(side, choleskySolve(l, onSide(side, random(100, m, dtype)).clone(dtype), side));
        for (let j = 0; j < m; j++) expect(Number.isFinite(x.get(p, j))).toBe(false);
      }
    }
  });

  it.each([100, 257])('repeated calls of order %i give the same bits', (n) => {
    const [a, b] = [randomPositive(n, dtype), random(n, 70, dtype)];
    const once = choleskySolve(cholesky(a), b);
    for (let k = 0; k < 3; k++) expectClose(choleskySolve(cholesky(a), b), once, 0);
  });
});

/** The rows after p replaced by those of the identity, so that what follows the minor of order p + 1 cannot fail. */
const withIdentityAfter = (a: Matrix, p: number): Matrix =>
  combine(
    1,
    build(a.rows, a.cols, (i, j) => (i <= p ? a.get(i, j) : 0)),
    1,
    build(a.rows, a.cols, (i, j) => (i > p && i === j ? 1 : 0)),
  ).clone(a.dtype);
