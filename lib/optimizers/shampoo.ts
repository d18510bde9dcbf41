/**
 * Shampoo (Gupta, Koren & Singer 2018, algorithm 1) with what made it practical (Anil et al. 2020; Shi et al. 2023): per weight W (m x n)
 * with gradient G,
 *   L <- beta2 L + w G G',  R <- beta2 R + w G'G     w = 1 if beta2 = 1, else 1 - beta2; every factorPeriod steps from the first
 *   M <- beta1 M + (1 - beta1) G                     an average of gradients, preconditioned as a whole (Shi et al.)
 *   P = (L^ + epsilon I)^-1/4 M^ (R^ + epsilon I)^-1/4     roots renewed every rootPeriod steps from startStep on, stale in between
 *   P <- P |P_g|_F / (|P|_F + 1e-16)                 grafting: the step length of SGD, AdaGrad or Adam, whose step is -learningRate P_g
 *   step = -learningRate (P + weightDecay W)
 * L^ and M^ are divided by 1 - beta2^k (k factors so far, beta2 < 1) and 1 - beta1^t with biasCorrection. Before startStep P = P_g.
 * One side alone has exponent 1/2. Vectors (1 x d) are tensors of order one: R alone, exponent 1/2. Sides longer than blockSize are cut,
 * each block with factors of its own.
 * Deviations: grafting rescales a parameter and not each of its blocks (Shi et al. do the latter); rootPeriod counts from startStep
 * and not from 0; dimensions are never merged, a convolution's weight is its out x (in kernel) matrix.
 */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { axpby, copy, Matrix, norm, scale } from '../linalg/index.js';
import { nonNegative, parseOptions, positive, size } from '../options.js';
import type { Optimizer, Parameter } from '../types.js';
import { graftedDirection, GRAFTING, hasSquare, type GraftingRates, type GraftingWork } from './grafting.js';
import { requireFinite } from './guards.js';
import { gradientOnly } from './needs.js';
import { decayAt, decaySchema, mayBePositive, rateAt, rateSchema, requireRatesPerLayer, sumDecayAt, sumDecaySchema } from './rate.js';
import { overlaid } from './scratch.js';
import { accumulate, initBlocks, precondition, renewRoots, type BlockState, type Exponents } from './shampooBlocks.js';
import { sidesReport } from './spectrum.js';

export const shampooSchema = z.strictObject({
  learningRate: rateSchema.default(0.01),
  /** Decay of the averaged gradient. */
  beta1: decaySchema.default(0.9),
  /** Decay of the factors; 1 sums them, as AdaGrad does. */
  beta2: sumDecaySchema.default(1),
  /** Added to the factors' eigenvalues. */
  epsilon: nonNegative().default(1e-12),
  /** Decoupled: the step gains -learningRate weightDecay p. */
  weightDecay: rateSchema.default(0),
  /** Which sides of a weight are preconditioned. */
  sides: z.enum(['both', 'left', 'right']).default('both'),
  /** Exponent of L^-1; 1/4, or 1/2 when L stands alone. */
  leftExponent: positive().optional(),
  rightExponent: positive().optional(),
  biasCorrection: z.boolean().default(true),
  /** How inverse roots are computed; 'newton' needs exponents that are 1 over an integer. */
  roots: z.enum(['eigen', 'newton']).default('eigen'),
  /** What roots are computed in: in float32 itself they take half the time, and a small epsilon is lost. */
  rootPrecision: z.enum(['float64', 'same']).default('float64'),
  grafting: z.enum(GRAFTING).default('none'),
  graftingBeta2: decaySchema.default(0.999),
  graftingEpsilon: nonNegative().default(1e-8),
  /** Sides longer than this are cut into blocks. */
  blockSize: size().default(1024),
  /** Steps before this one are the grafted method's. */
  startStep: size().default(1),
  factorPeriod: size().default(1),
  rootPeriod: size().default(1),
});
export type ShampooOptions = z.input<typeof shampooSchema>;
type Parsed = z.output<typeof shampooSchema>;

