/**
 * Adam (Kingma & Ba 2015, algorithm 1) with L2 weight decay and AMSGrad (Reddi, Kale & Kumar 2018), as torch.optim.Adam:
 *   g <- g + weightDecay p;  m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
 *   step = -learningRate / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon).
 */
import { z } from 'zod';
import { adamStep, axpby, copy, Matrix } from '../linalg/index.js';
import { fraction, nonNegative, parseOptions } from '../options.js';
import type { Optimizer, Params, UpdateContext } from '../types.js';
import { needsGradientOnly } from './needs.js';
import { rateAt, rateSchema, requireRatePerLayer } from './rate.js';

/** Options that Adam and AdamW share. */
export const adamOptions = {
  learningRate: rateSchema.default(0.001),
  beta1: fraction().default(0.9),
  beta2: fraction().default(0.999),
  /** Added to the root of the second moment. */
  epsilon: nonNegative().default(1e-8),
  /** Divide by the running maximum of the second moment. */
  amsgrad: z.boolean().default(false),
};

export const adamSchema = z.strictObject({
  ...adamOptions,
  /** Added to the gradient as weightDecay p; for decoupled decay use adamw. */
  weightDecay: nonNegative().default(0),
});
export type AdamOptions = z.input<typeof adamSchema>;

/** Per parameter, each of its shape. */
export interface AdamState {
  mean: Matrix[]; // m
  square: Matrix[]; // v
  most: (Matrix | null)[]; // running maximum of v
  work: { gradient: Matrix[]; hyper: Float64Array };
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function adam(options: AdamOptions = {}): Optimizer<AdamState> {
  const o = parseOptions(adamSchema, options, 'adam');
  return {
    name: 'adam',
    needs: needsGradientOnly,
    init(params) {
      requireRatePerLayer('adam', 'learningRate', o.learningRate, params);
      return initAdam(params, o.amsgrad);
    },
    update(context, state, steps, which) {
      const { step: t, params, gradients } = context;
      for (const i of which) {
        let g = gradients[i];
        if (o.weightDecay > 0) g = axpby(o.weightDecay, params[i].value, 1, copy(g, state.work.gradient[i]));
        adamMoment(o, context, state, i, g, rateAt(o.learningRate, params[i].layer, t), steps[i]);
      }
    },
  };
}

export function initAdam(params: Params, amsgrad: boolean): AdamState {
  const zeros = (): Matrix[] => params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
  return {
    mean: zeros(),
    square: zeros(),
    most: amsgrad ? zeros() : params.map(() => null),
    work: { gradient: zeros(), hyper: new Float64Array(6) },
  };
}

/** Moves parameter i's moments on with gradient g and writes Adam's step. */
export function adamMoment(
  o: { beta1: number; beta2: number; epsilon: number },
  { step: t }: UpdateContext,
  { mean, square, most, work: { hyper } }: AdamState,
  i: number,
  g: Matrix,
  rate: number,
  step: Matrix,
): void {
  hyper[0] = rate;
  hyper[1] = o.beta1;
  hyper[2] = o.beta2;
  hyper[3] = o.epsilon;
  hyper[4] = 1 - o.beta1 ** t;
  hyper[5] = 1 - o.beta2 ** t;
  adamStep(hyper, g, mean[i], square[i], most[i], step);
}
