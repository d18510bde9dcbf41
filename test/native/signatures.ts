/** What every native operation takes, as recipes for valid calls: for the fuzzer, and for tests that spoil one argument at a time. */
import type { Native } from '../../lib/native/index.js';

export type Op = keyof Native;

/** One argument of a call. Lengths and values in it fit together with those of the other slots. */
export type Slot =
  | { readonly kind: 'ints'; readonly values: readonly number[] }
  | {
      readonly kind: 'floats';
      readonly length: number;
      readonly written: boolean;
      readonly optional: boolean;
      /** Where given, the entries are whole numbers in [0, below). */
      readonly below?: number;
    }
  | { readonly kind: 'doubles'; readonly values: readonly number[]; readonly written: boolean }
  | { readonly kind: 'indices'; readonly length: number; readonly low: number; readonly high: number; readonly written: boolean }
  | { readonly kind: 'words'; readonly length: number; readonly written: boolean }
  /** Bytes below 32. */
  | { readonly kind: 'fives'; readonly length: number; readonly written: boolean }
  | { readonly kind: 'scalar'; readonly least: number }
  | { readonly kind: 'absent' };

/** Where a recipe takes its freedom from: sizes (at least `least`) and flags. */
export interface Choices {
  readonly size: (least?: number) => number;
  readonly flag: () => 0 | 1;
}

