import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Floats,
  Matrix,
  broadcastRow,
  columnSums,
  divideByOuterSum,
  scaleColumns,
  scaleRows,
  transpose,
} from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses, sumOver, withEntry } from '../close.js';

const SHAPES = [
  [3, 5],
  [1, 1],
  [0, 4],
  [4, 0],
  [33, 47],
  [200, 3],
] as const;

const sumOfColumn = (x: Matrix, j: number): number => x.toRows().reduce((sum, row) => sum + row[j], 0);
/** Where the NaN are. */
const spoiled = (x: Matrix): number[] => Array.from(x.data, Number.isNaN).flatMap((nan, i) => (nan ? [i] : []));

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  const vector = (n: number, seed = 2): Floats => place(random(1, n, dtype, seed)).data;
  const positive = (n: number, seed: number): Floats => place(build(1, n, (_, j) => 0.5 + ((j * seed) % 7)).clone(dtype)).data;

  describe.each(SHAPES)('on %i x %i', (m, n) => {
    it('broadcastRow repeats the row', () => {
      const row = place(random(1, n, dtype));
      const out = place(Matrix.zeros(m, n, dtype));
      expect(broadcastRow(row, out)).toBe(out);
      expectClose(
        out,
        build(m, n, (_, j) => row.data[j]),
        0,
      );
    });

    it('columnSums adds up the columns, times alpha', () => {
      const x = place(random(m, n, dtype));
      const out = place(Matrix.zeros(1, n, dtype));
      out.data.fill(NaN); // not read
      expect(columnSums(x, out)).toBe(out);
      expectClose(
        out,
        build(1, n, (_, j) => sumOfColumn(x, j)),
        40 * epsilon,
      );
      expectClose(
        columnSums(x, out, -0.5),
        build(1, n, (_, j) => -0.5 * sumOfColumn(x, j)),
        40 * epsilon,
      );
    });

    it('scaleRows and scaleColumns multiply by diagonal matrices', () => {
      const x = place(random(m, n, dtype));
      const [left, right] = [vector(m), vector(n)];
      const byRows = build(m, n, (i, j) => x.get(i, j) * left[i]);
      const byColumns = build(m, n, (i, j) => x.get(i, j) * right[j]);
      const copy = place(x.clone());
      expect(scaleRows(x, left)).toBe(x);
      expectClose(x, byRows, epsilon);
      expect(scaleColumns(copy, right)).toBe(copy);
      expectClose(copy, byColumns, epsilon);
    });

    it('divideByOuterSum divides by left right + damping, or by right + damping', () => {
      const x = place(random(m, n, dtype));
      const [left, right, copy] = [positive(m, 3), positive(n, 5), place(x.clone())];
      const expected = build(m, n, (i, j) => x.get(i, j) / (left[i] * right[j] + 0.25));
      const alone = build(m, n, (i, j) => copy.get(i, j) / (right[j] + 0.25));
      expect(divideByOuterSum(x, left, right, 0.25)).toBe(x);
      expectClose(x, expected, 8 * epsilon);
      expectClose(divideByOuterSum(copy, null, right, 0.25), alone, 8 * epsilon);
    });
  });

  it('columnSums keeps the digits of many rows', () => {
    const x = place(build(50_000, 1, (i) => 1 + (i % 3)).clone(dtype));
    x.data.forEach((value, i) => (x.data[i] = value / 3));
    const exact = sumOver(x.data, (value) => value);
    expect(Math.abs(columnSums(x, place(Matrix.zeros(1, 1, dtype))).data[0] / exact - 1)).toBeLessThan(100 * epsilon);
  });

  it('a NaN spoils what it touches alone', () => {
    const x = place(withEntry(random(3, 4, dtype), 1, 2, NaN));
    expect(spoiled(columnSums(x, place(Matrix.zeros(1, 4, dtype))))).toEqual([2]);
    expect(spoiled(broadcastRow(place(Matrix.from([[1, NaN]], dtype)), place(Matrix.zeros(2, 2, dtype))))).toEqual([1, 3]);
    const [clean, three, four] = [(): Matrix => place(random(3, 4, dtype)), vector(3), vector(4)];
    const [nan3, nan4] = [three.map((v, i) => (i === 1 ? NaN : v)), four.map((v, i) => (i === 2 ? NaN : v))] as [Floats, Floats];
    for (const operation of [
      (m: Matrix) => scaleRows(m, three),
      (m: Matrix) => scaleColumns(m, four),
      (m: Matrix) => divideByOuterSum(m, three, four, 1),
    ])
      expect(spoiled(operation(place(x.clone())))).toEqual([6]);
    expect(spoiled(scaleRows(clean(), nan3))).toEqual([4, 5, 6, 7]);
    expect(spoiled(scaleColumns(clean(), nan4))).toEqual([2, 6, 10]);
    expect(spoiled(divideByOuterSum(clean(), nan3, four, 1))).toEqual([4, 5, 6, 7]);
    expect(spoiled(divideByOuterSum(clean(), null, nan4, 1))).toEqual([2, 6, 10]);
    expect(spoiled(divideByOuterSum(clean(), null, four, NaN))).toHaveLength(12);
  });

  it('divideByOuterSum divides by zero as numbers do', () => {
    expectClose(
      divideByOuterSum(place(Matrix.from([[1, -1, 0]], dtype)), null, place(Matrix.zeros(1, 3, dtype)).data, 0),
      [Infinity, -Infinity, NaN],
      0,
    );
  });
});

