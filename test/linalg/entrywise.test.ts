import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Matrix,
  addToDiagonal,
  axpby,
  copy,
  divideEntries,
  dot,
  ema,
  hadamard,
  norm,
  scale,
  trace,
  transpose,
} from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, combine, expectClose, expectThrows, random, refuses, transposed, withEntry } from '../close.js';

const SHAPES = [
  [3, 5],
  [1, 1],
  [0, 3],
  [33, 47],
] as const;

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  describe.each(SHAPES)('on %i x %i', (m, n) => {
    const pair = (): [Matrix, Matrix] => [place(random(m, n, dtype, 1)), place(random(m, n, dtype, 2))];
    const tolerance = 4 * epsilon;

    it('axpby writes alpha x + beta y into y', () => {
      const [x, y] = pair();
      const expected = combine(1.5, x, -0.5, y);
      expect(axpby(1.5, x, -0.5, y)).toBe(y);
      expectClose(y, expected, tolerance);
    });

    it('ema moves the average by a share 1 - decay towards the value', () => {
      const [average, value] = pair();
      const expected = combine(0.9, average, 0.1, value);
      expect(ema(average, value, 0.9)).toBe(average);
      expectClose(average, expected, tolerance);
    });

    it('scale multiplies in place', () => {
      const [x] = pair();
      const expected = combine(-2, x, 0, x);
      expect(scale(-2, x)).toBe(x);
      expectClose(x, expected, 0);
    });

    it('hadamard multiplies entries, also into x or y', () => {
      const [x, y] = pair();
      const expected = build(m, n, (i, j) => x.get(i, j) * y.get(i, j));
      const [ontoX, ontoY] = [place(x.clone()), place(y.clone())];
      const out = place(Matrix.zeros(m, n, dtype));
      expect(hadamard(x, y, out)).toBe(out);
      for (const result of [out, hadamard(ontoX, y, ontoX), hadamard(x, ontoY, ontoY)]) expectClose(result, expected, tolerance);
    });

    it('divideEntries divides by y + damping in place, also x by itself', () => {
      const [x, y] = pair();
      y.data.forEach((value, i) => (y.data[i] = Math.abs(value)));
      const expected = build(m, n, (i, j) => x.get(i, j) / (y.get(i, j) + 0.5));
      expect(divideEntries(x, y, 0.5)).toBe(x);
      expectClose(x, expected, tolerance);
      expectClose(
        divideEntries(y, y, 0),
        build(m, n, () => 1),
        0,
      );
    });

    it('dot, norm and trace are the plain sums', () => {
      const [x, y] = pair();
      const sum = (f: (i: number) => number): number => Array.from(x.data.keys()).reduce((total, i) => total + f(i), 0);
      expectClose([dot(x, y)], [sum((i) => x.data[i] * y.data[i])], 200 * epsilon);
      expectClose([norm(x)], [Math.sqrt(sum((i) => x.data[i] ** 2))], 200 * epsilon);
      expectClose([trace(x)], [sum((i) => (Math.floor(i / n) === i % n ? x.data[i] : 0))], tolerance);
    });

    it('copy, transpose and addToDiagonal move entries exactly', () => {
      const [x, y] = pair();
      const expected = transposed(x);
      const out = place(Matrix.zeros(n, m, dtype));
      expect(transpose(x, out)).toBe(out);
      expectClose(out, expected, 0);
      expectClose(transpose(x), expected, 0);
      expect(copy(x, y)).toBe(y);
      expectClose(y, x, 0);
      expect(addToDiagonal(y, 2)).toBe(y);
      expectClose(
        y,
        build(m, n, (i, j) => x.get(i, j) + (i === j ? 2 : 0)),
        epsilon,
      );
    });
  });

  it('axpby reads y only when beta is not 0', () => {
    const [x, y] = [place(random(2, 2, dtype)), place(Matrix.zeros(2, 2, dtype))];
    y.data.fill(NaN);
    axpby(2, x, 0, y);
    expectClose(y, combine(2, x, 0, x), epsilon);
  });

  it('axpby allows x to be y', () => {
    const x = place(random(3, 4, dtype));
    const expected = combine(3, x, 0, x);
    expectClose(axpby(1, x, 2, x), expected, 4 * epsilon);
  });

  it('a NaN stays in its entry, and makes sums NaN', () => {
    const x = place(withEntry(random(3, 4, dtype), 1, 1, NaN));
    const y = random(3, 4, dtype, 2);
    for (const z of [axpby(1, x, 1, y.clone()), scale(2, place(x)), hadamard(x, y, y.clone()), divideEntries(y.clone(), x, 1)])
      expect(Array.from(z.data, Number.isNaN).flatMap((nan, i) => (nan ? [i] : []))).toEqual([5]);
    expect([dot(x, y), norm(x), trace(x)]).toEqual([NaN, NaN, NaN]);
  });

  it('norm neither overflows nor underflows on the way', () => {
    const [huge, tiny] = dtype === 'float64' ? [1e300, 1e-300] : [1e38, 1e-38];
    for (const size of [huge, tiny]) {
      const x = Matrix.from([[size, size]], dtype);
      expect(Math.abs(norm(x) / (Math.SQRT2 * size) - 1)).toBeLessThan(4 * epsilon);
    }
  });
});

