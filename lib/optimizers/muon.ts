/**
 * Muon (Jordan et al. 2024): per weight W (m x n) with gradient G,
 *   M <- momentum M + (1 - momentum) G;   N = (1 - momentum) G + momentum M (Nesterov) or M
 *   X = the polar factor of N, by `steps` Newton-Schulz iterations (newtonSchulz.ts) or exactly
 *   W <- (1 - learningRate weightDecay) W - learningRate s X,   s = sqrt(max(1, m/n)), or 0.2 sqrt(max(m, n)) to match the size of
 *   AdamW's steps (Liu et al. 2025).
 * The other parameters take AdamW's step, with options of their own. (The authors give first and last layers to AdamW too: use `groups`.)
 * The exact factor is U V' over the nonzero singular values, so that a zero gradient gives no step, as the iteration has it.
 */
import { z } from 'zod';
import { axpby, copy, ema, Matrix, scale, type Svd } from '../linalg/index.js';
import { nonNegative, parseOptions, size } from '../options.js';
import type { Optimizer } from '../types.js';
import { adamMoment, initAdam, type AdamState } from './adam.js';
import { naming, requireFinite } from './guards.js';
import { gradientOnly } from './needs.js';
import { MUON_QUINTIC, newtonSchulz, newtonSchulzWorks, polarFactor, polarWorks, type NewtonSchulzWork } from './newtonSchulz.js';
import { decayAt, decaySchema, rateAt, rateSchema, requireRatesPerLayer } from './rate.js';
import { emptied } from './scratch.js';

export const muonSchema = z.strictObject({
  learningRate: rateSchema.default(0.02),
  momentum: decaySchema.default(0.95),
  nesterov: z.boolean().default(true),
  weightDecay: rateSchema.default(0),
  /** Take the polar factor by singular value decomposition. */
  exact: z.boolean().default(false),
  /** Newton-Schulz iterations. */
  steps: size().default(5),
  /** a, b, c of the iteration. */
  coefficients: z.tuple([z.number(), z.number(), z.number()]).default([...MUON_QUINTIC]),
  scale: z.enum(['original', 'match-rms-adamw']).default('original'),
  /** AdamW for parameters that are not weights. */
  vectors: z
    .strictObject({
      learningRate: rateSchema.default(3e-4),
      beta1: decaySchema.default(0.9),
      beta2: decaySchema.default(0.95),
      epsilon: nonNegative().default(1e-10),
      weightDecay: rateSchema.default(0),
    })
    .prefault({}),
});
export type MuonOptions = z.input<typeof muonSchema>;

interface MuonState {
  momentum: Matrix[]; // M, of each weight's shape; 0 x 0 for the others
  adam: AdamState; // of the others; 0 x 0 for weights
  work: { newton: NewtonSchulzWork[]; polar: Svd[] }; // one of them is empty
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function muon(options: MuonOptions = {}): Optimizer<MuonState> {
  const { coefficients, ...o } = parseOptions(muonSchema, options, 'muon');
  return {
    name: 'muon',
    needs: gradientOnly,
    init(params) {
      requireRatesPerLayer('muon', o, params);
      requireRatesPerLayer('muon: vectors', o.vectors, params);
      const weights = emptied(params, ({ role }) => role === 'weight').map(({ value }) => value);
      const shapes = weights.map((p) => [p.rows, p.cols] as const);
      const { dtype } = params[0].value;
      return {
        momentum: weights.map((p) => Matrix.zeros(p.rows, p.cols, p.dtype)),
        adam: initAdam(
          emptied(params, ({ role }) => role !== 'weight'),
          false,
        ),
        work: o.exact ? { newton: [], polar: polarWorks(shapes, dtype) } : { newton: newtonSchulzWorks(shapes, dtype), polar: [] },
      };
    },
    update({ step: t, params, gradients }, state, steps, which) {
      for (const i of which) {
        const { name, value: p, layer, role } = params[i];
        const [step, g] = [steps[i], gradients[i]];
        const weight = role === 'weight';
        const { learningRate, weightDecay } = weight ? o : o.vectors;
        const rate = rateAt(learningRate, layer, t);
        if (weight) {
          const momentum = decayAt(o.momentum, layer, t);
          copy(ema(state.momentum[i], g, momentum), step);
          if (o.nesterov) axpby(1 - momentum, g, momentum, step);
          naming(`muon: ${name}`, () => {
            if (o.exact) polarFactor(step, state.work.polar[i]);
            else newtonSchulz(step, o.steps, coefficients, state.work.newton[i]);
          });
          scale(-rate * scaleOf(o.scale, p), step);
        } else adamMoment(o.vectors, layer, t, state.adam, i, g, step);
        axpby(-rate * rateAt(weightDecay, layer, t), p, 1, step);
        requireFinite(`muon: ${name}: the step`, step);
      }
    },
  };
}

const scaleOf = (kind: z.output<typeof muonSchema>['scale'], { rows, cols }: Matrix): number =>
  kind === 'original' ? Math.sqrt(Math.max(1, rows / cols)) : 0.2 * Math.sqrt(Math.max(rows, cols));
