import { ArgumentError } from '../errors.js';
import type { Floats } from '../native/index.js';

export type { Floats };
export type Dtype = 'float64' | 'float32';

const LIMIT = 2 ** 31 - 1;

/** A dense matrix: row-major, contiguous, float64 or float32. Vectors are matrices of one row or one column. */
export class Matrix {
  readonly rows: number;
  readonly cols: number;
  /** Entry (i, j) is `data[i * cols + j]`; the length is exactly rows * cols. */
  readonly data: Floats;

  private constructor(rows: number, cols: number, data: Floats) {
    this.rows = rows;
    this.cols = cols;
    this.data = data;
  }

  get dtype(): Dtype {
    return this.data instanceof Float64Array ? 'float64' : 'float32';
  }

  /** A rows x cols matrix of zeros. */
  static zeros(rows: number, cols: number, dtype: Dtype = 'float64'): Matrix {
    checkSize('rows', rows);
    checkSize('cols', cols);
    return new Matrix(rows, cols, allocate(rows * cols, dtype));
  }

  /** The n x n identity. */
  static identity(n: number, dtype: Dtype = 'float64'): Matrix {
    const m = Matrix.zeros(n, n, dtype);
    for (let i = 0; i < n; i++) m.data[i * n + i] = 1;
    return m;
  }

  /** A matrix with the given diagonal. */
  static diagonal(values: ArrayLike<number>, dtype: Dtype = 'float64'): Matrix {
    const m = Matrix.zeros(values.length, values.length, dtype);
    for (let i = 0; i < values.length; i++) m.data[i * values.length + i] = values[i];
    return m;
  }

  /** A matrix from its rows, copied. @throws ArgumentError when rows differ in length. */
  static from(rows: readonly ArrayLike<number>[], dtype: Dtype = 'float64'): Matrix {
    const cols = rows.length === 0 ? 0 : rows[0].length;
    const m = Matrix.zeros(rows.length, cols, dtype);
    rows.forEach((row, i) => {
      if (row.length !== cols) throw new ArgumentError(`Matrix.from: row ${i} has ${row.length} entries where row 0 has ${cols}`);
      m.data.set(row, i * cols);
    });
    return m;
  }

  /** A matrix over existing memory, not copied: writing to either writes to both. */
  static wrap(data: Floats, rows: number, cols: number): Matrix {
    checkSize('rows', rows);
    checkSize('cols', cols);
    if (!(data instanceof Float64Array || data instanceof Float32Array))
      throw new ArgumentError('Matrix.wrap: data must be a Float64Array or a Float32Array');
    if (data.length !== rows * cols)
      throw new ArgumentError(`Matrix.wrap: ${rows} x ${cols} needs ${rows * cols} entries, the array has ${data.length}`);
    return new Matrix(rows, cols, data);
  }

  get(i: number, j: number): number {
    if (!(i >= 0 && i < this.rows && j >= 0 && j < this.cols && Number.isInteger(i) && Number.isInteger(j)))
      throw new ArgumentError(`entry (${i}, ${j}) is outside a ${this.rows} x ${this.cols} matrix`);
    return this.data[i * this.cols + j];
  }

  /** A copy, in another dtype when one is named. */
  clone(dtype: Dtype = this.dtype): Matrix {
    const copy = Matrix.zeros(this.rows, this.cols, dtype);
    copy.data.set(this.data);
    return copy;
  }

  /** The entries as arrays of rows, for printing and JSON. */
  toRows(): number[][] {
    return Array.from({ length: this.rows }, (_, i) => Array.from(this.data.subarray(i * this.cols, (i + 1) * this.cols)));
  }
}

export function allocate(length: number, dtype: Dtype): Floats {
  requireOneOf('Matrix', 'dtype', dtype, ['float64', 'float32']);
  try {
    return dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
  } catch (cause) {
    throw new ArgumentError(`cannot hold ${length} entries of ${dtype} in memory`, { cause });
  }
}

/** Machine epsilon of a dtype: the distance from 1 to the next number. */
export const epsilonOf = ({ dtype }: { readonly dtype: Dtype }): number => (dtype === 'float64' ? 2 ** -52 : 2 ** -23);

function checkSize(what: string, n: number): void {
  if (!Number.isInteger(n) || n < 0 || n > LIMIT) throw new ArgumentError(`${what} must be an integer in [0, 2^31), got ${n}`);
}

// ---- Checks shared by the operations; `op` opens every message. ----

export const shape = (m: Matrix): string => `${m.rows} x ${m.cols}`;

export function requireShape(op: string, what: string, m: Matrix, rows: number, cols: number): void {
  if (m.rows !== rows || m.cols !== cols) throw new ArgumentError(`${op}: ${what} must be ${rows} x ${cols}, got ${shape(m)}`);
}

export function requireSquare(op: string, what: string, m: Matrix): void {
  if (m.rows !== m.cols) throw new ArgumentError(`${op}: ${what} must be square, got ${shape(m)}`);
}

/** All operands of one call have one dtype: mixing would hide a loss of precision. */
export function requireSameDtype(op: string, a: Matrix, b: Matrix): void {
  if (a.data.BYTES_PER_ELEMENT !== b.data.BYTES_PER_ELEMENT)
    throw new ArgumentError(`${op}: operands have different dtypes, ${a.dtype} and ${b.dtype}; convert one with clone(dtype)`);
}

/** For a plain array that goes with a matrix, such as eigenvalues: its length and its dtype. */
export function requireVector(op: string, what: string, v: Floats, length: number, dtype: Dtype): void {
  if (v.length !== length || !(v instanceof (dtype === 'float64' ? Float64Array : Float32Array)))
    throw new ArgumentError(`${op}: ${what} must hold ${length} entries of ${dtype}`);
}

/** Refuses a word that is not one of those allowed. */
export function requireOneOf(op: string, what: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value))
    throw new ArgumentError(`${op}: ${what} must be one of ${allowed.join(', ')}; got ${JSON.stringify(value)}`);
}

/** Refuses options that an operation does not have: a misspelt one would be ignored in silence. */
export function requireKnown(op: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw new ArgumentError(`${op}: unknown option '${key}'; there are: ${known.join(', ')}`);
}

/** For entry-wise operations: equal shapes and dtypes. */
export function requireAlike(op: string, a: Matrix, b: Matrix): void {
  if (a.rows !== b.rows || a.cols !== b.cols) throw new ArgumentError(`${op}: shapes differ, ${shape(a)} and ${shape(b)}`);
  requireSameDtype(op, a, b);
}

/** The result matrix of a call: `out` when given (checked), else a new one of a's dtype. */
export function resultOf(op: string, a: Matrix, rows: number, cols: number, out: Matrix | undefined): Matrix {
  if (out === undefined) return Matrix.zeros(rows, cols, a.dtype);
  requireShape(op, 'out', out, rows, cols);
  requireSameDtype(op, a, out);
  return out;
}

/** Refuses an output that shares memory with an input (or a second one) which is still read while the output is written. */
export function requireDistinct(op: string, out: Matrix, a: Matrix, b: Matrix = a): void {
  if (sharesMemory(out.data, a.data) || (b !== a && sharesMemory(out.data, b.data)))
    throw new ArgumentError(`${op}: out shares memory with an operand; give it its own`);
}

export function sharesMemory(a: Floats, b: Floats): boolean {
  return (
    a.buffer === b.buffer &&
    a.length > 0 &&
    b.length > 0 &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}
