import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, norm, ridgePath, shiftedSolve, solve, syrk } from '../../lib/linalg/index.js';
import { CASES, combine, DTYPES, expectClose, expectThrows, FIXED, maxAbsDiff, multiply, random, randomPositive, refuses, transposed } from '../close.js'; // prettier-ignore

const path = (count: number, from = -2, to = 2): number[] =>
  Array.from({ length: count }, (_, i) => 10 ** (from + ((to - from) * i) / (count - 1)));
const plus = (a: Matrix, s: number): Matrix => combine(1, a.clone('float64'), s, Matrix.identity(a.rows));
const direct = (a: Matrix, b: Matrix, s: number): Matrix => solve(plus(a, s), b.clone('float64'));
/** X'X/n with columns of very different sizes. */
const gram = (n: number, d: number): Matrix => {
  const x = random(n, d, 'float64', 3);
  x.data.forEach((v, k) => (x.data[k] = v * (1 + (k % d)) ** -0.7));
  return syrk(x, { transpose: true, alpha: 1 / n });
};
const relative = (x: Matrix, y: Matrix): number => norm(combine(1, x.clone('float64'), -1, y)) / norm(y);

describe.each(CASES)('shiftedSolve in $dtype on $layout', ({ dtype, place }) => {
  it.each([
    ['few, directly', 12, 2, 3],
    ['many, in Krylov spaces', 150, 1, 20],
    ['many, several right-hand sides', 150, 3, 20],
    ['of order 1', 1, 1, 9],
  ])('equals dense solutions: %s', (_name, n, r, count) => {
    const a = place(gram(2 * n + 3, n).clone(dtype));
    const before = a.clone();
    const b = place(random(n, r, dtype, 5));
    const shifts = path(count);
    const found = shiftedSolve(a, b, shifts);
    expect(maxAbsDiff(a, before)).toBe(0);
    shifts.forEach((s, k) =>
      expect(relative(found.solutions[k], direct(before, b, s)), `shift ${s}`).toBeLessThan(dtype === 'float64' ? 1e-8 : 1e-3),
    );
  });
});

describe('shiftedSolve', () => {
  it('takes one or two factorisations for twenty shifts, and says what it took', () => {
    const { factorisations, solves, error } = shiftedSolve(gram(500, 250), random(250, 1), path(20));
    expect(factorisations).toBeLessThanOrEqual(2);
    expect(solves).toBeLessThan(160);
    expect(error).toBeLessThan(1e-9);
  });

  it('holds for random spectra, orders and shifts, in any order, repeated ones too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 14 }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (n, logs, decay) => {
          const x = random(n + 5, n, 'float64', n);
          x.data.forEach((v, k) => (x.data[k] = v * (1 + (k % n)) ** -decay));
          const a = syrk(x, { transpose: true });
          const b = random(n, 2, 'float64', 8);
          const shifts = [...logs, logs[0]].map((l) => 10 ** l);
          const { solutions } = shiftedSolve(a, b, shifts);
          shifts.forEach((s, k) => expect(relative(solutions[k], direct(a, b, s))).toBeLessThan(1e-7));
        },
      ),
      FIXED,
    );
  });

  it('solves at shift 0 where the matrix is definite, and refuses where it is not, leaving it whole', () => {
    const a = randomPositive(9);
    expectClose(shiftedSolve(a, random(9, 1), [0]).solutions[0], direct(a, random(9, 1), 0), 1e-10);
    const singular = syrk(random(9, 4));
    const before = singular.clone();
    expectThrows(
      () => shiftedSolve(singular, random(9, 1), [0.1, 0]),
      NumericalError,
      'NOT_POSITIVE_DEFINITE',
      /shiftedSolve: the leading minor/,
    );
    expect(maxAbsDiff(singular, before)).toBe(0);
  });

  it('solves directly what a Krylov space cannot promise: a singular matrix at shifts near its rounding', () => {
    const a = syrk(random(200, 50));
    const b = random(200, 1, 'float64', 4);
    const shifts = path(20, -12, -6);
    const { solutions, factorisations, error } = shiftedSolve(a, b, shifts);
    expect(factorisations).toBeGreaterThanOrEqual(20);
    expect(error).toBeLessThan(1e-9);
    shifts.forEach((s, k) => {
      const residual = combine(1, multiply(plus(a, s), solutions[k]), -1, b);
      expect(norm(residual)).toBeLessThan(1e-12 * norm(a) * norm(solutions[k]));
    });
  });

  it('takes shifts hundreds of decades apart', () => {
    const { solutions } = shiftedSolve(Matrix.from([[2]]), Matrix.from([[1]]), [1e-200, 1e-200, 1e200, 1e200, 1e200]);
    solutions.forEach((x, k) => expect(x.data[0]).toBeCloseTo(k < 2 ? 0.5 : 1e-200, 14));
  });

  it('of a zero right-hand side is zero; of none, or no shift, is empty', () => {
    const a = randomPositive(30);
    for (const x of shiftedSolve(a, Matrix.zeros(30, 1), path(20)).solutions) expect(norm(x)).toBe(0);
    expect(shiftedSolve(a, Matrix.zeros(30, 0), [1]).solutions[0].cols).toBe(0);
    expect(shiftedSolve(a, random(30, 1), []).solutions).toEqual([]);
  });

  it.each(DTYPES)('in $dtype refuses NaN and infinity', ({ dtype }) => {
    for (const count of [2, 20]) {
      const b = random(200, 1, dtype);
      b.data[7] = NaN;
      const a = gram(400, 200).clone(dtype);
      expectThrows(() => shiftedSolve(a, b, path(count)), NumericalError, 'NOT_FINITE', /holds NaN or infinity/);
    }
  });
});

