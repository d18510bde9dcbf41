/**
 * The paper's layer-wise preconditioned update (Zhang, Moniri et al. 2025; stylised KFAC), per weight W (m x n)
 * with input batch A (N x n) and gradient V:
 *   W+ = W - learningRate (P + outputDamping I)^-1 V (Q + damping I)^-1,   Q = A'A/N,
 *   P = mean of J'J over the batch ('ggn': F'F for the features of a linear network, I for the head) or I ('none').
 * Where P = I the left side is left out altogether: outputDamping does not apply to it.
 * The paper's scheme updates layers in turn: train with order 'alternating'. Factors are those of the batch, or with factorDecay > 0
 * bias-corrected moving averages. Parameters without layer statistics (biases, batch-norm's) take a plain gradient step.
 */
import { z } from 'zod';
import { axpby, copy, Matrix, scale, dampedSolve } from '../linalg/index.js';
import { fraction, parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { accumulate, accumulateGram, averagedFactor, type AveragedFactor } from './factors.js';
import { naming } from './guards.js';
import { layerFactors, requireKind } from './needs.js';
import { prefixedSpectra } from './spectrum.js';
import { mayBePositive, rateAt, rateSchema, requireRatesPerLayer } from './rate.js';

export const layerwiseSchema = z.strictObject({
  learningRate: rateSchema.default(0.1),
  /** lambda added to the input factor Q. */
  damping: rateSchema.default(1e-8),
  /** lambda added to the output factor P; as damping where not given. */
  outputDamping: rateSchema.optional(),
  outputFactor: z.enum(['ggn', 'mc', 'empirical', 'none']).default('ggn'),
  /** Decay of the factors' moving averages; 0 uses each batch alone. */
  factorDecay: fraction().default(0),
  /** Decoupled: the step gains -learningRate weightDecay p. */
  weightDecay: rateSchema.default(0),
});
export type LayerwiseOptions = z.input<typeof layerwiseSchema>;

/** A weight's factors; null for vectors. */
interface Factors {
  input: AveragedFactor; // Q, n x n
  output: AveragedFactor; // P, m x m
}
interface LayerwiseState {
  factors: (Factors | null)[];
  work: { input: Matrix; output: Matrix }[]; // Cholesky factors
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function layerwise(options: LayerwiseOptions = {}): Optimizer<LayerwiseState> {
  const o = parseOptions(layerwiseSchema, options, 'layerwise');
  const outputDamping = o.outputDamping ?? o.damping;
  const decays = mayBePositive(o.weightDecay);
  return {
    name: 'layerwise',
    needs: layerFactors(o.outputFactor),
    init(params) {
      requireRatesPerLayer('layerwise', o, params);
      return {
        factors: params.map(({ value: p, role }) =>
          role !== 'weight' ? null : { input: averagedFactor(p, p.cols), output: averagedFactor(p, p.rows) },
        ),
        work: params.map(({ value: p, role }) => {
          const square = (n: number): Matrix => (role !== 'weight' ? Matrix.zeros(0, 0, p.dtype) : Matrix.zeros(n, n, p.dtype));
          return { input: square(p.cols), output: square(p.rows) };
        }),
      };
    },
    update({ step: t, params, gradients, stats }, state, steps, which) {
      for (const i of which) {
        const { name, value: p, layer } = params[i];
        const step = copy(gradients[i], steps[i]);
        const factors = state.factors[i];
        const layerStats = stats[i];
        if (factors !== null && layerStats !== null) {
          const work = state.work[i];
          requireKind('layerwise', layerStats, o.outputFactor);
          const { inputs, outputFactor } = layerStats;
          const q = accumulateGram(factors.input, inputs, layerStats.positions / inputs.rows, o.factorDecay);
          solve(q, rateAt(o.damping, layer, t), step, 'right', work.input, name);
          if (outputFactor !== null) {
            const b = accumulate(factors.output, outputFactor, o.factorDecay);
            solve(b, rateAt(outputDamping, layer, t), step, 'left', work.output, name);
          }
        }
        const rate = rateAt(o.learningRate, layer, t);
        scale(-rate, step);
        if (decays) axpby(-rate * rateAt(o.weightDecay, layer, t), p, 1, step);
      }
    },
    inspect({ factors }, i) {
      const own = factors[i];
      if (own === null) return {};
      return prefixedSpectra({ input: own.input.value, ...(own.output.weight === 0 ? {} : { output: own.output.value }) });
    },
  };
}

/** dampedSolve, naming the layer where it fails. */
function solve(factor: Matrix, damping: number, step: Matrix, side: 'left' | 'right', work: Matrix, name: string): void {
  naming(name, () => dampedSolve(factor, damping, step, side, work));
}