interface ShampooState {
  /** Per parameter, of its shape. */
  mean: Matrix[]; // M
  square: (Matrix | null)[]; // of the grafted method
  blocks: BlockState[][];
  /** Products over the updates made of beta1, of beta2 and of graftingBeta2. */
  products: Float64Array[];
  work: GraftingWork[];
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function shampoo(options: ShampooOptions = {}): Optimizer<ShampooState> {
  const o = parseOptions(shampooSchema, options, 'shampoo');
  requireMeaning(o);
  const decays = mayBePositive(o.weightDecay);
  return {
    name: 'shampoo',
    needs: gradientOnly,
    init(params) {
      requireRatesPerLayer('shampoo', o, params);
      const { dtype } = params[0].value;
      const zeros = ({ value: p }: Parameter): Matrix => Matrix.zeros(p.rows, p.cols, p.dtype);
      const shapes = params.map(({ value: p }) => [p.rows, p.cols] as const);
      const [averaged, direction] = [overlaid(shapes, dtype), overlaid(shapes, dtype)];
      const hyper = new Float64Array(6);
      return {
        mean: params.map(zeros),
        square: params.map((p) => (hasSquare(o.grafting) ? zeros(p) : null)),
        blocks: initBlocks(
          params,
          params.map(({ role }) => exponentsOf(o, role)),
          o.blockSize,
          o.roots === 'newton',
          o.rootPrecision === 'float64',
        ),
        products: params.map(() => Float64Array.of(1, 1, 1)),
        work: params.map((_, i) => ({ averaged: averaged[i], direction: direction[i], hyper })),
      };
    },
    update(context, state, steps, which) {
      const { step: t, params, gradients } = context;
      for (const i of which) {
        const { name, value: p, layer } = params[i];
        const [step, work, blocks] = [steps[i], state.work[i], state.blocks[i]];
        const rates = movedRates(o, layer, t, state.products[i]);
        if ((t - 1) % o.factorPeriod === 0) {
          const beta2 = sumDecayAt(o.beta2, layer, t);
          state.products[i][1] *= beta2;
          for (const block of blocks) accumulate(block, gradients[i], beta2);
        }
        graftedDirection(o.grafting, gradients[i], state.mean[i], state.square[i], rates, work);
        if (t < o.startStep) copy(work.direction, step);
        else {
          if ((t - o.startStep) % o.rootPeriod === 0) {
            // Of beta2 over the factors so far; 1 where they are sums.
            const product = state.products[i][1];
            const correction = o.biasCorrection && product < 1 ? 1 / (1 - product) : 1;
            renewRoots(blocks, { epsilon: o.epsilon, scale: correction, method: o.roots }, name, (message) => context.note(name, message));
          }
          for (const block of blocks) precondition(block, work.averaged, step);
          if (o.grafting !== 'none') scale(norm(work.direction) / (norm(step) + 1e-16), step);
        }
        const rate = rateAt(o.learningRate, layer, t);
        scale(-rate, step);
        if (decays) axpby(-rate * rateAt(o.weightDecay, layer, t), p, 1, step);
        requireFinite(`shampoo: ${name}: the step`, step);
      }
    },
    inspect({ blocks }, i) {
      const factors = (side: 'left' | 'right'): Matrix[] => blocks[i].flatMap((block) => block[side]?.factor ?? []);
      return sidesReport(factors('left'), factors('right'));
    },
  };
}

/** What the schema cannot say: options that would be ignored, and exponents that a method cannot do. */
function requireMeaning(o: Parsed): void {
  const refuse = (path: keyof Parsed, message: string): never => {
    throw new OptionsError('shampoo', [{ path, value: JSON.stringify(o[path]), message }]);
  };
  if (o.startStep > 1 && o.grafting === 'none') refuse('startStep', `needs grafting, whose step is taken before it; got ${o.startStep}`);
  for (const [side, other] of [
    ['left', 'right'],
    ['right', 'left'],
  ] as const) {
    const exponent = o[`${side}Exponent`];
    if (exponent === undefined) continue;
    if (o.sides === other) refuse(`${side}Exponent`, `has no meaning with sides '${other}'`);
    if (o.roots === 'newton' && Math.abs(1 / exponent - Math.round(1 / exponent)) > 1e-9)
      refuse(`${side}Exponent`, `must be 1 over an integer for roots 'newton'; got ${exponent}`);
  }
}

function exponentsOf(o: Parsed, role: Parameter['role']): Exponents {
  if (role !== 'weight') return [null, 1 / 2];
  const usual = o.sides === 'both' ? 1 / 4 : 1 / 2;
  return [o.sides === 'right' ? null : (o.leftExponent ?? usual), o.sides === 'left' ? null : (o.rightExponent ?? usual)];
}

/** Moves the products on and gives this update's rates. */
function movedRates(o: Parsed, layer: number, t: number, products: Float64Array): GraftingRates {
  const [beta1, beta2] = [decayAt(o.beta1, layer, t), decayAt(o.graftingBeta2, layer, t)];
  products[0] *= beta1;
  products[2] *= beta2;
  const meanCorrection = o.biasCorrection ? 1 - products[0] : 1;
  return { beta1, beta2, epsilon: o.graftingEpsilon, meanCorrection, squareCorrection: 1 - products[2] };
}
