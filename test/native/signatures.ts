/** What every native operation takes, as recipes for valid calls: for the fuzzer, and for tests that spoil one argument at a time. */
import type { Native } from '../../lib/native/index.js';

export type Op = keyof Native;

/** One argument of a call. Lengths and values in it fit together with those of the other slots. */
export type Slot =
  | { readonly kind: 'ints'; readonly values: readonly number[] }
  | { readonly kind: 'floats'; readonly length: number; readonly written: boolean; readonly optional: boolean }
  | { readonly kind: 'doubles'; readonly values: readonly number[]; readonly written: boolean }
  | { readonly kind: 'indices'; readonly length: number; readonly low: number; readonly high: number; readonly written: boolean }
  | { readonly kind: 'words'; readonly length: number; readonly written: boolean }
  | { readonly kind: 'scalar'; readonly least: number }
  | { readonly kind: 'absent' };

/** Where a recipe takes its freedom from: sizes (at least `least`) and flags. */
export interface Choices {
  readonly size: (least?: number) => number;
  readonly flag: () => 0 | 1;
  /** Bytes an entry of the call's float arrays. */
  readonly width: 4 | 8;
}

const ints = (...values: number[]): Slot => ({ kind: 'ints', values });
const input = (length: number): Slot => ({ kind: 'floats', length, written: false, optional: false });
const output = (length: number): Slot => ({ kind: 'floats', length, written: true, optional: false });
const optional = (length: number): Slot => ({ kind: 'floats', length, written: true, optional: true });
const indices = (length: number, low: number, high: number, written = false): Slot => ({ kind: 'indices', length, low, high, written });
const words = (length: number, written = false): Slot => ({ kind: 'words', length, written });
const scalar = (least = -Infinity): Slot => ({ kind: 'scalar', least });
const stream = (): Slot => ({ kind: 'doubles', values: [1, 2, 300], written: true });
const hyper = (): Slot => ({ kind: 'doubles', values: [0.1, 0.9, 0.99, 1e-8, 0.1, 0.01], written: false });

