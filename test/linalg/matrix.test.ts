import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { DTYPES, FIXED, refuses } from '../close.js';

describe.each(DTYPES)('in $dtype', ({ dtype }) => {
  const floats = dtype === 'float64' ? Float64Array : Float32Array;

  it('Matrix.zeros, identity and diagonal have their entries, row-major', () => {
    expect(Matrix.zeros(2, 3, dtype)).toEqual(Matrix.wrap(new floats(6), 2, 3));
    expect(Matrix.identity(2, dtype).toRows()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(Matrix.diagonal([5, 6], dtype).toRows()).toEqual([
      [5, 0],
      [0, 6],
    ]);
    expect([Matrix.zeros(0, 3, dtype).toRows(), Matrix.zeros(2, 0, dtype).toRows()]).toEqual([[], [[], []]]);
  });

  it('Matrix.from copies rows of any array-like, and get reads them', () => {
    const rows = [[1, 2, 3], Float32Array.of(4, 5, 6)];
    const m = Matrix.from(rows, dtype);
    expect([m.rows, m.cols, m.dtype]).toEqual([2, 3, dtype]);
    expect(m.data).toEqual(floats.of(1, 2, 3, 4, 5, 6));
    expect(m.get(1, 0)).toBe(4);
    expect(Matrix.from([], dtype)).toMatchObject({ rows: 0, cols: 0 });
  });

  it('Matrix.wrap shares memory, also of a view at an offset', () => {
    const memory = new floats(8);
    const m = Matrix.wrap(memory.subarray(1, 7), 3, 2);
    memory[3] = 9;
    expect([m.get(1, 0), m.dtype]).toEqual([9, dtype]);
    m.data[0] = 7;
    expect(memory[1]).toBe(7);
  });

  it('clone copies, into another dtype too', () => {
    const m = Matrix.from([[1.5, NaN]], dtype);
    for (const other of ['float64', 'float32'] as const) {
      const copy = m.clone(other);
      copy.data[0] = 2;
      expect([copy.dtype, copy.rows, copy.cols, copy.get(0, 1), m.get(0, 0)]).toEqual([other, 1, 2, NaN, 1.5]);
    }
    expect(m.clone().dtype).toBe(dtype);
  });

  it('Matrix.from and toRows undo each other', () => {
    const value = dtype === 'float64' ? fc.double() : fc.float();
    const table = fc
      .integer({ min: 1, max: 6 })
      .chain((cols) => fc.array(fc.array(value, { minLength: cols, maxLength: cols }), { minLength: 1 }));
    fc.assert(
      fc.property(table, (rows) => {
        expect(Matrix.from(rows, dtype).toRows()).toEqual(rows);
      }),
      FIXED,
    );
  });
});

const sizes = ['-1', '1.5', 'NaN', 'Infinity', String(2 ** 31)].map(
  (n) => [`rows are ${n}`, () => Matrix.zeros(Number(n), 1), /rows must be an integer in \[0, 2\^31\), got/] as const,
);
refuses('Matrix.zeros', [
  ...sizes,
  ['columns are negative', () => Matrix.zeros(1, -1), /cols must be an integer in \[0, 2\^31\), got -1/],
  ['the entries do not fit in memory', () => Matrix.zeros(2 ** 31 - 1, 2 ** 31 - 1), /cannot hold \d+ entries of float64 in memory/],
]);
refuses('Matrix.from', [['rows differ in length', () => Matrix.from([[1, 2], [3]]), /Matrix.from: row 1 has 1 entries where row 0 has 2/]]);
refuses('Matrix.wrap', [
  [
    'the length is not rows times columns',
    () => Matrix.wrap(new Float64Array(5), 2, 3),
    /Matrix.wrap: 2 x 3 needs 6 entries, the array has 5/,
  ],
  ['the array is of another kind', () => Matrix.wrap(new Int32Array(6) as never, 2, 3), /data must be a Float64Array or a Float32Array/],
  ['rows are negative', () => Matrix.wrap(new Float64Array(2), -1, -2), /rows must be an integer/],
]);
refuses(
  'get',
  (
    [
      [2, 0],
      [0, 3],
      [-1, 0],
      [0, -1],
      [0.5, 0],
      [NaN, 0],
    ] as const
  ).map(
    ([i, j]) =>
      [`the entry is (${i}, ${j}) of 2 x 3`, () => Matrix.zeros(2, 3).get(i, j), /entry \(.*\) is outside a 2 x 3 matrix/] as const,
  ),
);
