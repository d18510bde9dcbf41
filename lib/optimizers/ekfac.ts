/**
 * EKFAC (George et al. 2018): KFAC's eigenbases Q_A, Q_B with the second moments of the gradients along them in place of the products of
 * eigenvalues, Lambda_ij = mean over samples of [(Q_B' g a' Q_A)_ij]^2 (a moving average, begun anew with each new basis):
 *   U = Q_B [(Q_B' V Q_A) (/) (Lambda + lambda)] Q_A'.
 * See kronecker.ts for the whole step. For a convolution a sample's g a' is the sum over its positions.
 */
import { z } from 'zod';
import { axpby, copy, divideEntries, gemmInto, hadamard, Matrix, norm, rowsTimes, transpose, type Rows } from '../linalg/index.js';
import { parseOptions } from '../options.js';
import type { LayerStats, Optimizer } from '../types.js';
import { dampingOrNoise, decompose, eigenbases, inspectBases, rotate, type Eigenbases } from './eigenbases.js';
import {
  kroneckerMethod,
  kroneckerOptions,
  type Factors,
  type KroneckerOptions,
  type KroneckerState,
  type Preconditioner,
} from './kronecker.js';
import { basisError, iterateBasis, iterations, reorder, type Iteration } from './orthogonalIteration.js';

export const ekfacSchema = z.strictObject({
  ...kroneckerOptions,
  outputFactor: z.enum(['ggn', 'mc', 'empirical', 'none']).default('ggn'),
  /** Steps between two renewals of the bases. Each begins Lambda's average anew: at 1 it is of one batch. */
  inversePeriod: kroneckerOptions.inversePeriod.unwrap().default(10),
  /** How bases are renewed. 'iteration': by one step of orthogonal iteration from the last ones, the first by an eigen-decomposition; what
   *  it is off by is `input.basisError` and `output.basisError` of the telemetry. */
  bases: z.enum(['eigen', 'iteration']).default('eigen'),
  /** Decay of Lambda's average; as factorDecay where not given. */
  scaleDecay: z.number().min(0).lt(1).optional(),
});
export type EkfacOptions = z.input<typeof ekfacSchema>;

