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
import { accumulate, averagedFactor, type AveragedFactor } from './factors.js';
import { naming } from './guards.js';
import { accumulateInputs, inputFactor, inputFactorWork, solveInputs, type InputFactorWork } from './inputFactor.js';
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
  work: ({ input: InputFactorWork; output: Matrix } | null)[]; // output: a Cholesky factor
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
        work: params.map(({ value: p, role }) =>
          role !== 'weight' ? null : { input: inputFactorWork(p), output: Matrix.zeros(p.rows, p.rows, p.dtype) },
        ),
      };
    },
    update({ step: t, params, gradients, stats }, state, steps, which) {
      for (const i of which) {
        const { name, value: p, layer } = params[i];
        const step = steps[i];
        const [factors, work, layerStats] = [state.factors[i], state.work[i], stats[i]];
        if (factors !== null && work !== null && layerStats !== null) {
          requireKind('layerwise', layerStats, o.outputFactor);
          const { outputFactor } = layerStats;
          naming(name, () => {
            accumulateInputs(factors.input, layerStats, o.factorDecay, work.input);
            solveInputs(factors.input, layerStats, rateAt(o.damping, layer, t), gradients[i], step, work.input);
            if (outputFactor === null) return;
            const b = accumulate(factors.output, outputFactor, o.factorDecay);
            dampedSolve(b, rateAt(outputDamping, layer, t), step, 'left', work.output);
          });
        } else copy(gradients[i], step);
        const rate = rateAt(o.learningRate, layer, t);
        scale(-rate, step);
        if (decays) axpby(-rate * rateAt(o.weightDecay, layer, t), p, 1, step);
      }
    },
    inspect({ factors, work }, i) {
      const [own, held] = [factors[i], work[i]];
      if (own === null || held === null) return {};
      return prefixedSpectra({
        input: inputFactor(own.input, held.input),
        ...(own.output.weight === 0 ? {} : { output: own.output.value }),
      });
    },
  };
}