it.each(DTYPES)(
  'scaleRows is scaleColumns of the transpose, and broadcastRow the adjoint of columnSums, in $dtype',
  ({ dtype, epsilon }) => {
    const size = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(size, size, fc.nat(), (m, n, seed) => {
        const [x, s, row] = [random(m, n, dtype, seed), random(1, m, dtype, seed + 1).data, random(1, n, dtype, seed + 2)];
        const repeated = broadcastRow(row, x.clone());
        const inner = sumOver(repeated.data, (value, i) => value * x.data[i]);
        const sums = columnSums(x, Matrix.zeros(1, n, dtype));
        expectClose([inner], [sumOver(sums.data, (value, j) => value * row.data[j])], 1000 * epsilon);
        expectClose(scaleColumns(transpose(x), s), transpose(scaleRows(x, s)), 0);
      }),
      FIXED,
    );
  },
);

const [x, row, single] = [random(2, 3), random(1, 3), random(2, 3, 'float32')];
const [two, three, short] = [new Float64Array(2), new Float64Array(3), new Float64Array(1)];
refuses('broadcastRow', [
  ['the row is short', () => broadcastRow(random(1, 2), x), /broadcastRow: row must be 1 x 3, got 1 x 2/],
  ['there are two', () => broadcastRow(x.clone(), x), /broadcastRow: row must be 1 x 3, got 2 x 3/],
  ['dtypes differ', () => broadcastRow(row, single), /broadcastRow: operands have different dtypes/],
]);
refuses('columnSums', [
  ['out is short', () => columnSums(x, random(1, 2)), /columnSums: out must be 1 x 3, got 1 x 2/],
  ['out has two rows', () => columnSums(x, x.clone()), /columnSums: out must be 1 x 3, got 2 x 3/],
  ['dtypes differ', () => columnSums(single, row), /columnSums: operands have different dtypes/],
]);
for (const [op, call, fits] of [
  ['scaleRows', (m: Matrix, v: Floats) => scaleRows(m, v), two],
  ['scaleColumns', (m: Matrix, v: Floats) => scaleColumns(m, v), three],
] as const)
  refuses(op, [
    ['s is short', () => call(x, short), new RegExp(`${op}: s must hold ${fits.length} entries of float64`)],
    ['s has another dtype', () => call(single, fits), new RegExp(`${op}: s must hold ${fits.length} entries of float32`)],
    ['s is a plain array', () => call(single, Array.from(fits) as never), new RegExp(`${op}: s must hold`)],
  ]);
refuses('divideByOuterSum', [
  ['left is short', () => divideByOuterSum(x, short, three, 1), /divideByOuterSum: left must hold 2 entries of float64/],
  ['right is short', () => divideByOuterSum(x, two, short, 1), /divideByOuterSum: right must hold 3 entries of float64/],
  ['left has another dtype', () => divideByOuterSum(x, new Float32Array(2), three, 1), /left must hold 2 entries of float64/],
  ['right has another dtype', () => divideByOuterSum(x, null, new Float32Array(3), 1), /right must hold 3 entries of float64/],
]);

it.each([
  ['broadcastRow', () => broadcastRow(Matrix.wrap(x.data.subarray(0, 3), 1, 3), x)],
  ['columnSums', () => columnSums(x, Matrix.wrap(x.data.subarray(3), 1, 3))],
  ['scaleRows', () => scaleRows(x, x.data.subarray(0, 2))],
  ['scaleColumns', () => scaleColumns(x, x.data.subarray(0, 3))],
  ['divideByOuterSum', () => divideByOuterSum(x, x.data.subarray(0, 2), three, 1)],
])('%s throws RangeError when operands share memory', (_op, call) => {
  expectThrows(call, RangeError, 'ERR_NATIVE_ARGUMENT', /share memory/);
});
