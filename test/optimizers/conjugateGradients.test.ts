import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, solve } from '../../lib/linalg/index.js';
import { conjugateGradients, conjugateGradientState, type ConjugateGradients } from '../../lib/optimizers/conjugateGradients.js';
import { combine, DTYPES, expectClose, expectThrows, maxAbsDiff, multiply, random, randomPositive } from '../close.js';
import { frobenius, inner, times } from './kroneckerByHand.js';

/** The unknowns: two matrices of 10 entries in all. */
const SHAPES = [
  [3, 2],
  [1, 4],
] as const;
const N = 10;
const column = (list: readonly Matrix[]): Matrix => Matrix.from(list.flatMap((m) => Array.from(m.data, (x) => [x])));
function split(flat: Matrix, dtype: 'float64' | 'float32' = 'float64'): Matrix[] {
  let at = 0;
  return SHAPES.map(([rows, cols]) => {
    const m = Matrix.zeros(rows, cols, dtype);
    m.data.set(flat.data.subarray(at, at + rows * cols));
    at += rows * cols;
    return m;
  });
}
const operator =
  (a: Matrix, calls: { count: number } = { count: 0 }) =>
  (direction: readonly Matrix[], out: readonly Matrix[]): void => {
    calls.count++;
    split(multiply(a, column(direction)), direction[0].dtype).forEach((m, i) => out[i].data.set(m.data));
  };

const a = randomPositive(N);
const b = random(N, 1, 'float64', 2);
const start = (dtype: 'float64' | 'float32' = 'float64'): ConjugateGradients => conjugateGradientState(split(b, dtype));

describe('conjugateGradients', () => {
  it('reaches the dense solution in as many iterations as there are unknowns, and tells its residual', () => {
    const state = start();
    const { iterations, residual } = conjugateGradients(state, operator(a), split(b), { iterations: N + 2, tolerance: 1e-13 });
    expectClose(column(state.solution), solve(a, b), 1e-12);
    expect(iterations).toBeLessThanOrEqual(N + 1);
    expect(residual).toBeLessThanOrEqual(1e-13);
  });

  it('cut short has the residual it tells, |b - A x| / |b|', () => {
    let last = Infinity;
    for (const cut of [1, 2, 4, 7]) {
      const state = start();
      const { iterations, residual } = conjugateGradients(state, operator(a), split(b), { iterations: cut, tolerance: 1e-13 });
      const x = column(state.solution);
      expect(iterations).toBe(cut);
      expect(residual).toBeCloseTo(frobenius(combine(1, b, -1, multiply(a, x))) / frobenius(b), 12);
      const error = combine(1, x, -1, solve(a, b));
      const energy = inner(error, multiply(a, error));
      expect(energy).toBeLessThan(last); // which it minimises over a growing space
      last = energy;
    }
  });

  it('takes the steepest descent step first, and then the textbook recursion', () => {
    let [x, r, d] = [times(0, b), b, b];
    for (let k = 1; k <= 5; k++) {
      const product = multiply(a, d);
      const alpha = inner(r, r) / inner(d, product);
      x = combine(1, x, alpha, d);
      const next = combine(1, r, -alpha, product);
      d = combine(1, next, inner(next, next) / inner(r, r), d);
      r = next;
      const state = start();
      conjugateGradients(state, operator(a), split(b), { iterations: k, tolerance: 1e-13 });
      expectClose(column(state.solution), x, 1e-13);
    }
  });

  it('needs one iteration for each different eigenvalue, and stops at the tolerance', () => {
    const spectrum = Matrix.diagonal([1, 1, 1, 1, 2, 2, 2, 5, 5, 5]);
    const run = (tolerance: number) => conjugateGradients(start(), operator(spectrum), split(b), { iterations: 50, tolerance });
    expect(run(1e-12).iterations).toBe(3);
    expect(run(0.5).iterations).toBeLessThan(3);
    expect(run(0.5).residual).toBeLessThanOrEqual(0.5);
  });

  it('begins at the solution held', () => {
    const state = start();
    const calls = { count: 0 };
    const options = { iterations: 50, tolerance: 1e-10 };
    conjugateGradients(state, operator(a), split(b), options);
    const x = column(state.solution);
    expect(conjugateGradients(state, operator(a, calls), split(b), options)).toMatchObject({ iterations: 0 });
    expect(calls.count).toBe(1); // the residual of the start
    expect(maxAbsDiff(column(state.solution), x)).toBe(0);
    split(random(N, 1, 'float64', 9)).forEach((m, i) => state.solution[i].data.set(m.data));
    conjugateGradients(state, operator(a), split(b), options);
    expectClose(column(state.solution), solve(a, b), 1e-9);
  });

  it('of b = 0 is 0, at once from 0 and by iteration from elsewhere', () => {
    const zero = split(times(0, b));
    const state = start();
    expect(conjugateGradients(state, operator(a), zero, { iterations: 20, tolerance: 1e-6 })).toEqual({ iterations: 0, residual: 0 });
    split(b).forEach((m, i) => state.solution[i].data.set(m.data));
    conjugateGradients(state, operator(a), zero, { iterations: 20, tolerance: 1e-6 });
    expect(frobenius(column(state.solution))).toBeLessThan(1e-10);
  });

  it('stops where a direction has no curvature left and keeps what it has', () => {
    for (const flat of [Matrix.zeros(N, N), times(-1, a)]) {
      const state = start();
      expect(conjugateGradients(state, operator(flat), split(b), { iterations: 20, tolerance: 1e-6 })).toEqual({ iterations: 0, residual: 1 }); // prettier-ignore
      expect(frobenius(column(state.solution))).toBe(0);
    }
  });

  it.each(DTYPES)('works in $dtype', ({ dtype, epsilon }) => {
    const state = start(dtype);
    conjugateGradients(state, operator(a), split(b, dtype), { iterations: 40, tolerance: 10 * epsilon });
    expectClose(column(state.solution), solve(a, b), 500 * epsilon);
  });

  it.each([NaN, Infinity, 1e200])(
    'throws NumericalError NOT_FINITE for a right-hand side with %f in it, rather than to return 0',
    (value) => {
      const wild = split(b);
      wild[1].data[2] = value;
      expectThrows(
        () => conjugateGradients(start(), operator(a), wild, { iterations: 5, tolerance: 1e-6 }),
        NumericalError,
        'NOT_FINITE',
        /the right-hand side.* holds NaN or infinity, or its square leaves the range; lower the learning rate/,
      );
    },
  );

  it.each([
    ['a product', 2, /a product in iteration 1 holds NaN/],
    ['a product of a later iteration', 4, /a product in iteration 3 holds NaN/],
  ])('throws NumericalError NOT_FINITE for NaN in %s, rather than to end as if there were no curvature', (_what, call, message) => {
    const calls = { count: 0 };
    const times = operator(a, calls);
    const failing = (direction: readonly Matrix[], out: readonly Matrix[]): void => {
      times(direction, out);
      if (calls.count === call) out[0].data[0] = NaN;
    };
    expectThrows(
      () => conjugateGradients(start(), failing, split(b), { iterations: 9, tolerance: 1e-12 }),
      NumericalError,
      'NOT_FINITE',
      message,
    );
  });
});
