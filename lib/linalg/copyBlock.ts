import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireSameDtype, shape } from './matrix.js';

const ints = new Int32Array(10);

/** Copies the rows x cols rectangle of `from` whose first entry is (fromRow, fromCol) to (toRow, toCol) of `to`.
 *  @param to  another matrix; its entries outside the rectangle stay
 *  @returns to
 *  @throws ArgumentError when the rectangle lies outside either matrix, or dtypes differ */
export function copyBlock(
  from: Matrix,
  fromRow: number,
  fromCol: number,
  rows: number,
  cols: number,
  to: Matrix,
  toRow: number,
  toCol: number,
): Matrix {
  requireSameDtype('copyBlock', from, to);
  requireInside('from', from, fromRow, fromCol, rows, cols);
  requireInside('to', to, toRow, toCol, rows, cols);
  ints[0] = rows;
  ints[1] = cols;
  ints[2] = from.rows;
  ints[3] = from.cols;
  ints[4] = fromRow;
  ints[5] = fromCol;
  ints[6] = to.rows;
  ints[7] = to.cols;
  ints[8] = toRow;
  ints[9] = toCol;
  native.copyBlock(ints, from.data, to.data);
  return to;
}

function requireInside(what: string, m: Matrix, row: number, col: number, rows: number, cols: number): void {
  if (!(isWithin(row, rows, m.rows) && isWithin(col, cols, m.cols)))
    throw new ArgumentError(`copyBlock: ${rows} x ${cols} entries at (${row}, ${col}) lie outside ${what}, which is ${shape(m)}`);
}

const isWithin = (start: number, length: number, end: number): boolean =>
  Number.isInteger(start) && Number.isInteger(length) && start >= 0 && length >= 0 && start + length <= end;
