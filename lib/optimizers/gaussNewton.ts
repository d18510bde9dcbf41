/**
 * Full damped Gauss-Newton over all parameters jointly: step = -learningRate (C + damping I)^-1 g, C = mean J'HJ. In a two-layer linear
 * network C has the k^2 null directions F -> F A^-1, G -> A G, so damping must be positive. After Benzing 2022: the full method that KFAC
 * approximates. The solver forms C and factorises it (p^3/3 a step), or runs conjugate gradients on products with C that never form it
 * (Martens 2010), from the last solution times `warmStart`.
 */
import { z } from 'zod';
import { axpby, copy, Matrix, scale } from '../linalg/index.js';
import { nonNegative, parseOptions, positive, size } from '../options.js';
import type { Optimizer } from '../types.js';
import { conjugateGradients, conjugateGradientState, type ConjugateGradients } from './conjugateGradients.js';
import { denseMethod, type DenseState } from './dense.js';
import { curvatureProducts } from './needs.js';
import { rateAt, rateSchema, requireRatesPerLayer, sharedRateSchema } from './rate.js';

export const gaussNewtonSchema = z.strictObject({
  learningRate: rateSchema.default(0.1),
  damping: sharedRateSchema.default(1e-3),
  solver: z.enum(['dense', 'cg']).default('dense'),
  /** Of conjugate gradients: at most so many a step. */
  iterations: size().default(50),
  /** Of conjugate gradients: stop at this residual relative to the gradient. */
  tolerance: positive().default(1e-6),
  /** Of conjugate gradients: start at this multiple of the last solution. */
  warmStart: nonNegative().max(1).default(0),
});
export type GaussNewtonOptions = z.input<typeof gaussNewtonSchema>;

/** Of the solver `cg`. */
interface CgState {
  cg: ConjugateGradients;
  iterations: number;
  residual: number;
  work: Matrix[]; // C d
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function gaussNewton(options: GaussNewtonOptions = {}): Optimizer<DenseState | CgState> {
  const o = parseOptions(gaussNewtonSchema, options, 'gaussNewton');
  if (o.solver === 'dense') return denseMethod('gaussNewton', o, 'ggn');
  const optimizer: Optimizer<CgState> = {
    name: 'gaussNewton',
    needs: curvatureProducts,
    order: 'simultaneous',
    init(params) {
      requireRatesPerLayer('gaussNewton', o, params);
      const like = params.map((p) => p.value);
      return { cg: conjugateGradientState(like), iterations: 0, residual: 0, work: like.map((p) => Matrix.zeros(p.rows, p.cols, p.dtype)) };
    },
    update(context, state, steps, which) {
      const { solution } = state.cg;
      for (const x of solution) scale(o.warmStart, x);
      const damping = rateAt(o.damping, 0, context.step);
      const times = (direction: readonly Matrix[], out: readonly Matrix[]): void => {
        context.curvatureTimes(direction, out);
        out.forEach((m, p) => axpby(damping, direction[p], 1, m));
      };
      // Under groups, other parameters have no part in it: their solutions are empty, and so is what they ask for.
      const wanted = context.gradients.map((g, i) => (which.includes(i) ? g : solution[i]));
      Object.assign(state, conjugateGradients(state.cg, times, wanted, o));
      for (const i of which) scale(-rateAt(o.learningRate, context.params[i].layer, context.step), copy(solution[i], steps[i]));
    },
    inspect: ({ iterations, residual }) => ({ iterations, residual }),
  };
  return optimizer;
}
