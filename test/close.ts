/** What the tests share: the dtypes and memory layouts to run over, plain-loop references, comparisons and refusals. */
import { afterEach, expect, it } from 'vitest';
import { ArgumentError } from '../lib/errors.js';
import { type Dtype, type Floats, Matrix } from '../lib/linalg/index.js';
import { Stream } from '../lib/random/index.js';

export const DTYPES = [
  { dtype: 'float64', epsilon: 2 ** -52 },
  { dtype: 'float32', epsilon: 2 ** -23 },
] as const;

/** Both dtypes, each in memory of its own and as a view into the middle of a larger buffer. */
export const CASES = DTYPES.flatMap((row) => [
  { ...row, layout: 'own memory', place: (m: Matrix) => m },
  { ...row, layout: 'a view at an offset', place: atOffset },
]);

/** Options of fc.assert: the same cases in every run. */
export const FIXED = { seed: 20260101, numRuns: 60 } as const;

const MARGIN = 3;
const placed: { whole: Floats; length: number }[] = [];

/** A copy of m in a larger buffer, between NaN: a wrong stride reads them, and a write past the end is found after the test. */
export function atOffset(m: Matrix): Matrix {
  const length = m.data.length;
  const whole = Matrix.zeros(1, length + 2 * MARGIN, m.dtype).data.fill(NaN);
  placed.push({ whole, length });
  const view = whole.subarray(MARGIN, MARGIN + length);
  view.set(m.data);
  return Matrix.wrap(view, m.rows, m.cols);
}

afterEach(() => {
  for (const { whole, length } of placed.splice(0))
    for (let i = 0; i < MARGIN; i++) expect([whole[i], whole[MARGIN + length + i]], 'memory around a view').toEqual([NaN, NaN]);
});

// ---- Inputs, from a seeded stream. ----

export function random(rows: number, cols: number, dtype: Dtype = 'float64', seed = 1): Matrix {
  return new Stream(seed).normal(Matrix.zeros(rows, cols, dtype));
}

export function randomSymmetric(n: number, dtype: Dtype = 'float64', seed = 1): Matrix {
  const a = random(n, n, dtype, seed);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a.data[j * n + i] = a.data[i * n + j];
  return a;
}

/** A A' / n + I / 2: symmetric, its eigenvalues between 1/2 and about 5. */
export function randomPositive(n: number, dtype: Dtype = 'float64', seed = 1): Matrix {
  const a = random(n, n, 'float64', seed);
  return combine(1 / Math.max(1, n), multiply(a, transposed(a)), 0.5, Matrix.identity(n)).clone(dtype);
}

// ---- References: plain loops in double precision, whatever the dtype of the operands. ----

export function build(rows: number, cols: number, entry: (i: number, j: number) => number): Matrix {
  const m = Matrix.zeros(rows, cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) m.data[i * cols + j] = entry(i, j);
  return m;
}

export const transposed = (a: Matrix): Matrix => build(a.cols, a.rows, (i, j) => a.get(j, i));

export function multiply(a: Matrix, b: Matrix): Matrix {
  return build(a.rows, b.cols, (i, j) => {
    let sum = 0;
    for (let p = 0; p < a.cols; p++) sum += a.data[i * a.cols + p] * b.data[p * b.cols + j];
    return sum;
  });
}

/** alpha x + beta y. */
export const combine = (alpha: number, x: Matrix, beta: number, y: Matrix): Matrix =>
  build(x.rows, x.cols, (i, j) => alpha * x.get(i, j) + beta * y.get(i, j));

/** A diag(w). */
export const scaleColumns = (a: Matrix, w: ArrayLike<number>): Matrix => build(a.rows, a.cols, (i, j) => a.get(i, j) * w[j]);

/** The triangle of a named, the rest zero. */
export const triangleOf = (a: Matrix, which: 'lower' | 'upper'): Matrix =>
  build(a.rows, a.cols, (i, j) => ((which === 'lower' ? j <= i : j >= i) ? a.get(i, j) : 0));

/** A copy with one entry replaced. */
export function withEntry(m: Matrix, i: number, j: number, value: number): Matrix {
  const copy = m.clone();
  copy.data[i * m.cols + j] = value;
  return copy;
}

/** The sum of a term over an array's entries. */
export function sumOver(values: ArrayLike<number>, term: (value: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += term(values[i], i);
  return sum;
}

// ---- Comparisons. ----

type Numbers = Matrix | ArrayLike<number>;
const entries = (x: Numbers): ArrayLike<number> => (x instanceof Matrix ? x.data : x);

export function maxAbs(x: Numbers): number {
  return Array.from(entries(x)).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The largest |x_i - y_i|: equal values (two NaN, two equal infinities) differ by 0, NaN and a number by infinity. */
export function maxAbsDiff(x: Numbers, y: Numbers): number {
  const [a, b] = [entries(x), entries(y)];
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Object.is(a[i], b[i]) ? 0 : Math.abs(a[i] - b[i]);
    most = Math.max(most, Number.isNaN(difference) ? Infinity : difference);
  }
  return most;
}

/** Asserts equal shapes and |actual - expected| <= tolerance max(1, max |expected|). */
export function expectClose(actual: Numbers, expected: Numbers, tolerance: number): void {
  if (actual instanceof Matrix && expected instanceof Matrix)
    expect([actual.rows, actual.cols], 'shape').toEqual([expected.rows, expected.cols]);
  const finite = Array.from(entries(expected)).filter(Number.isFinite);
  expect(maxAbsDiff(actual, expected), 'largest difference').toBeLessThanOrEqual(tolerance * Math.max(1, maxAbs(finite)));
}

/** Asserts that a's columns are orthonormal. */
export const expectOrthonormal = (a: Matrix, tolerance: number): void =>
  expectClose(multiply(transposed(a), a), Matrix.identity(a.cols), tolerance);

// ---- Refusals. ----

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any class of error
type ErrorClass = new (...args: any[]) => Error;

export function expectThrows(call: () => unknown, type: ErrorClass, code: string, message: RegExp): void {
  let error: unknown = new Error('the call returned');
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

/** One test a row, titled `<op> throws ArgumentError when <row>`. */
export function refuses(op: string, rows: readonly (readonly [when: string, call: () => unknown, message: RegExp])[]): void {
  it.each(rows)(`${op} throws ArgumentError when %s`, (_when, call, message) => {
    expectThrows(call, ArgumentError, 'ERR_ARGUMENT', message);
  });
}
