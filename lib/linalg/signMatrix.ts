/**
 * Matrices of +1 and -1, a bit an entry. A product with one is made of additions, one for every five signs, in 0.3 to 0.5 of a dense
 * product's time, and a Gram matrix counts the places where columns differ, in 0.05 of it; see native/signs.h. Results have the same bits on
 * every CPU.
 */
import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireDistinct, requireSameDtype, requireShape } from './matrix.js';

/** The rows of a matrix of signs as the native side holds them. */
interface Packed {
  /** Rows of whole 64-bit words, in halves. */
  readonly bits: Uint32Array;
  /** Rows of a byte for every five signs, in whole batches of eight. */
  readonly fives: Uint8Array;
}

const SIGNS_A_BYTE = 5;

function packed(rows: number, cols: number): Packed {
  return {
    bits: new Uint32Array(2 * rows * Math.ceil(cols / 64)),
    fives: new Uint8Array(rows * Math.ceil(Math.ceil(cols / SIGNS_A_BYTE) / 8) * 8),
  };
}

const ints = new Int32Array(3);

/** rows x cols signs, all -1 until `Stream.signs` fills it. */
export class SignMatrix {
  readonly rows: number;
  readonly cols: number;
  readonly #byRow: Packed;
  /** Of the transpose, made when it is first asked for. */
  #byColumn: Packed | undefined;
  #transposed = false;

  /** @throws ArgumentError unless both are integers in [0, 2^31), and there is memory for them */
  constructor(rows: number, cols: number) {
    for (const [name, n] of [['rows', rows] as const, ['cols', cols] as const])
      if (!Number.isInteger(n) || n < 0 || n >= 2 ** 31)
        throw new ArgumentError(`SignMatrix: ${name} must be an integer in [0, 2^31), got ${n}`);
    this.rows = rows;
    this.cols = cols;
    this.#byRow = this.#make(rows, cols);
  }

  /** For those who draw: the fields to fill, rows by rows. */
  refill(fill: (shape: Int32Array, bits: Uint32Array, fives: Uint8Array) => void): void {
    fill(this.#shape(), this.#byRow.bits, this.#byRow.fives);
    this.#transposed = false;
  }

  /** What it holds, its transpose included: for those who copy all of another matrix into it, which leaves the two alike. */
  arrays(): readonly (Uint32Array | Uint8Array)[] {
    const columns = this.#columns();
    return [this.#byRow.bits, this.#byRow.fives, columns.bits, columns.fives];
  }

  /** The entries as numbers. @param out  rows x cols, written */
  toMatrix(out: Matrix): Matrix {
    requireShape('SignMatrix.toMatrix', 'out', out, this.rows, this.cols);
    const { fives } = this.#byRow;
    const stride = fives.length / Math.max(1, this.rows);
    for (let i = 0, at = 0; i < this.rows; i++)
      for (let j = 0, group = i * stride; j < this.cols; group++)
        for (let bits = fives[group] | 32; bits > 1 && j < this.cols; bits >>= 1, j++) out.data[at++] = bits & 1 ? 1 : -1;
    return out;
  }

  /** out = U A, or U' A when transposed.
   *  @param a    cols x d (rows x d when transposed)
   *  @param out  rows x d (cols x d), written; a row depends on its signs and on A alone
   *  @throws ArgumentError on shapes or dtypes that do not fit, or when out shares memory with a
   *  Cost n m d / 5 additions, and 32 m d / 5 for tables. Source: Arlazarov, Dinic, Kronrod & Faradzev 1970. */
  times(a: Matrix, out: Matrix, transposed = false): Matrix {
    const [n, m] = transposed ? [this.cols, this.rows] : [this.rows, this.cols];
    requireShape('SignMatrix.times', 'a', a, m, a.cols);
    requireShape('SignMatrix.times', 'out', out, n, a.cols);
    requireSameDtype('SignMatrix.times', a, out);
    requireDistinct('SignMatrix.times', out, a);
    const { fives } = transposed ? this.#columns() : this.#byRow;
    ints[0] = n;
    ints[1] = m;
    ints[2] = a.cols;
    native.signProduct(ints, fives, a.data, out.data);
    return out;
  }

  /** out = alpha U'U + beta out: in float64, and in float32 below 2^24 rows, U'U is exact.
   *  @param out  cols x cols, both triangles written
   *  @throws ArgumentError when out has another shape
   *  Cost n m^2 / 128 bit operations. */
  gram(out: Matrix, alpha = 1, beta = 0): Matrix {
    requireShape('SignMatrix.gram', 'out', out, this.cols, this.cols);
    const { bits } = this.#columns();
    pair[0] = this.cols;
    pair[1] = this.rows;
    native.signGram(pair, alpha, bits, beta, out.data);
    return out;
  }

  #columns(): Packed {
    const columns = (this.#byColumn ??= this.#make(this.cols, this.rows));
    if (!this.#transposed) native.transposeSigns(this.#shape(), this.#byRow.bits, columns.bits, columns.fives);
    this.#transposed = true;
    return columns;
  }

  #shape(): Int32Array {
    pair[0] = this.rows;
    pair[1] = this.cols;
    return pair;
  }

  #make(rows: number, cols: number): Packed {
    try {
      return packed(rows, cols);
    } catch (cause) {
      throw new ArgumentError(`SignMatrix: cannot hold ${rows} x ${cols} signs in memory`, { cause });
    }
  }
}

const pair = new Int32Array(2);
