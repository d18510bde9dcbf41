/**
 * Adam (Kingma & Ba 2015, algorithm 1) with L2 weight decay and AMSGrad (Reddi, Kale & Kumar 2018), as torch.optim.Adam:
 *   g <- g + weightDecay p;  m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
 *   step = -learningRate / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon).
 */
import { z } from 'zod';
import { adamStep, axpby, copy, Matrix } from '../linalg/index.js';
import { nonNegative, parseOptions } from '../options.js';
import type { Optimizer, Params } from '../types.js';
import { gradientOnly } from './needs.js';
import { decayAt, decaySchema, mayBePositive, rateAt, rateSchema, requireRatesPerLayer, type Rate } from './rate.js';

/** Options that Adam and AdamW share. */
export const adamOptions = {
  learningRate: rateSchema.default(0.001),
  beta1: decaySchema.default(0.9),
  beta2: decaySchema.default(0.999),
  /** Added to the root of the second moment. */
  epsilon: nonNegative().default(1e-8),
  /** Divide by the running maximum of the second moment. */
  amsgrad: z.boolean().default(false),
};

export const adamSchema = z.strictObject({
  ...adamOptions,
  /** Added to the gradient as weightDecay p; for decoupled decay use adamw. */
  weightDecay: rateSchema.default(0),
});
export type AdamOptions = z.input<typeof adamSchema>;

/** Per parameter, each of its shape. */
export interface AdamState {
  mean: Matrix[]; // m
  square: Matrix[]; // v
  most: (Matrix | null)[]; // running maximum of v
  /** Products of beta1 and of beta2 over the steps taken: beta^t where they are constant. */
  products: Float64Array[];
  work: { gradient: Matrix[]; hyper: Float64Array };
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function adam(options: AdamOptions = {}): Optimizer<AdamState> {
  const o = parseOptions(adamSchema, options, 'adam');
  const decays = mayBePositive(o.weightDecay);
  return {
    name: 'adam',
    needs: gradientOnly,
    init(params) {
      requireRatesPerLayer('adam', o, params);
      return initAdam(params, o.amsgrad);
    },
    update(context, state, steps, which) {
      const { step: t, params, gradients } = context;
      for (const i of which) {
        const { value: p, layer } = params[i];
        let g = gradients[i];
        if (decays) g = axpby(rateAt(o.weightDecay, layer, t), p, 1, copy(g, state.work.gradient[i]));
        adamMoment(o, layer, t, state, i, g, steps[i]);
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
    products: params.map(() => Float64Array.of(1, 1)),
    work: { gradient: zeros(), hyper: new Float64Array(6) },
  };
}

/** Moves parameter i's moments on with gradient g and writes Adam's step. */
export function adamMoment(
  o: { learningRate: Rate; beta1: Rate; beta2: Rate; epsilon: number },
  layer: number,
  t: number,
  { mean, square, most, products, work: { hyper } }: AdamState,
  i: number,
  g: Matrix,
  step: Matrix,
): void {
  const [beta1, beta2] = [decayAt(o.beta1, layer, t), decayAt(o.beta2, layer, t)];
  hyper[0] = rateAt(o.learningRate, layer, t);
  hyper[1] = beta1;
  hyper[2] = beta2;
  hyper[3] = o.epsilon;
  hyper[4] = 1 - (products[i][0] *= beta1);
  hyper[5] = 1 - (products[i][1] *= beta2);
  adamStep(hyper, g, mean[i], square[i], most[i], step);
}
