/** A few leading eigenpairs or singular vectors of a matrix: by LAPACK where it is moderate, by Lanczos where it is large. */
import { ArgumentError, NumericalError } from '../errors.js';
import { native } from '../native/index.js';
import { gemm } from './gemm.js';
import { epsilonOf, type Floats, Matrix, allocate, requireSquare } from './matrix.js';
import { symmetricEigenRange, symmetricEigenvaluesInto } from './symmetricEigen.js';
import { syrk } from './syrk.js';

export interface TopEigen {
  /** k eigenvalues, descending. */
  readonly values: Floats;
  /** n x k: column j belongs to values[j]. */
  readonly vectors: Matrix;
}

/** Up to this order dsyevr reduces the whole matrix faster than Lanczos finds a few of its eigenpairs. */
const MODERATE = 600;
const MOST_STEPS = 600;

/** The k largest eigenvalues of a symmetric matrix and their eigenvectors.
 *  @param a  n x n symmetric, both triangles given; not modified
 *  @throws ArgumentError if not square, or k is not in [1, n]; NumericalError NOT_FINITE, or NOT_CONVERGED
 *  Above order 600 by Lanczos with full reorthogonalisation, about 2 n^2 a step and some 20 to 100 steps: pairs have residuals of at most
 *  1e-10 of the largest eigenvalue, and a second process, orthogonal to those found, has made sure that none above the k-th is missing
 *  (a multiple one, say). Source: LAPACK dsyevr; Parlett 1998, chapter 13. */
export function topEigen(a: Matrix, k: number): TopEigen {
  requireSquare('topEigen', 'a', a);
  const n = a.rows;
  if (!(Number.isInteger(k) && k >= 1 && k <= n)) throw new ArgumentError(`topEigen: k must be an integer in [1, ${n}], got ${k}`);
  if (n <= MODERATE || 8 * k > n) return descending(symmetricEigenRange(a, n - k, n - 1));
  const found: Pair[] = [];
  // Each process starts orthogonally to all pairs found; the last one finds nothing larger than the k-th.
  for (let round = 0; round <= k + 1; round++) {
    const pairs = lanczos(a, k, found, round);
    const least = found.length >= k ? found[k - 1].value : -Infinity;
    const scale = Math.max(0, ...[...pairs, ...found].map((p) => Math.abs(p.value)));
    const fresh = pairs.filter((p) => p.value > least + 1e-8 * scale);
    if (fresh.length === 0 && found.length >= k) return collected(found.slice(0, k), a);
    found.push(...fresh);
    found.sort((p, q) => q.value - p.value);
  }
  throw notConverged(k);
}

/** The k leading right singular vectors of a matrix, through the Gram matrix of its smaller side: singular values below 1e-8 of the
 *  largest are lost in its rounding.
 *  @param a  m x n; @returns k singular values, descending, and k x n orthonormal rows
 *  @throws as topEigen */
export function topRightSingularVectors(a: Matrix, k: number): TopEigen {
  const [m, n] = [a.rows, a.cols];
  const wide = m < n;
  const { values, vectors } = topEigen(syrk(a, { transpose: !wide }), k);
  const s = values.map((l) => Math.sqrt(Math.max(0, l)));
  // Rows: V', or U'A / s.
  const rows = wide ? gemm(vectors, a, { transposeA: true }) : transposed(vectors);
  for (let j = 0; j < k; j++) {
    const row = rows.data.subarray(j * n, (j + 1) * n);
    const size = native.nrm2(row);
    if (size > 0) native.scale(1 / size, row);
  }
  return { values: s, vectors: rows };
}

/** All singular values of a matrix, descending, from the Gram matrix of its smaller side: several times faster than `singularValues` for
 *  tall ones, and accurate to 1e-8 of the largest. @throws NumericalError NOT_FINITE, or NOT_CONVERGED */
export function gramSingularValues(a: Matrix): Floats {
  const gram = syrk(a, { transpose: a.rows >= a.cols });
  const values = symmetricEigenvaluesInto(allocate(gram.rows, a.dtype), gram);
  return values.reverse().map((l) => Math.sqrt(Math.max(0, l)));
}

interface Pair {
  readonly value: number;
  readonly vector: Floats;
}