const ints = (...values: number[]): Slot => ({ kind: 'ints', values });
const input = (length: number): Slot => ({ kind: 'floats', length, written: false, optional: false });
const output = (length: number): Slot => ({ kind: 'floats', length, written: true, optional: false });
const optional = (length: number): Slot => ({ kind: 'floats', length, written: true, optional: true });
const optionalInput = (length: number): Slot => ({ kind: 'floats', length, written: false, optional: true });
const labels = (length: number, below: number): Slot => ({ kind: 'floats', length, written: false, optional: false, below });
const doubles = (...values: number[]): Slot => ({ kind: 'doubles', values, written: false });
const indices = (length: number, low: number, high: number, written = false): Slot => ({ kind: 'indices', length, low, high, written });
const words = (length: number, written = false): Slot => ({ kind: 'words', length, written });
/** Signs by rows, as bits and as fives. */
const bits = (rows: number, m: number, written = false): Slot => words(2 * rows * Math.ceil(m / 64), written);
const fives = (rows: number, m: number, written = false): Slot => ({
  kind: 'fives',
  length: rows * 8 * Math.ceil(m / 40),
  written,
});
const scalar = (least = -Infinity): Slot => ({ kind: 'scalar', least });
const stream = (): Slot => ({ kind: 'doubles', values: [1, 2, 300], written: true });
const hyper = (): Slot => doubles(0.1, 0.9, 0.99, 1e-8, 0.1, 0.01);

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
    return [ints(flag(), flag(), n, m), input(n * n), output(n * m)];
  },
  dampedSolve: ({ size, flag }) => {
    const [n, m] = [size(), size()];
    return [ints(flag(), n, m), scalar(), input(n * n), optionalInput(n * n), output(n * m), output(n * n)];
  },
  factorAbove: ({ size }) => {
    const n = size();
    return [ints(n), scalar(), input(n), output(n * n)];
  },
  mirrorLower: ({ size }) => {
    const n = size();
    return [ints(n), optionalInput(n), output(n * n)];
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
  orthonormalColumns: ({ size }) => {
    const [extra, n] = [size(), size()];
    return [ints(n + extra, n), output((n + extra) * n)];
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

  signs: ({ size }) => {
    const n = size();
    const m = n > 1e6 ? 0 : size(); // n m signs are drawn: a stream has 2^53
    return [ints(n, m), stream(), bits(n, m, true), fives(n, m, true)];
  },
  transposeSigns: ({ size }) => {
    const [n, m] = [size(), size()];
    return [ints(n, m), bits(n, m), bits(m, n, true), fives(m, n, true)];
  },
  signProduct: ({ size }) => {
    const [n, m, d] = [size(), size(), size()];
    return [ints(n, m, d), fives(n, m), input(m * d), output(n * d)];
  },
  signGram: ({ size }) => {
    const [m, n] = [size(), size()];
    return [ints(m, n), scalar(), bits(m, n), scalar(), output(m * m)];
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
  divideEntries: ({ size }) => {
    const n = size();
    return [output(n), input(n), scalar()];
  },
  adam: ({ size }) => {
    const n = size();
    return [hyper(), input(n), output(n), output(n), optional(n), output(n)];
  },
  squaredLoss: ({ size }) => {
    const [n, d] = [size(), size()];
    return [ints(n, d), input(n * d), input(n * d), output(n * d)];
  },

  transpose: ({ size }) => {
    const [m, n] = [size(), size()];
    return [ints(m, n), input(m * n), output(m * n)];
  },
  copyBlock: ({ size }) => {
    const [rows, cols, fromRow, fromCol, toRow, toCol] = [size(), size(), size(), size(), size(), size()].map((x) => Math.min(x, 2 ** 30));
    const [m, n] = [fromRow + rows, fromCol + cols]; // the rectangle ends where `from` does, and one before `to`
    const [p, q] = [toRow + rows + 1, toCol + cols + 1];
    return [ints(rows, cols, m, n, fromRow, fromCol, p, q, toRow, toCol), input(m * n), output(p * q)];
  },
  broadcastRow: ({ size }) => {
    const [n, d] = [size(), size()];
    return [ints(n, d), input(d), output(n * d)];
  },
  columnSums: ({ size }) => {
    const [n, d] = [size(), size()];
    return [ints(n, d), scalar(), input(n * d), output(d)];
  },
  scaleRows: ({ size }) => {
    const [m, n] = [size(), size()];
    return [ints(m, n), output(m * n), input(m)];
  },
  scaleColumns: ({ size }) => {
    const [m, n] = [size(), size()];
    return [ints(m, n), output(m * n), input(n)];
  },
  divideByOuterSum: ({ size }) => {
    const [m, n] = [size(), size()];
    return [ints(m, n), output(m * n), optionalInput(m), input(n), scalar()];
  },
  affineRows: ({ size }) => {
    const [n, d] = [size(), size()];
    return [ints(n, d), input(n * d), input(2 * d), output(n * d)];
  },

  activation: ({ size }) => {
    const [n, kind] = [size(), (size() + 4) % 6]; // a leaky ReLU for the size of 4 that tests of single arguments get
    const parameters = kind === 2 ? [0.1] : kind === 5 ? Array.from({ length: n % 4 }, (_, k) => 1 / (k + 1)) : [];
    return [ints(kind), doubles(...parameters), input(n), output(n), output(n)];
  },
  softmax: ({ size }) => {
    const [n, c] = [size(), size()];
    return [ints(n, c), input(n * c), output(n * c)];
  },
  softmaxCrossEntropy: ({ size }) => {
    const [n, c] = [size(), size(1)];
    return [ints(n, c), input(n * c), labels(n, c), output(n * c)];
  },
  logisticLoss: ({ size }) => {
    const [n, c] = [size(), size()];
    return [ints(n, c), input(n * c), input(n * c), output(n * c)];
  },
  batchNormForward: ({ size }) => {
    const [n, d] = [size(1), size()];
    return [ints(n, d), scalar(), input(n * d), output(2 * d), output(n * d)];
  },
  batchNormBackward: ({ size }) => {
    const [n, d] = [size(1), size()];
    return [ints(n, d), scalar(), input(n * d), input(2 * d), output(n * d), output(2 * d)];
  },
  layerNormForward: ({ size }) => {
    const [n, d] = [size(), size(1)];
    return [ints(n, d), scalar(), input(n * d), output(n * d), output(n)];
  },
  layerNormBackward: ({ size }) => {
    const [n, d] = [size(), size(1)];
    return [ints(n, d), input(n * d), input(n), input(d), output(n * d), output(2 * d)];
  },

  unfold: (choices) => {
    const { values, images, patches } = windows(choices, true);
    return [ints(...values), input(images), output(patches)];
  },
  fold: (choices) => {
    const { values, images, patches } = windows(choices, true);
    return [ints(...values), input(patches), output(images)];
  },
  maxPool: (choices) => {
    const { values, images, pooled } = windows(choices, false);
    return [ints(...values), input(images), output(pooled), indices(pooled, 0, 0, true)];
  },
  maxPoolBackward: (choices) => {
    const { values, image, images, pooled } = windows(choices, false);
    return [ints(...values), input(pooled), indices(pooled, 0, image - 1), output(images)];
  },
  averagePool: (choices) => {
    const { values, images, pooled } = windows(choices, false);
    return [ints(...values), input(images), output(pooled)];
  },
  averagePoolBackward: (choices) => {
    const { values, images, pooled } = windows(choices, false);
    return [ints(...values), input(pooled), output(images)];
  },

  systemInfo: () => [],
  setThreads: () => [ints(1)],
  endWithParent: () => [],
};

/** Images, a kernel that fits into them and their padding, and the counts of entries: integers in native order. */
function windows({ size }: Choices, padded: boolean): { values: number[]; image: number; images: number; pooled: number; patches: number } {
  const [n, c] = [size(), size()];
  const [height, width] = [1 + (size() % 6), 1 + (size() % 7)];
  const padding = padded ? size() % 3 : 0;
  const [kernelHeight, kernelWidth] = [1 + (size() % (height + 2 * padding)), 1 + (size() % (width + 2 * padding))];
  const stride = 1 + (size() % 3);
  const along = (length: number, kernel: number): number => Math.floor((length + 2 * padding - kernel) / stride) + 1;
  const image = height * width * c;
  const pooled = n * along(height, kernelHeight) * along(width, kernelWidth) * c;
  return {
    values: [n, height, width, c, kernelHeight, kernelWidth, stride, padding],
    image,
    images: n * image,
    pooled,
    patches: pooled * kernelHeight * kernelWidth,
  };
}

/** m, n and min(m, n). */
function sizes(size: Choices['size']): [number, number, number] {
  const [m, n] = [size(), size()];
  return [m, n, Math.min(m, n)];
}

export const OPS = Object.keys(SIGNATURES) as Op[];

/** Calls an operation with any arguments. */
export const invoke = (native: Native, op: Op, args: readonly unknown[]): unknown =>
  (native as unknown as Record<string, (...args: unknown[]) => unknown>)[op](...args);
