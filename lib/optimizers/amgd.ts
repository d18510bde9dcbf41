/**
 * Alternating minimisation and gradient descent for y = F G x (Collins et al. 2021; with `whitened`, DFW of Zhang et al. 2024), on
 * each batch:
 *   F <- argmin_F |Z F' - Y|^2    the least-squares head, F - grad_F (Z'Z/n)^-1 (exact: the loss is quadratic in F)
 *   G <- the orthonormal factor of G - learningRate grad_G (Q + damping I)^-1,  Q = I, or X'X/n when whitened.
 * The head is solved first and the gradient taken with it, hence the order 'alternating-backward'. Two-layer networks only.
 */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { axpby, copy, Matrix, qr, scale, transpose, type Qr } from '../linalg/index.js';
import { parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { averagedFactor, type AveragedFactor } from './factors.js';
import { accumulateInputs, inputFactorWork, solveInputs, type InputFactorWork } from './inputFactor.js';
import { layerFactors } from './needs.js';
import { layerCount, rateAt, rateSchema, requireRatesPerLayer } from './rate.js';

export const amgdSchema = z.strictObject({
  learningRate: rateSchema.default(0.1),
  /** Multiply the feature gradient by (X'X/n + damping I)^-1. */
  whitened: z.boolean().default(false),
  /** Used by the whitened form, and to keep the least-squares head solvable. */
  damping: rateSchema.default(1e-8),
});
export type AmgdOptions = z.input<typeof amgdSchema>;

interface AmgdState {
  work: { factors: AveragedFactor[]; inputs: InputFactorWork[]; tall: Matrix; qr: Qr; orthonormal: Matrix };
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function amgd(options: AmgdOptions = {}): Optimizer<AmgdState> {
  const o = parseOptions(amgdSchema, options, 'amgd');
  return {
    name: 'amgd',
    needs: layerFactors('none'),
    order: 'alternating-backward',
    init(params) {
      if (params.length !== 2 || layerCount(params) !== 2)
        throw new OptionsError('amgd', [
          {
            path: '',
            value: params.map((p) => p.name).join(', '),
            message: 'needs a network of exactly two weights (no batch-norm), a feature layer and a head',
          },
        ]);
      requireRatesPerLayer('amgd', o, params);
      const g = params[0].value;
      if (g.rows > g.cols)
        throw new OptionsError('amgd', [
          {
            path: '',
            value: String(g.rows),
            message: `needs orthonormal features: at most ${g.cols} in dimension ${g.cols}; got ${g.rows}`,
          },
        ]);
      const k = Math.min(g.rows, g.cols);
      return {
        work: {
          factors: params.map(({ value }) => averagedFactor(value, value.cols)),
          inputs: params.map(({ value }) => inputFactorWork(value)),
          tall: Matrix.zeros(g.cols, g.rows, g.dtype),
          qr: { q: Matrix.zeros(g.cols, k, g.dtype), r: Matrix.zeros(k, g.rows, g.dtype) },
          orthonormal: Matrix.zeros(k, g.cols, g.dtype),
        },
      };
    },
    update({ step: t, params, gradients, stats }, { work }, steps, which) {
      for (const i of which) {
        const { value: w, layer } = params[i];
        const step = steps[i];
        const head = layer === 1;
        if (head || o.whitened) {
          accumulateInputs(work.factors[i], stats[i]!, 0, work.inputs[i]);
          solveInputs(work.factors[i], stats[i]!, rateAt(o.damping, layer, t), gradients[i], step, work.inputs[i]);
        } else copy(gradients[i], step);
        scale(head ? -1 : -rateAt(o.learningRate, layer, t), step);
        if (head) continue;
        axpby(1, w, 1, step);
        axpby(-1, w, 1, copy(orthonormalised(step, work), step));
      }
    },
  };
}

/** Orthonormal rows spanning those of g, oriented as Gram-Schmidt would (R's diagonal positive), so that a small step stays small. */
function orthonormalised(g: Matrix, work: AmgdState['work']): Matrix {
  const { q, r } = qr(transpose(g, work.tall), work.qr);
  const rows = transpose(q, work.orthonormal);
  for (let j = 0; j < rows.rows; j++)
    if (r.data[j * r.cols + j] < 0) for (let i = 0; i < rows.cols; i++) rows.data[j * rows.cols + i] *= -1;
  return rows;
}