/** Up to k leading Ritz pairs that have converged, of the operator restricted to what is orthogonal to the pairs given. */
function lanczos(a: Matrix, k: number, against: readonly Pair[], round: number): Pair[] {
  const n = a.rows;
  const most = Math.min(n - against.length, MOST_STEPS);
  // One orthonormal set: those found before, then the Lanczos vectors. (Against one after the other, what is left of the one would grow.)
  const before = against.length;
  const rows = Matrix.zeros(before + most, n, a.dtype);
  against.forEach((p, i) => rows.data.set(p.vector, i * n));
  const basis = Matrix.wrap(rows.data.subarray(before * n), most, n);
  const u = startVector(n, round, a);
  orthogonalise(u, rows, before);
  const norm = native.nrm2(u.data);
  if (!(norm > 0)) return [];
  native.scale(1 / norm, u.data);
  const [alphas, betas]: [number[], number[]] = [[], []];
  for (let steps = 1; steps <= most; steps++) {
    const v = basis.data.subarray((steps - 1) * n, steps * n);
    v.set(u.data);
    native.gemv(Int32Array.of(0, n, n), 1, a.data, v, 0, u.data);
    alphas.push(native.dot(v, u.data));
    orthogonalise(u, rows, before + steps);
    const beta = native.nrm2(u.data);
    if (!Number.isFinite(beta)) throw new NumericalError('NOT_FINITE', 'topEigen: the matrix holds NaN or infinity');
    const scale = Math.max(...alphas.map(Math.abs), ...betas);
    const closed = beta <= n * epsilonOf(a) * scale || steps === most;
    if (closed || steps % 10 === 0) {
      const ritz = ritzPairs(alphas, betas, k);
      const tolerance = (a.dtype === 'float64' ? 1e-10 : 1e-5) * Math.abs(ritz[0].value);
      const enough = ritz.length === k || closed;
      if (enough && ritz.every(({ last }) => closed || beta * Math.abs(last) <= tolerance)) {
        if (steps === most && steps < n - against.length && ritz.some(({ last }) => beta * Math.abs(last) > tolerance))
          throw notConverged(k);
        return ritz.map(({ value, weights }) => ({ value, vector: combined(basis, weights) }));
      }
    }
    betas.push(beta);
    native.scale(1 / beta, u.data);
  }
  throw notConverged(k);
}

interface Ritz {
  readonly value: number;
  readonly weights: Floats;
  readonly last: number;
}

/** The leading eigenpairs of the tridiagonal matrix. */
function ritzPairs(alphas: readonly number[], betas: readonly number[], k: number): Ritz[] {
  const m = alphas.length;
  const t = Matrix.zeros(m, m);
  alphas.forEach((x, i) => (t.data[i * m + i] = x));
  for (let i = 0; i + 1 < m; i++) t.data[(i + 1) * m + i] = t.data[i * m + i + 1] = betas[i];
  const count = Math.min(k, m);
  const { values, vectors } = symmetricEigenRange(t, m - count, m - 1);
  return Array.from({ length: count }, (_, j) => {
    const column = count - 1 - j;
    const weights = Float64Array.from({ length: m }, (_unused, i) => vectors.data[i * count + column]);
    return { value: values[column], weights, last: weights[m - 1] };
  });
}

function combined(basis: Matrix, weights: Floats): Floats {
  const [m, n] = [weights.length, basis.cols];
  const out = allocate(n, basis.dtype);
  const w = allocate(m, basis.dtype);
  w.set(weights);
  native.gemv(Int32Array.of(1, m, n), 1, basis.data.subarray(0, m * n), w, 0, out);
  return out;
}

/** u loses what it has of the first rows of an orthonormal set; twice is enough. */
function orthogonalise(u: Matrix, rows: Matrix, count: number): void {
  if (count === 0) return;
  const n = u.rows;
  const overlap = allocate(count, u.dtype);
  const own = rows.data.subarray(0, count * n);
  for (let pass = 0; pass < 2; pass++) {
    native.gemv(Int32Array.of(0, count, n), 1, own, u.data, 0, overlap);
    native.gemv(Int32Array.of(1, count, n), -1, own, overlap, 1, u.data);
  }
}

/** Fixed, and generic: no structured eigenvector is orthogonal to it but by ill luck. */
function startVector(n: number, round: number, like: Matrix): Matrix {
  const u = Matrix.zeros(n, 1, like.dtype);
  for (let i = 0; i < n; i++) u.data[i] = Math.sin((i + 1) ** 2 * (1.2345 + round) + i) + 0.1 * Math.cos(i * (0.7 + round));
  return u;
}

function descending({ values, vectors }: { values: Floats; vectors: Matrix }): TopEigen {
  const [n, k] = [vectors.rows, vectors.cols];
  const turned = Matrix.zeros(n, k, vectors.dtype);
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) turned.data[i * k + j] = vectors.data[i * k + k - 1 - j];
  return { values: values.slice().reverse(), vectors: turned };
}

function collected(pairs: readonly Pair[], like: Matrix): TopEigen {
  const values = allocate(pairs.length, like.dtype);
  const rows = Matrix.zeros(pairs.length, like.rows, like.dtype);
  pairs.forEach((p, j) => {
    values[j] = p.value;
    rows.data.set(p.vector, j * like.rows);
  });
  return { values, vectors: transposed(rows) };
}

function transposed(m: Matrix): Matrix {
  const out = Matrix.zeros(m.cols, m.rows, m.dtype);
  native.transpose(Int32Array.of(m.rows, m.cols), m.data, out.data);
  return out;
}

const notConverged = (k: number): NumericalError =>
  new NumericalError(
    'NOT_CONVERGED',
    `topEigen: ${k} pairs have not converged in ${MOST_STEPS} Lanczos steps: the spectrum is too dense there; use symmetricEigen, or a smaller k`,
  );
