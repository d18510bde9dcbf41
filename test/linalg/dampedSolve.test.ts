import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, dampedSolve, syrk } from '../../lib/linalg/index.js';
import { CASES, combine, expectClose, expectThrows, multiply, random, randomPositive, refuses, transposed, withEntry } from '../close.js';

const CODE = 'NOT_POSITIVE_DEFINITE';

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  const work = (n: number): Matrix => place(Matrix.zeros(n, n, dtype));

  it.each([
    [5, 3],
    [1, 1],
    [0, 2],
    [3, 0],
    [40, 7],
    [97, 2],
  ])('dampedSolve solves (A + damping I) X = B and X (A + damping I) = B for n = %i and %i right-hand sides', (n, m) => {
    const a = place(randomPositive(n, dtype));
    const before = a.clone();
    const damped = combine(1, a, 0.25, Matrix.identity(n));
    const [left, right] = [place(random(n, m, dtype, 2)), place(random(m, n, dtype, 3))];
    const [b, c] = [left.clone(), right.clone()];
    expect(dampedSolve(a, 0.25, left, 'left', work(n))).toBe(left);
    expect(dampedSolve(a, 0.25, right, 'right', work(n))).toBe(right);
    expectClose(multiply(damped, left), b, 40 * Math.max(1, n) * epsilon);
    expectClose(multiply(right, damped), c, 40 * Math.max(1, n) * epsilon);
    expectClose(a, before, 0);
  });

  it('dampedSolve throws NumericalError for an indefinite matrix, naming the minor', () => {
    const a = place(Matrix.diagonal([1, 2, -3, 4], dtype));
    expectThrows(
      () => dampedSolve(a, 0.5, random(4, 1, dtype), 'left', work(4)),
      NumericalError,
      CODE,
      /dampedSolve: the leading minor of order 3 of 4/,
    );
  });

  it('dampedSolve throws NumericalError for a matrix that is singular to working precision, until it is damped', () => {
    const a = place(syrk(random(4, 9, dtype), { transpose: true })); // rank 4 of 9: pivots beyond are rounding noise
    expectThrows(
      () => dampedSolve(a, 0, random(9, 1, dtype), 'left', work(9)),
      NumericalError,
      CODE,
      /minor of order [5-9] of 9 .*; add damping/,
    );
    expect(dampedSolve(a, 0.01, random(9, 1, dtype), 'left', work(9)).data.every(Number.isFinite)).toBe(true);
  });

  it('dampedSolve throws NumericalError when the matrix holds a NaN', () => {
    for (const [i, j] of [
      [0, 0],
      [1, 2],
      [2, 2],
    ] as const)
      expectThrows(
        () => dampedSolve(place(withEntry(randomPositive(3, dtype), i, j, NaN)), 1, random(3, 1, dtype), 'left', work(3)),
        NumericalError,
        CODE,
        /minor of order/,
      );
  });
});

it('dampedSolve keeps a matrix of condition 1e12 that a solution still means something for', () => {
  const a = Matrix.diagonal([1, 1e-12]);
  expectClose(dampedSolve(a, 0, Matrix.from([[1], [1e-12]]), 'left', Matrix.zeros(2, 2)), [1, 1], 1e-12);
});

const [a, x] = [randomPositive(3), random(3, 2)];
refuses('dampedSolve', [
  ['a is not square', () => dampedSolve(random(3, 2), 0, x, 'left', a), /dampedSolve: a must be square, got 3 x 2/],
  ['x does not fit on its side', () => dampedSolve(a, 0, x, 'right', a.clone()), /a is 3 x 3, x is 3 x 2 \(right\)/],
  ['work has another shape', () => dampedSolve(a, 0, x, 'left', x), /shapes differ, 3 x 3 and 3 x 2/],
  ['dtypes differ', () => dampedSolve(a, 0, x.clone('float32'), 'left', a.clone()), /different dtypes/],
]);

it('the transposed problem has the transposed solution', () => {
  const right = dampedSolve(a, 1, transposed(x), 'right', Matrix.zeros(3, 3));
  expectClose(transposed(right), dampedSolve(a, 1, x.clone(), 'left', Matrix.zeros(3, 3)), 1e-14);
});
