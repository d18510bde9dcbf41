/**
 * What the Kronecker-factored methods (KFAC, EKFAC, FOOF) share: a weight's gradient V (m x n, the bias as a column where joint) is
 * preconditioned by an input factor A = mean a a' and an output factor B = mean g g', both moving averages. They differ in the
 * preconditioner alone. A step is, in this order:
 *   V <- gradient (+ weightDecay W, coupled);  M <- momentum M + V (momentum on the gradient)
 *   A, B averaged every factorPeriod steps; what is made of them renewed every inversePeriod steps where they have moved, else stale
 *   U <- preconditioned V;  U <- U min(1, sqrt(C / (eta^2 <U, V>))) over all weights that move together (norm constraint)
 *   M <- momentum M + U (momentum on the update);  step = -eta M - eta weightDecay W (decoupled)
 * and every few steps the damping follows the quality of the quadratic model (levenbergMarquardt.ts).
 * Parameters without factors (normalisations, separate biases) take U = V.
 */
import { z } from 'zod';
import { ArgumentError, NumericalError } from '../errors.js';
import { axpby, copy, dot, Matrix, scale, type Rows } from '../linalg/index.js';
import { fraction, positive, size } from '../options.js';
import type { LayerStats, Optimizer, Params, UpdateContext } from '../types.js';
import { accumulate, accumulateGram, averagedFactor, type AveragedFactor } from './factors.js';
import { naming, requireFinite } from './guards.js';
import { aloneIn, gather, jointInputs, jointWeights, scatter, type JointWeight } from './jointWeight.js';
import { adaptedScale, levenbergMarquardtSchema, requireDampedModel } from './levenbergMarquardt.js';
import { layerFactors, requireKind } from './needs.js';
import { decayAt, decaySchema, mayBePositive, rateAt, rateSchema, requireRatesPerLayer } from './rate.js';
import { prefixedSpectra } from './spectrum.js';
import type { OfBatch } from './woodbury.js';

export const kroneckerOptions = {
  learningRate: rateSchema.default(0.1),
  /** lambda. */
  damping: rateSchema.default(1e-3),
  /** rho, the decay of the factors' averages; 0 uses each batch alone. */
  factorDecay: fraction().default(0.95),
  /** Where the averages begin: at the first batch (bias-corrected), at zero or at the identity. */
  factorStart: z.enum(['batch', 'zero', 'identity']).default('batch'),
  /** Over the batch: A = mean a a', or the sum. */
  factorScale: z.enum(['mean', 'sum']).default('mean'),
  /** Steps between two updates of the factors. */
  factorPeriod: size().default(1),
  /** Steps between two renewals of the inverses. */
  inversePeriod: size().default(1),
  /** C: the largest eta^2 <U, V> of a step. */
  normConstraint: positive().optional(),
  momentum: decaySchema.default(0),
  momentumOn: z.enum(['update', 'gradient']).default('update'),
  weightDecay: rateSchema.default(0),
  weightDecayMode: z.enum(['decoupled', 'coupled']).default('decoupled'),
  /** A bias is one more column of its layer's weight, or takes plain gradient steps. */
  bias: z.enum(['joint', 'separate']).default('joint'),
  levenbergMarquardt: levenbergMarquardtSchema.optional(),
} as const;

export type KroneckerOptions = z.output<z.ZodObject<typeof kroneckerOptions>>;

/** A weight's factors. */
export interface Factors {
  readonly input: AveragedFactor; // A, n x n
  readonly output: AveragedFactor; // B, m x m
  /** 1 where B is the identity, of an output layer under the squared loss or because none was asked for. */
  outputIsIdentity: number;
}

export interface Dampings {
  readonly input: number;
  readonly output: number;
}

/** Turns gradients into updates, weight by weight. P is its state of one weight. */
export interface Preconditioner<P> {
  /** Whether what it renews depends on the dampings too, and not on the factors alone. */
  readonly dampsWhenRenewed: boolean;
  state(like: Matrix, joint: JointWeight): P;
  /** Renews what is derived from the factors. @param note  told of fallbacks
   *  @param batch  what the input factor is made of, where it is of this step's batch alone and used in this step alone; else null */
  renew(state: P, factors: Factors, dampings: Dampings, note: (message: string) => void, batch: OfBatch | null): void;
  /** Looks at a batch after the factors have been averaged and the inverses renewed. @param inputs  N x n; */
  observe?(state: P, factors: Factors, inputs: Rows, stats: LayerStats): void;
  /** v becomes U, in place. @param work  of v's shape */
  apply(state: P, factors: Factors, damping: number, v: Matrix, work: Matrix): void;
  inspect(state: P, factors: Factors): Readonly<Record<string, number>>;
}