/** In the order of native/addon.cc. */
export const SIGNATURES: Readonly<Record<Op, (choose: Choices) => Slot[]>> = {
  gemm: ({ size, flag }) => {
    const [m, n, k] = [size(), size(), size()];
    return [ints(flag(), flag(), m, n, k), scalar(), input(m * k), input(k * n), scalar(), output(m * n)];
  },
  syrk: ({ size, flag }) => {
    const [n, k] = [size(), size()];
    return [ints(flag(), n, k), scalar(), input(n * k), scalar(), output(n * n)];
  },
  symm: ({ size, flag }) => {
    const [right, m, n] = [flag(), size(), size()];
    return [ints(right, m, n), scalar(), input((right ? n : m) ** 2), input(m * n), scalar(), output(m * n)];
  },
  trsm: ({ size, flag }) => {
    const [right, m, n] = [flag(), size(), size()];
    return [ints(right, flag(), flag(), flag(), m, n), scalar(), input((right ? n : m) ** 2), output(m * n)];
  },
  gemv: ({ size, flag }) => {
    const [trans, m, n] = [flag(), size(), size()];
    return [ints(trans, m, n), scalar(), input(m * n), input(trans ? m : n), scalar(), output(trans ? n : m)];
  },
  dot: ({ size }) => {
    const n = size();
    return [input(n), input(n)];
  },
  nrm2: ({ size }) => [input(size())],

  potrf: ({ size }) => {
    const n = size();
    return [ints(n), output(n * n)];
  },
  potrs: ({ size, flag }) => {
    const [n, m] = [size(), size()];
    return [ints(flag(), n, m), input(n * n), output(n * m)];
  },
  dampedSolve: ({ size, flag }) => {
    const [n, m] = [size(), size()];
    return [ints(flag(), n, m), scalar(), input(n * n), output(n * m), output(n * n)];
  },
  getrf: ({ size }) => {
    const n = size();
    return [ints(n), output(n * n), indices(n, 1, n, true)];
  },
  getrs: ({ size }) => {
    const [n, m] = [size(), size()];
    return [ints(n, m), input(n * n), indices(n, 1, n), output(n * m)];
  },
  qr: ({ size }) => {
    const [m, n] = [size(), size()];
    return [ints(m, n), input(m * n), output(m * Math.min(m, n)), output(Math.min(m, n) * n)];
  },
  gesdd: ({ size, flag }) => {
    const [m, n, k] = sizes(size);
    const vectors = flag() ? output : (): Slot => ({ kind: 'absent' });
    return [ints(m, n), input(m * n), vectors(m * k), output(k), vectors(k * n)];
  },
  gelsd: ({ size }) => {
    const [m, n, k] = sizes(size);
    const r = size();
    return [ints(m, n, r), input(m * n), input(m * r), output(n * r), output(k), scalar(0)];
  },
  syevd: ({ size, flag }) => {
    const n = size();
    return [ints(n, flag()), output(n * n), output(n)];
  },
  syevr: ({ size }) => {
    const n = size(1);
    const first = 1 + (size() % n);
    const last = first + (size() % (n - first + 1));
    return [ints(n, first, last), input(n * n), output(last - first + 1), optional(n * (last - first + 1))];
  },

  philox: () => [words(4), words(2), words(4, true)],
  uniform: ({ size }) => [stream(), output(size())],
  normal: ({ size }) => [stream(), scalar(), output(size())],
  rademacher: ({ size }) => [stream(), scalar(), output(size())],

  signTable: ({ size, width }) => {
    const [m, d] = [size(), size()];
    return [ints(m, d), input(m * d), output(tableLength(m, d, width))];
  },
  signedProduct: ({ size, width }) => {
    const n = size();
    const [m, d] = [n > 1e6 ? 0 : size(), size()]; // n m signs are drawn: a stream has 2^53
    return [ints(n, m, d), stream(), input(tableLength(m, d, width)), output(n * d)];
  },

  axpby: ({ size }) => {
    const n = size();
    return [scalar(), input(n), scalar(), output(n)];
  },
  scale: ({ size }) => [scalar(), output(size())],
  hadamard: ({ size }) => {
    const n = size();
    return [input(n), input(n), output(n)];
  },
  transpose: ({ size }) => {
    const [m, n] = [size(), size()];
    return [ints(m, n), input(m * n), output(m * n)];
  },
  activation: ({ size, flag }) => {
    const n = size();
    return [ints(flag()), input(n), output(n), output(n)];
  },
  adam: ({ size }) => {
    const n = size();
    return [hyper(), input(n), output(n), output(n), optional(n), output(n)];
  },
  batchNormForward: ({ size }) => {
    const [n, d] = [size(1), size()];
    return [ints(n, d), scalar(), input(n * d), output(2 * d), output(n * d)];
  },
  affineRows: ({ size }) => {
    const [n, d] = [size(), size()];
    return [ints(n, d), input(n * d), input(2 * d), output(n * d)];
  },
  batchNormBackward: ({ size }) => {
    const [n, d] = [size(1), size()];
    return [ints(n, d), scalar(), input(n * d), input(2 * d), output(n * d), output(2 * d)];
  },
  squaredLoss: ({ size }) => {
    const [n, d] = [size(), size()];
    return [ints(n, d), input(n * d), input(n * d), output(n * d)];
  },
  softmaxCrossEntropy: ({ size }) => {
    const [n, c] = [size(), size(1)];
    return [ints(n, c), indices(n, 0, c - 1), output(n * c)];
  },

  systemInfo: () => [],
  setThreads: () => [ints(1)],
};

/** m, n and min(m, n). */
function sizes(size: Choices['size']): [number, number, number] {
  const [m, n] = [size(), size()];
  return [m, n, Math.min(m, n)];
}

export const OPS = Object.keys(SIGNATURES) as Op[];

/** Calls an operation with any arguments. */
export const invoke = (native: Native, op: Op, args: readonly unknown[]): unknown =>
  (native as unknown as Record<string, (...args: unknown[]) => unknown>)[op](...args);

/** Entries of a sign table for an m x d matrix: 32 sums for every five rows, rows padded to 64 bytes, and a row to spare. */
function tableLength(m: number, d: number, width: 4 | 8): number {
  const lanes = 64 / width;
  return (Math.ceil(m / 5) * 32 + 1) * Math.ceil(d / lanes) * lanes;
}
