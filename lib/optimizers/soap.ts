/**
 * SOAP (Vyas et al. 2024, algorithm 3, in the order of the authors' code): Adam in the eigenbases of Shampoo's factors. Per weight
 * W (m x n) with gradient G, the first call fills the factors, takes their eigenvectors QL and QR, and makes no step. From then on, with k = calls - 1 and the bases that earlier gradients gave,
 *   G^ = QL' G QR;  M <- beta1 M + (1 - beta1) G^;  V <- beta2 V + (1 - beta2) G^2
 *   W <- W - learningRate sqrt(1 - beta2^k)/(1 - beta1^k) QL (M / (sqrt V + epsilon)) QR';  W <- (1 - learningRate weightDecay) W
 *   L <- factorDecay L + (1 - factorDecay) G G',  R alike with G'G
 *   every period-th k: columns of QL sorted by diag(QL' L QL), QL <- orth(L QL) by QR, QR alike; rows and columns of V sorted with them,
 *   M carried over into the new bases.
 * M is kept in the rotated space. Sides above maxDimension, and those that `bases` leaves out, keep the identity; vectors have it too:
 * with it the rule is Adam's, epsilon added to sqrt V before its correction (Adam's epsilon is this one over sqrt(1 - beta2^k)).
 * Deviations: none known; dimensions are not merged (an option of the authors' code, off by default).
 */
import { z } from 'zod';
import { axpby, copy, gemmInto, Matrix, symmetricEigen, syrkInto } from '../linalg/index.js';
import { nonNegative, parseOptions, size } from '../options.js';
import type { Optimizer, Params } from '../types.js';
import { adamMoment, initAdam, type AdamState } from './adam.js';
import { naming, requireFinite } from './guards.js';
import { gradientOnly } from './needs.js';
import { decayAt, decaySchema, rateAt, rateSchema, requireRatesPerLayer } from './rate.js';
import { overlaid } from './scratch.js';
import { basisError, iterateBasis, iterations, reorder, type Iteration } from './orthogonalIteration.js';
import { sidesReport } from './spectrum.js';

export const soapSchema = z.strictObject({
  learningRate: rateSchema.default(0.003),
  beta1: decaySchema.default(0.95),
  beta2: decaySchema.default(0.95),
  /** Decay of the factors; as beta2 where not given. */
  factorDecay: decaySchema.optional(),
  /** Added to the root of the second moment. */
  epsilon: nonNegative().default(1e-8),
  /** Decoupled. */
  weightDecay: rateSchema.default(0.01),
  /** Steps between two refreshes of the bases. */
  period: size().default(10),
  /** Sides longer than this keep the identity basis. */
  maxDimension: size().default(10_000),
  /** Which sides of a weight are rotated. */
  bases: z.enum(['both', 'left', 'right', 'none']).default('both'),
});
export type SoapOptions = z.input<typeof soapSchema>;
type Parsed = z.output<typeof soapSchema>;