/** What the preconditioner's inverses or bases were made with. */
interface Renewal {
  /** 1 where the factors have moved on since. */
  behind: number;
  input: number;
  output: number;
}

export interface KroneckerState<P> {
  readonly weights: ({ readonly factors: Factors; readonly preconditioner: P; readonly renewal: Renewal } | null)[];
  /** M, of each parameter's shape; empty without momentum. */
  readonly velocity: Matrix[];
  /** What Levenberg-Marquardt has multiplied lambda by. */
  dampingScale: number;
  work: Work;
}

interface Work {
  readonly joint: readonly (JointWeight | null)[];
  /** Whether a parameter is in no joint weight. */
  readonly alone: readonly boolean[];
  readonly updates: readonly (Matrix | null)[]; // m x n: V, then U
  readonly scratch: readonly (Matrix | null)[]; // m x n
  readonly inputs: Rows[]; // N x n, with the 1 of the bias
  readonly gradients: readonly Matrix[]; // V a parameter, where it is not the gradient
  readonly products: Matrix[]; // C step, for Levenberg-Marquardt
}

export interface KroneckerMethod<P> {
  readonly name: string;
  readonly options: KroneckerOptions & { readonly outputFactor: Parameters<typeof layerFactors>[0] };
  readonly outputDamping?: KroneckerOptions['damping'] | undefined;
  readonly outputRows?: boolean;
  readonly preconditioner: Preconditioner<P>;
}

export function kroneckerMethod<P>({
  name,
  options: o,
  outputDamping,
  outputRows = false,
  preconditioner,
}: KroneckerMethod<P>): Optimizer<KroneckerState<P>> {
  const hasMomentum = mayBePositive(o.momentum);
  const decays = mayBePositive(o.weightDecay);
  const lm = o.levenbergMarquardt;
  if (lm !== undefined) requireDampedModel(name, o);

  const observe = (context: UpdateContext, state: KroneckerState<P>, joint: JointWeight): void => {
    const { step: t } = context;
    const i = joint.weight;
    const { factors, preconditioner: held, renewal } = state.weights[i]!;
    const factorsDue = (t - 1) % o.factorPeriod === 0;
    const stats = factorsDue ? context.stats[i] : null;
    if (stats === null && factors.input.weight === 0)
      throw new ArgumentError(`${name}: the factors of ${joint.name} have seen no batch yet; begin with step 1, it is ${t}`);
    let batch: OfBatch | null = null;
    if (stats !== null) {
      requireKind(name, stats, o.outputFactor);
      const inputs = (state.work.inputs[i] = jointInputs(joint, stats, state.work.inputs[i]));
      const share = o.factorScale === 'sum' ? 1 : stats.positions / inputs.rows;
      accumulateGram(factors.input, inputs, share, o.factorDecay);
      renewal.behind = 1;
      if (o.factorDecay === 0 && o.factorPeriod === 1 && o.inversePeriod === 1) batch = { inputs, scale: share };
      factors.outputIsIdentity = stats.outputFactor === null ? 1 : 0;
      if (stats.outputFactor !== null) accumulate(factors.output, stats.outputFactor, o.factorDecay);
    }
    if ((t - 1) % o.inversePeriod === 0) {
      const input = rateAt(o.damping, joint.layer, t) * state.dampingScale;
      const output = outputDamping === undefined ? input : rateAt(outputDamping, joint.layer, t) * state.dampingScale;
      const moved = preconditioner.dampsWhenRenewed && (input !== renewal.input || output !== renewal.output);
      if (renewal.behind === 1 || moved) {
        naming(joint.name, () => {
          const note = (message: string): void => {
            context.note(joint.name, message);
          };
          preconditioner.renew(held, factors, { input, output }, note, batch);
        });
        Object.assign(renewal, { behind: 0, input, output });
      }
    }
    if (stats !== null) preconditioner.observe?.(held, factors, state.work.inputs[i], stats);
  };

  /** Whether V is anything but the gradient. */
  const changesGradient = (decays && o.weightDecayMode === 'coupled') || (hasMomentum && o.momentumOn === 'gradient');

  /** V of parameter i, after coupled decay and momentum on the gradient. */
  const gradientOf = ({ step: t, params, gradients }: UpdateContext, state: KroneckerState<P>, i: number): void => {
    const { value: p, layer } = params[i];
    const v = copy(gradients[i], state.work.gradients[i]);
    if (decays && o.weightDecayMode === 'coupled') axpby(rateAt(o.weightDecay, layer, t), p, 1, v);
    if (hasMomentum && o.momentumOn === 'gradient') copy(axpby(1, v, decayAt(o.momentum, layer, t), state.velocity[i]), v);
  };

  /** From U in steps[i] to the step. */
  const finish = ({ step: t, params }: UpdateContext, state: KroneckerState<P>, step: Matrix, i: number): void => {
    const { value: p, layer } = params[i];
    const rate = rateAt(o.learningRate, layer, t);
    if (hasMomentum && o.momentumOn === 'update') axpby(-rate, axpby(1, step, decayAt(o.momentum, layer, t), state.velocity[i]), 0, step);
    else scale(-rate, step);
    if (decays && o.weightDecayMode === 'decoupled') axpby(-rate * rateAt(o.weightDecay, layer, t), p, 1, step);
  };

  return {
    name,
    needs: layerFactors(o.outputFactor, { period: o.factorPeriod, outputRows, products: lm !== undefined }),
    ...(lm === undefined ? {} : { order: 'simultaneous' as const, judgesSteps: true }),
    init(params) {
      requireRatesPerLayer(name, { ...o, outputDamping }, params);
      return initialState(params, o, hasMomentum, changesGradient, preconditioner);
    },
    update(context, state, steps, which) {
      const { joint, alone, updates, scratch } = state.work;
      const gradients = changesGradient ? state.work.gradients : context.gradients;
      if (changesGradient) for (const i of which) gradientOf(context, state, i);
      let product = 0;
      for (const i of which) {
        const j = joint[i];
        if (j === null) continue;
        observe(context, state, j);
        const { factors, preconditioner: held } = state.weights[i]!;
        const u = gather(j, gradients, updates[i]!);
        const damping = rateAt(o.damping, j.layer, context.step) * state.dampingScale;
        naming(j.name, () => {
          preconditioner.apply(held, factors, damping, u, scratch[i]!);
        });
        requireFinite(`the update of ${j.name}`, u);
        if (o.normConstraint !== undefined)
          product += rateAt(o.learningRate, j.layer, context.step) ** 2 * dot(u, gather(j, gradients, scratch[i]!));
      }
      if (!Number.isFinite(product)) throw outOfRange(name);
      const shrink = o.normConstraint === undefined || !(product > o.normConstraint) ? 1 : Math.sqrt(o.normConstraint / product);
      for (const i of which) {
        if (alone[i]) copy(gradients[i], steps[i]);
        else if (joint[i] !== null) scatter(joint[i], shrink === 1 ? updates[i]! : scale(shrink, updates[i]!), steps);
      }
      for (const i of which) finish(context, state, steps[i], i);
      if (lm !== undefined && context.step % lm.period === 0)
        state.dampingScale = adaptedScale(lm, o.damping, state.dampingScale, context, steps, which, state.work.products);
    },
    inspect(state, i) {
      const own = state.weights[i];
      if (own === null) return {};
      const { factors, preconditioner: held } = own;
      const sides = { input: factors.input.value, ...(factors.outputIsIdentity === 1 ? {} : { output: factors.output.value }) };
      return { ...prefixedSpectra(sides), ...preconditioner.inspect(held, factors) };
    },
  };
}

