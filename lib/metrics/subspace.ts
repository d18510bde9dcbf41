/** How far the learned features are from the teacher's: principal angles between row spaces. */
import { ArgumentError, NumericalError } from '../errors.js';
import {
  Matrix,
  copy,
  gemmInto,
  qr,
  singularValues,
  symmetricEigenvaluesInto,
  syrkInto,
  transpose,
  gemm,
  type Qr,
} from '../linalg/index.js';
import type { LinearTeacher, Metric } from '../types.js';

/**
 * Sine of the largest principal angle between the row spaces of a and b, |A_hat (I - B_hat' B_hat)|_2 for orthonormal bases
 * (Zhang, Moniri et al. 2025). With unequal dimensions it is the smaller space's distance from the larger one, so a wide student that
 * contains the teacher's features is at distance 0. Exact to 1e-15 when the spaces are equal.
 * @throws NumericalError SINGULAR when rows are dependent, or not numbers
 * @param a  k1 x d of full rank; @param b  k2 x d of full rank
 */
export function distanceBetween(a: Matrix, b: Matrix): number {
  return subspaceDistanceTo(b)(a);
}

/** Subspace distance of the network's feature layer from the task's; a Metric for `train`. Allocates nothing after the first call. */
export function subspaceDistance(task: Pick<LinearTeacher, 'features'>): Metric {
  const distance = subspaceDistanceTo(task.features);
  return (network) => distance(network.features);
}

interface Buffers {
  readonly double: Matrix; // h x d in float64
  readonly tall: Matrix; // d x h
  readonly qr: Qr;
  readonly overlap: Matrix; // k x h
  readonly residual: Matrix; // of the smaller space
  readonly gram: Matrix;
  readonly values: Float64Array;
}

function subspaceDistanceTo(target: Matrix): (features: Matrix) => number {
  const basis = orthonormalRowsOf(target); // k x d
  const [k, d] = [basis.rows, basis.cols];
  let held: { h: number; buffers: Buffers } | undefined;
  return (features) => {
    const h = features.rows;
    if (features.cols !== d) throw new ArgumentError(`subspaceDistance: features have ${features.cols} columns, the task has ${d} inputs`);
    if (h > d) throw new ArgumentError(`subspaceDistance: ${h} features cannot be independent in dimension ${d}`);
    if (held?.h !== h) held = { h, buffers: buffersFor(h, k, d) };
    const { double, tall, qr: factors, overlap, residual, gram, values } = held.buffers;
    double.data.set(features.data);
    const { q, r } = qr(transpose(double, tall), factors); // d x h
    requireIndependent(r);
    gemmInto(overlap, basis, q); // k x h
    if (h <= k) {
      gemmInto(copy(q, residual), basis, overlap, 'TN', -1, 1); // Q - B'(B Q), d x h
      syrkInto(gram, residual, true);
    } else {
      gemmInto(copy(basis, residual), overlap, q, 'NT', -1, 1); // B - (B Q) Q', k x d
      syrkInto(gram, residual, false);
    }
    symmetricEigenvaluesInto(values, gram);
    return Math.sqrt(Math.max(0, values[values.length - 1]));
  };
}

function buffersFor(h: number, k: number, d: number): Buffers {
  const small = Math.min(h, k);
  return {
    double: Matrix.zeros(h, d),
    tall: Matrix.zeros(d, h),
    qr: { q: Matrix.zeros(d, h), r: Matrix.zeros(h, h) },
    overlap: Matrix.zeros(k, h),
    residual: h <= k ? Matrix.zeros(d, h) : Matrix.zeros(k, d),
    gram: Matrix.zeros(small, small),
    values: new Float64Array(small),
  };
}

/** All principal angles between the row spaces of a and b in radians, ascending; accurate for small and for large ones (Bjorck &
 *  Golub 1973: cosines where an angle is above pi/4, sines below).
 *  @param a  k1 x d of full rank; @param b  k2 x d of full rank
 *  @returns  min(k1, k2) angles in [0, pi/2] */
export function principalAngles(a: Matrix, b: Matrix): Float64Array {
  if (a.cols !== b.cols)
    throw new ArgumentError(`principalAngles: the rows have ${a.cols} and ${b.cols} entries; they must live in one space`);
  const [small, large] = a.rows <= b.rows ? [a, b] : [b, a];
  const p = orthonormalRowsOf(small);
  const q = orthonormalRowsOf(large);
  const overlap = gemm(p, q, { transposeB: true });
  const cosines = singularValues(overlap); // descending: the smallest angle first
  const sines = singularValues(gemmInto(p, overlap, q, 'NN', -1, 1)).reverse();
  return Float64Array.from(cosines, (c, i) => (c * c < 0.5 ? Math.acos(Math.min(1, c)) : Math.asin(Math.min(1, sines[i]))));
}

/** An orthonormal basis of a's row space, in float64. @returns k x d, new */
export function orthonormalRowsOf(a: Matrix): Matrix {
  if (a.rows > a.cols) throw new ArgumentError(`${a.rows} rows cannot be independent in dimension ${a.cols}`);
  const { q, r } = qr(transpose(a.clone('float64')));
  requireIndependent(r);
  return transpose(q);
}

/** Rows that are dependent to working precision span a smaller space, and QR would fill it up with a direction of its own making.
 *  @param r  k x k, upper triangular
 *  @throws NumericalError SINGULAR */
function requireIndependent(r: Matrix): void {
  const k = r.rows;
  let largest = 0;
  for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(r.data[i * k + i]));
  for (let i = 0; i < k; i++)
    if (!(Math.abs(r.data[i * k + i]) > k * Number.EPSILON * largest))
      throw new NumericalError(
        'SINGULAR',
        `the features have collapsed: row ${i} depends on the rows before it, so they span fewer than ${k} dimensions`,
      );
}
