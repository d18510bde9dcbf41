import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, copyBlock } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses } from '../close.js';

/** `to` with the rectangle written over it, by plain loops. */
function expected(
  from: Matrix,
  fromRow: number,
  fromCol: number,
  rows: number,
  cols: number,
  to: Matrix,
  toRow: number,
  toCol: number,
): Matrix {
  return build(to.rows, to.cols, (i, j) => {
    const [y, x] = [i - toRow, j - toCol];
    return y >= 0 && y < rows && x >= 0 && x < cols ? from.get(fromRow + y, fromCol + x) : to.get(i, j);
  });
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, place }) => {
  it.each([
    ['a rectangle', [1, 2, 3, 4], [2, 1]],
    ['a single entry', [4, 6, 1, 1], [0, 0]],
    ['no rows', [5, 7, 0, 0], [6, 8]],
    ['no columns', [0, 7, 5, 0], [1, 8]],
    ['a row', [2, 0, 1, 7], [5, 1]],
    ['a column', [0, 3, 5, 1], [0, 7]],
    ['the whole', [0, 0, 5, 7], [1, 1]],
  ] as const)('copyBlock copies %s and nothing else', (_what, [fromRow, fromCol, rows, cols], [toRow, toCol]) => {
    const [from, to] = [place(random(5, 7, dtype)), place(random(6, 8, dtype, 2))];
    const result = expected(from, fromRow, fromCol, rows, cols, to, toRow, toCol);
    expect(copyBlock(from, fromRow, fromCol, rows, cols, to, toRow, toCol)).toBe(to);
    expectClose(to, result, 0);
  });

  it('copyBlock copies NaN, and between matrices of one entry', () => {
    const to = place(Matrix.zeros(1, 1, dtype));
    expect(copyBlock(place(Matrix.from([[NaN]], dtype)), 0, 0, 1, 1, to, 0, 0).data[0]).toBeNaN();
  });
});

it.each(DTYPES)('copyBlock agrees with plain loops on any rectangle in $dtype', ({ dtype }) => {
  const size = fc.integer({ min: 0, max: 5 });
  fc.assert(
    fc.property(size, size, size, size, size, size, size, fc.nat(), (rows, cols, fromRow, fromCol, toRow, toCol, spare, seed) => {
      const from = random(fromRow + rows + spare, fromCol + cols, dtype, seed);
      const to = random(toRow + rows, toCol + cols + spare, dtype, seed + 1);
      const result = expected(from, fromRow, fromCol, rows, cols, to, toRow, toCol);
      expectClose(copyBlock(from, fromRow, fromCol, rows, cols, to, toRow, toCol), result, 0);
    }),
    FIXED,
  );
});

const [from, to] = [random(3, 4), Matrix.zeros(5, 2)];
refuses('copyBlock', [
  ['dtypes differ', () => copyBlock(from, 0, 0, 1, 1, to.clone('float32'), 0, 0), /copyBlock: operands have different dtypes/],
  ['rows end below from', () => copyBlock(from, 2, 0, 2, 1, to, 0, 0), /2 x 1 entries at \(2, 0\) lie outside from, which is 3 x 4/],
  ['columns end right of from', () => copyBlock(from, 0, 3, 1, 2, to, 0, 0), /1 x 2 entries at \(0, 3\) lie outside from, which is 3 x 4/],
  ['rows end below to', () => copyBlock(from, 0, 0, 3, 1, to, 3, 0), /3 x 1 entries at \(3, 0\) lie outside to, which is 5 x 2/],
  ['columns end right of to', () => copyBlock(from, 0, 0, 1, 2, to, 0, 1), /1 x 2 entries at \(0, 1\) lie outside to, which is 5 x 2/],
  ['nothing starts beyond to', () => copyBlock(from, 0, 0, 0, 0, to, 6, 0), /0 x 0 entries at \(6, 0\) lie outside to/],
  ...([-1, 0.5, NaN, Infinity, 2 ** 32, '0' as never] as const).flatMap((bad) =>
    [0, 1, 2, 3, 4, 5].map((place) => {
      const at = [0, 0, 1, 1, 0, 0].map((x, i) => (i === place ? bad : x));
      return [
        `number ${place} of its six is ${typeof bad === 'string' ? 'text' : bad}`,
        () => copyBlock(from, at[0], at[1], at[2], at[3], to, at[4], at[5]),
        /copyBlock: .* lie outside/,
      ] as const;
    }),
  ),
]);
it('copyBlock throws RangeError when the matrices share memory', () => {
  expectThrows(() => copyBlock(from, 0, 0, 1, 1, from, 2, 2), RangeError, 'ERR_NATIVE_ARGUMENT', /share memory/);
});