interface EkfacState {
  readonly bases: Eigenbases;
  readonly scales: { readonly value: Matrix; weight: number }; // Lambda, m x n
  readonly work: {
    batch: Matrix; // m x n
    sample: Matrix; // m x n
    inputs: Matrix; // N x n
    rows: Matrix; // (b N) x m
    axes: Matrix; // n x n
    iterations: readonly Iteration[]; // of A and B
  };
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function ekfac(options: EkfacOptions = {}): Optimizer<KroneckerState<EkfacState>> {
  const { scaleDecay, bases, ...o } = parseOptions(ekfacSchema, options, 'ekfac');
  const preconditioner = rescaled(scaleDecay ?? o.factorDecay, o.factorScale, bases);
  return kroneckerMethod({ name: 'ekfac', options: o, outputRows: true, preconditioner });
}

function rescaled(
  decay: number,
  scale: KroneckerOptions['factorScale'],
  renewal: z.output<typeof ekfacSchema>['bases'],
): Preconditioner<EkfacState> {
  return {
    dampsWhenRenewed: false,
    state: (like, { m, n }) => {
      const matrix = (rows: number, cols: number): Matrix => Matrix.zeros(rows, cols, like.dtype);
      return {
        bases: eigenbases(like, m, n),
        scales: { value: matrix(m, n), weight: 0 },
        work: {
          batch: matrix(m, n),
          sample: matrix(m, n),
          inputs: matrix(0, n),
          rows: matrix(0, m),
          axes: matrix(0, n),
          iterations: renewal === 'iteration' ? iterations([n, m], like.dtype) : [],
        },
      };
    },
    renew({ bases, scales, work }, factors, dampings, note) {
      // Bases are zero before the first renewal.
      if (renewal === 'eigen' || norm(bases.input.vectors) === 0) decompose(bases, factors, dampings, note);
      else iterate(bases, factors, work.iterations);
      scales.weight = 0;
      // Until the next batch is looked at: KFAC's own scales.
      const { value } = scales;
      for (let i = 0; i < value.rows; i++)
        for (let j = 0; j < value.cols; j++)
          value.data[i * value.cols + j] = (factors.outputIsIdentity === 1 ? 1 : bases.output.values[i]) * bases.input.values[j];
    },
    observe(state, _factors, inputs, stats) {
      const { scales, work } = state;
      secondMoments(state.bases, inputs, stats, scale === 'sum' ? 1 : stats.positions / inputs.rows, work);
      scales.weight = decay * scales.weight + 1;
      axpby(1 / scales.weight, work.batch, 1 - 1 / scales.weight, scales.value);
    },
    apply({ bases, scales }, { outputIsIdentity }, damping, v, work) {
      const identity = outputIsIdentity === 1;
      const added = dampingOrNoise(bases, damping, identity);
      rotate(bases, v, 'in', identity, work);
      divideEntries(v, scales.value, added);
      rotate(bases, v, 'out', identity, work);
    },
    inspect: ({ bases }, { input, output, outputIsIdentity }) => ({
      ...inspectBases(bases),
      'input.basisError': basisError(input.value, bases.input.vectors),
      ...(outputIsIdentity === 1 ? {} : { 'output.basisError': basisError(output.value, bases.output.vectors) }),
    }),
  };
}

/** The bases one iteration on, eigenvalues ascending as an eigen-decomposition has them: Rayleigh quotients, which rounding may make
 *  negative next to 0. */
function iterate(bases: Eigenbases, { input, output, outputIsIdentity }: Factors, [a, b]: readonly Iteration[]): void {
  const sides = [[input, bases.input, a] as const, ...(outputIsIdentity === 1 ? [] : [[output, bases.output, b] as const])];
  for (const [factor, basis, work] of sides) {
    const n = basis.values.length;
    iterateBasis(factor.value, basis.vectors, work);
    const ascending = Int32Array.from({ length: n }, (_, j) => n - 1 - j);
    reorder(basis.vectors, null, ascending, work.sorted);
    copy(work.sorted, basis.vectors);
    for (let j = 0; j < n; j++) basis.values[j] = Math.max(0, work.values[work.order[n - 1 - j]]);
  }
}

/** Writes share sum_i sum_blocks [(Q_B' g a' Q_A)_kl]^2 into work.batch, m x n. @param inputs  (N positions) x n */
function secondMoments(bases: Eigenbases, inputs: Rows, stats: LayerStats, share: number, work: EkfacState['work']): void {
  const { outputRows, positions } = stats;
  const samples = inputs.rows / positions;
  const { batch } = work;
  const [m, n] = [batch.rows, batch.cols];
  if (work.inputs.rows !== inputs.rows) work.inputs = Matrix.zeros(inputs.rows, n, inputs.dtype);
  const x = turned(inputs, bases.input.vectors, work);
  if (outputRows === null) {
    identityOutputMoments(x, share, batch);
    return;
  }
  if (work.rows.rows !== outputRows.rows) work.rows = Matrix.zeros(outputRows.rows, m, inputs.dtype);
  const g = gemmInto(work.rows, outputRows, bases.output.vectors);
  const blocks = g.rows / inputs.rows;
  if (positions === 1) {
    // share sum_blocks (G o G)'(X o X)
    hadamard(x, x, x);
    hadamard(g, g, g);
    const first = rowsOf(g, 0, inputs.rows);
    for (let b = 1; b < blocks; b++) axpby(1, rowsOf(g, b * inputs.rows, inputs.rows), 1, first);
    gemmInto(batch, first, x, 'TN', share);
    return;
  }
  batch.data.fill(0);
  for (let b = 0; b < blocks; b++)
    for (let i = 0; i < samples; i++) {
      const one = gemmInto(work.sample, rowsOf(g, b * inputs.rows + i * positions, positions), rowsOf(x, i * positions, positions), 'TN');
      axpby(share, hadamard(one, one, one), 1, batch);
    }
}

/** X Q, held. */
function turned(x: Rows, q: Matrix, work: EkfacState['work']): Matrix {
  if (x instanceof Matrix) return gemmInto(work.inputs, x, q);
  if (work.axes.rows !== q.rows) work.axes = Matrix.zeros(q.rows, q.cols, q.dtype);
  return rowsTimes(work.inputs, x, transpose(q, work.axes));
}

/** With g the coordinate axes in turn (B = I): every row is the sums of the squared columns of x, times share. */
function identityOutputMoments(x: Matrix, share: number, batch: Matrix): void {
  const { rows, cols: n } = x;
  batch.data.fill(0);
  for (let i = 0; i < rows; i++) for (let j = 0; j < n; j++) batch.data[j] += share * x.data[i * n + j] ** 2;
  for (let r = 1; r < batch.rows; r++) batch.data.copyWithin(r * n, 0, n);
}

const rowsOf = (m: Matrix, from: number, count: number): Matrix =>
  Matrix.wrap(m.data.subarray(from * m.cols, (from + count) * m.cols), count, m.cols);