/** One rotated side of a weight. */
interface Side {
  factor: Matrix; // k x k: L or R
  basis: Matrix; // k x k, orthogonal: Q
  work: Iteration;
}
interface SoapState {
  /** Moments in the rotated space. */
  adam: AdamState;
  left: (Side | null)[];
  right: (Side | null)[];
  /** Updates of each parameter so far, the first one counted. */
  calls: Float64Array;
  work: { rotated: Matrix[]; half: Matrix[] }; // of each parameter's shape
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function soap(options: SoapOptions = {}): Optimizer<SoapState> {
  const o = parseOptions(soapSchema, options, 'soap');
  return {
    name: 'soap',
    needs: gradientOnly,
    init(params) {
      requireRatesPerLayer('soap', o, params);
      const shapes = params.map(({ value: p }) => [p.rows, p.cols] as const);
      const { dtype } = params[0].value;
      return {
        adam: initAdam(params, false),
        ...initSides(o, params),
        calls: new Float64Array(params.length),
        work: { rotated: overlaid(shapes, dtype), half: overlaid(shapes, dtype) },
      };
    },
    update({ step: t, params, gradients }, state, steps, which) {
      for (const i of which) {
        const { name, value: p, layer } = params[i];
        const [step, left, right] = [steps[i], state.left[i], state.right[i]];
        const k = state.calls[i]++;
        if (k > 0) {
          adamInBases(o, layer, t, state, i, gradients[i], step);
          const decay = rateAt(o.learningRate, layer, t) * rateAt(o.weightDecay, layer, t);
          axpby(-decay, p, 1 - decay, step);
        } else step.data.fill(0);
        requireFinite(`soap: ${name}: the step`, step);
        naming(`soap: ${name}`, () => {
          accumulate(left, right, gradients[i], decayAt(o.factorDecay ?? o.beta2, layer, t));
          if (k === 0) for (const side of [left, right]) takeBasis(side);
          else if (k % o.period === 0) refresh(left, right, state, i);
        });
      }
    },
    inspect({ left, right }, i) {
      const sides = { left: left[i], right: right[i] };
      const errors = Object.entries(sides).flatMap(([name, side]) =>
        side === null ? [] : [[`${name}.basisError`, basisError(side.factor, side.basis)] as const],
      );
      return {
        ...sidesReport(left[i] === null ? [] : [left[i].factor], right[i] === null ? [] : [right[i].factor]),
        ...Object.fromEntries(errors),
      };
    },
  };
}

function initSides(o: Parsed, params: Params): { left: (Side | null)[]; right: (Side | null)[] } {
  const { dtype } = params[0].value;
  const lengths = (side: 'left' | 'right'): (number | null)[] =>
    params.map(({ value: p, role }) => {
      const n = side === 'left' ? p.rows : p.cols;
      return role === 'weight' && (o.bases === 'both' || o.bases === side) && n <= o.maxDimension ? n : null;
    });
  const all = [...lengths('left'), ...lengths('right')];
  const works = iterations(
    all.map((n) => n ?? 0),
    dtype,
  );
  const sides = all.map((n, k) =>
    n === null ? null : { factor: Matrix.zeros(n, n, dtype), basis: Matrix.identity(n, dtype), work: works[k] },
  );
  return { left: sides.slice(0, params.length), right: sides.slice(params.length) };
}

/** Adam's step in the rotated space, rotated back. */
function adamInBases(o: Parsed, layer: number, t: number, state: SoapState, i: number, gradient: Matrix, step: Matrix): void {
  const [left, right] = [state.left[i], state.right[i]];
  const { rotated, half } = state.work;
  const beta2 = decayAt(o.beta2, layer, t);
  const correction = 1 - state.adam.products[i][1] * beta2;
  const rates = { learningRate: o.learningRate, beta1: o.beta1, beta2, epsilon: o.epsilon / Math.sqrt(correction) };
  rotate(gradient, left, right, rotated[i], half[i]);
  adamMoment(rates, layer, t, state.adam, i, rotated[i], step);
  rotateBack(copy(step, rotated[i]), left, right, step, half[i]);
}

/** out = QL' x QR. @param half  scratch of x's shape */
function rotate(x: Matrix, left: Side | null, right: Side | null, out: Matrix, half: Matrix): void {
  const y = left === null ? x : gemmInto(right === null ? out : half, left.basis, x, 'TN');
  if (right !== null) gemmInto(out, y, right.basis);
  else if (left === null) copy(x, out);
}

/** out = QL x QR'. */
function rotateBack(x: Matrix, left: Side | null, right: Side | null, out: Matrix, half: Matrix): void {
  const y = left === null ? x : gemmInto(right === null ? out : half, left.basis, x);
  if (right !== null) gemmInto(out, y, right.basis, 'NT');
  else if (left === null) copy(x, out);
}

function accumulate(left: Side | null, right: Side | null, g: Matrix, decay: number): void {
  if (left !== null) syrkInto(left.factor, g, false, 1 - decay, decay);
  if (right !== null) syrkInto(right.factor, g, true, 1 - decay, decay);
}

/** Q = the factor's eigenvectors, in the order in which they come: a permutation changes no step, and refreshes sort. */
function takeBasis(side: Side | null): void {
  if (side !== null) symmetricEigen(side.factor, { values: side.work.values, vectors: side.basis });
}

/** Refreshes the bases of parameter i, and the moments with them. */
function refresh(left: Side | null, right: Side | null, { adam, work }: SoapState, i: number): void {
  const [mean, square, rotated, half] = [adam.mean[i], adam.square[i], work.rotated[i], work.half[i]];
  rotateBack(mean, left, right, rotated, half);
  for (const side of [left, right]) if (side !== null) iterateBasis(side.factor, side.basis, side.work);
  rotate(rotated, left, right, mean, half);
  reorder(square, left?.work.order ?? null, right?.work.order ?? null, half);
  copy(half, square);
}
