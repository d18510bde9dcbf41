import { ArgumentError } from '../errors.js';
import { type Floats, Matrix } from '../linalg/index.js';
import { native } from '../native/index.js';

/** Signs that one table index covers, and entries that a row is padded to: as in native/signs.h. */
const SIGNS = 5;
const BYTES = 64;

/** Largest table worth having: beyond the second-level cache a product is faster. */
const LIMIT = 1 << 20;

/**
 * Sums of the rows of a matrix A with all signs, five rows at a time, so that u A for random signs u costs one addition a result entry for
 * every five signs and no multiplication (`Stream.signedProduct`).
 */
export class SignTable {
  /** m: signs a sample. */
  readonly rows: number;
  /** d: entries a sample. */
  readonly cols: number;
  readonly dtype: Matrix['dtype'];
  readonly data: Floats;

  /** @param a  m x d */
  constructor(a: Matrix) {
    this.rows = a.rows;
    this.cols = a.cols;
    this.dtype = a.dtype;
    this.data = Matrix.zeros(1, tableLength(a), a.dtype).data;
    native.signTable(Int32Array.of(a.rows, a.cols), a.data, this.data);
  }

  /** Whether a table of the matrix is small enough to beat a product. */
  static pays(a: Matrix): boolean {
    return tableLength(a) * a.data.BYTES_PER_ELEMENT <= LIMIT;
  }
}

function tableLength(a: Matrix): number {
  const lanes = BYTES / a.data.BYTES_PER_ELEMENT;
  const stride = Math.ceil(a.cols / lanes) * lanes;
  const length = (Math.ceil(a.rows / SIGNS) * 2 ** SIGNS + 1) * stride; // one row to spare: the native side aligns the first
  if (length > 2 ** 31 - 1) throw new ArgumentError(`SignTable: a ${a.rows} x ${a.cols} matrix is too large for a table`);
  return length;
}
