/**
 * Compares gemm, syrk, potrf and syevd in both types with plain loops over odd shapes. Some OpenBLAS builds compute wrong results
 * on processors newer than they are, silently; a second spent on such a machine is worse than an error at load.
 */
import { LibraryError } from '../errors.js';
import type { Floats, Native } from './addon.js';

type Make = (length: number) => Floats;
const TYPES: readonly { dtype: string; make: Make; epsilon: number }[] = [
  { dtype: 'float64', make: (n) => new Float64Array(n), epsilon: 2 ** -52 },
  { dtype: 'float32', make: (n) => new Float32Array(n), epsilon: 2 ** -23 },
];
/** m, n, k: odd, prime, and just past the tile sizes of vector kernels. */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [5, 3, 7],
  [17, 13, 19],
  [33, 9, 31],
  [41, 37, 23],
];
const ORDERS = [1, 3, 13, 37] as const;

/** The operations it calls; a test hands it sabotaged ones. */
export type Checked = Pick<Native, 'gemm' | 'syrk' | 'potrf' | 'syevd' | 'systemInfo'>;

/** @throws LibraryError naming kernel, operation and error where a result is wrong. */
export function selfTest(native: Checked): void {
  for (const { dtype, make, epsilon } of TYPES) {
    const check = (operation: string, shape: string, error: number, scale: number): void => {
      const allowed = 64 * epsilon * scale;
      if (error <= allowed) return;
      const { kernel, config } = native.systemInfo();
      throw new LibraryError(
        `${config} computes ${operation} wrongly in ${dtype} on this processor: error ${error.toExponential(1)} where ${allowed.toExponential(1)} is allowed (shape ${shape}, kernel ${kernel}). ` +
          `Set OPENBLAS_CORETYPE to an older kernel (Haswell, or Sandybridge) before starting Node, or install a newer OpenBLAS; \`layerwise doctor\` checks again.`,
      );
    };
    for (const [m, n, k] of SHAPES) {
      const a = pseudo(make, m * k, 1);
      const b = pseudo(make, k * n, 2);
      const shape = `${m}x${n}x${k}`;
      check('gemm', shape, gemmError(native, make, a, b, m, n, k), k);
      check('syrk', shape, syrkError(native, make, a, m, k), k);
    }
    for (const n of ORDERS) {
      const a = gram(make, pseudo(make, n * n, 3), n);
      check('potrf', `${n}x${n}`, potrfError(native, a, n), 4 * n);
      check('syevd', `${n}x${n}`, syevdError(native, make, a, n), 4 * n);
    }
  }
}

/** Fixed values in [-1, 1) with no pattern that a wrong stride would keep. */
function pseudo(make: Make, length: number, salt: number): Floats {
  const x = make(length);
  let state = 0x9e3779b9 ^ Math.imul(salt, 0x85ebca6b);
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    x[i] = state / 2 ** 31;
  }
  return x;
}

/** A A' / n + I: positive definite, of norm a few units. */
function gram(make: Make, a: Floats, n: number): Floats {
  const s = make(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = i === j ? 1 : 0;
      for (let p = 0; p < n; p++) sum += (a[i * n + p] * a[j * n + p]) / n;
      s[i * n + j] = sum;
    }
  return s;
}

/** The largest difference; NaN counts as infinitely wrong. */
const worst = (error: number, got: number, want: number): number => {
  const e = Math.abs(got - want);
  return Number.isNaN(e) ? Infinity : Math.max(error, e);
};

function gemmError(native: Checked, make: Make, a: Floats, b: Floats, m: number, n: number, k: number): number {
  const c = make(m * n);
  native.gemm(Int32Array.of(0, 0, m, n, k), 1, a, b, 0, c);
  let error = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[i * k + p] * b[p * n + j];
      error = worst(error, c[i * n + j], sum);
    }
  return error;
}

function syrkError(native: Checked, make: Make, a: Floats, n: number, k: number): number {
  const c = make(n * n);
  native.syrk(Int32Array.of(0, n, k), 1, a, 0, c);
  let error = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[i * k + p] * a[j * k + p];
      error = worst(error, c[i * n + j], sum);
    }
  return error;
}

function potrfError(native: Checked, a: Floats, n: number): number {
  const l = a.slice();
  if (native.potrf(Int32Array.of(n), l) !== 0) return Infinity;
  let error = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let p = 0; p <= j; p++) sum += l[i * n + p] * l[j * n + p];
      error = worst(error, sum, a[i * n + j]);
    }
  return error;
}

function syevdError(native: Checked, make: Make, a: Floats, n: number): number {
  const v = a.slice();
  const w = make(n);
  if (native.syevd(Int32Array.of(n, 1), v, w) !== 0) return Infinity;
  let error = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let product = 0;
      for (let p = 0; p < n; p++) {
        sum += v[i * n + p] * w[p] * v[j * n + p];
        product += v[i * n + p] * v[j * n + p];
      }
      error = worst(worst(error, sum, a[i * n + j]), product, i === j ? 1 : 0);
    }
  return error;
}