const square = randomPositive(4);
refuses('shiftedSolve', [
  ['a is not square', () => shiftedSolve(random(3, 4), random(3, 1), [1]), /a must be square/],
  ['b does not fit', () => shiftedSolve(square, random(3, 1), [1]), /b must be 4 x 1, got 3 x 1/],
  ['b is a', () => shiftedSolve(square, square, [1]), /b shares memory with a, which is workspace/],
  ['dtypes differ', () => shiftedSolve(square, random(4, 1, 'float32'), [1]), /different dtypes/],
  ['a shift is negative', () => shiftedSolve(square, random(4, 1), [1, -1]), /shifts must be finite numbers of at least 0, got -1/],
  ['a shift is infinite', () => shiftedSolve(square, random(4, 1), [Infinity]), /got Infinity/],
]);

describe('ridgePath', () => {
  it.each([
    ['more samples than inputs', 40, 12],
    ['more inputs than samples', 12, 40],
    ['a large system, in Krylov spaces', 300, 150],
    ['a large and wide one', 150, 300],
  ])("equals (X'X/n + lambda I)^-1 X'Y/n: %s", (_name, n, d) => {
    const [x, y] = [random(n, d, 'float64', 1), random(n, 2, 'float64', 2)];
    const lambdas = [Infinity, ...path(16), 1e-3];
    const a = multiply(transposed(x), x);
    const b = multiply(transposed(x), y);
    ridgePath(x, y, lambdas).forEach((found, k) => {
      const expected =
        lambdas[k] === Infinity ? combine(1 / n, b, 0, b) : solve(plus(combine(1 / n, a, 0, a), lambdas[k]), combine(1 / n, b, 0, b));
      expect(relative(found, expected), `lambda ${lambdas[k]}`).toBeLessThan(1e-8);
    });
  });

  it('at 0 is least squares, of least norm where samples are fewer', () => {
    for (const [n, d] of [
      [30, 8],
      [8, 30],
    ]) {
      const [x, y] = [random(n, d), random(n, 1, 'float64', 2)];
      const [b] = ridgePath(x, y, [0]);
      expectClose(b, ridgePath(x, y, [1e-11])[0], 1e-7);
      if (n < d) expectClose(multiply(x, b), y, 1e-10);
    }
  });

  it('throws NumericalError at 0 for inputs that are dependent, whatever rounding leaves of their pivot', () => {
    for (let seed = 0; seed < 40; seed++) {
      const x = random(30, 10, 'float64', seed);
      for (let i = 0; i < 30; i++) x.data[i * 10 + 9] = x.data[i * 10] - 2 * x.data[i * 10 + 3];
      for (const inputs of [x, transposed(x)])
        expectThrows(
          () => ridgePath(inputs, random(inputs.rows, 1), [0]),
          NumericalError,
          'NOT_POSITIVE_DEFINITE',
          /not positive definite/,
        );
    }
  });

  it('throws NumericalError at 0 for inputs without full rank', () => {
    const x = random(20, 5);
    for (let i = 0; i < 20; i++) x.data[i * 5 + 4] = 0;
    expectThrows(() => ridgePath(x, random(20, 1), [0]), NumericalError, 'NOT_POSITIVE_DEFINITE', /minor of order 5 of 5/);
  });
});

refuses('ridgePath', [
  ['targets do not fit', () => ridgePath(random(3, 2), random(4, 1), [1]), /targets must be 3 x 1/],
  ['a lambda is negative', () => ridgePath(random(3, 2), random(3, 1), [-1]), /lambdas must be at least 0, got -1/],
  ['there is no sample', () => ridgePath(Matrix.zeros(0, 2), Matrix.zeros(0, 1), [1]), /must have a row/],
]);