const outOfRange = (name: string): NumericalError =>
  new NumericalError(
    'NOT_FINITE',
    `${name}: the norm constraint cannot be applied: eta^2 <U, V> leaves the range of numbers; lower the learning rate, clip the gradients, or use float64`,
  );

function initialState<P>(
  params: Params,
  o: KroneckerOptions,
  hasMomentum: boolean,
  changesGradient: boolean,
  preconditioner: Preconditioner<P>,
): KroneckerState<P> {
  const joint = jointWeights(params, o.bias === 'joint');
  const alike = (): Matrix[] => params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
  const rectangles = (): (Matrix | null)[] => joint.map((j, i) => (j === null ? null : Matrix.zeros(j.m, j.n, params[i].value.dtype)));
  return {
    weights: joint.map((j, i) => {
      if (j === null) return null;
      const { value: like } = params[i];
      const average = (n: number): AveragedFactor => averagedFactor(like, n, o.factorStart, o.factorDecay);
      return {
        factors: { input: average(j.n), output: average(j.m), outputIsIdentity: 0 },
        preconditioner: preconditioner.state(like, j),
        renewal: { behind: 1, input: 0, output: 0 },
      };
    }),
    velocity: hasMomentum ? alike() : [],
    dampingScale: 1,
    work: {
      joint,
      alone: aloneIn(joint),
      updates: rectangles(),
      scratch: rectangles(),
      inputs: params.map(({ value }) => Matrix.zeros(0, 0, value.dtype)),
      gradients: changesGradient ? alike() : [],
      products: o.levenbergMarquardt === undefined ? [] : alike(),
    },
  };
}