it.each(DTYPES)('transpose undoes itself, and dot is linear and symmetric, in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 50 });
  fc.assert(
    fc.property(size, size, fc.nat(), (m, n, seed) => {
      const [x, y, z] = [random(m, n, dtype, seed), random(m, n, dtype, seed + 1), random(m, n, dtype, seed + 2)];
      expectClose(transpose(transpose(x)), x, 0);
      expectClose([dot(x, y)], [dot(y, x)], 0);
      expectClose([dot(x, axpby(1, y, 1, z.clone()))], [dot(x, y) + dot(x, z)], 2000 * epsilon);
    }),
    FIXED,
  );
});

const [x, other, single] = [random(2, 3), random(3, 2), random(2, 3, 'float32')];
for (const [op, call] of [
  ['axpby', (a: Matrix, b: Matrix) => axpby(1, a, 1, b)],
  ['dot', dot],
  ['copy', copy],
  ['divideEntries', (a: Matrix, b: Matrix) => divideEntries(a, b, 1)],
  ['hadamard', (a: Matrix, b: Matrix) => hadamard(a, b, a.clone())],
] as const)
  refuses(op, [
    ['shapes differ', () => call(x, other), new RegExp(`${op}: shapes differ, 2 x 3 and 3 x 2`)],
    ['dtypes differ', () => call(x, single), new RegExp(`${op}: operands have different dtypes, float64 and float32`)],
  ]);
refuses('ema', [['shapes differ', () => ema(x, other, 0.9), /axpby: shapes differ/]]);
refuses('hadamard', [
  ['out has another shape', () => hadamard(x, x, other), /hadamard: shapes differ/],
  ['out differs in dtype', () => hadamard(x, x, single), /hadamard: operands have different dtypes/],
]);
refuses('transpose', [
  ['out has another shape', () => transpose(x, x.clone()), /transpose: out must be 3 x 2, got 2 x 3/],
  ['out differs in dtype', () => transpose(x, other.clone('float32')), /transpose: operands have different dtypes/],
  ['out is the operand', () => transpose(Matrix.wrap(x.data, 3, 2), x), /transpose: out shares memory/],
]);

it.each([
  ['axpby', (a: Matrix, b: Matrix) => axpby(1, a, 1, b)],
  ['hadamard', (a: Matrix, b: Matrix) => hadamard(a, a, b)],
  ['divideEntries', (a: Matrix, b: Matrix) => divideEntries(a, b, 1)],
] as const)('%s throws RangeError when the output overlaps an operand in part', (_op, call) => {
  const memory = new Float64Array(5);
  const shifted = (at: number): Matrix => Matrix.wrap(memory.subarray(at, at + 4), 2, 2);
  expectThrows(() => call(shifted(0), shifted(1)), RangeError, 'ERR_NATIVE_ARGUMENT', /share memory, and one of them is written/);
});

it('transpose of a matrix with 2^31 - 1 rows and no columns is immediate', () => {
  expect(transpose(Matrix.zeros(2 ** 31 - 1, 0))).toMatchObject({ rows: 0, cols: 2 ** 31 - 1 });
});
