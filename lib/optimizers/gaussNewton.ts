/**
 * Full damped Gauss-Newton over all parameters jointly: step = -learningRate (C + damping I)^-1 g, with C the dense Gauss-Newton
 * matrix mean J'J (for the squared loss also the Fisher matrix: natural gradient). C has the k^2 null directions F -> F A^-1,
 * G -> A G, so damping must be positive. Cost p^3/3 a step. After Benzing 2022, the full method that KFAC approximates.
 */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { Matrix, dampedSolve } from '../linalg/index.js';
import { parseOptions, positive } from '../options.js';
import type { Optimizer } from '../types.js';
import { rateAt, rateSchema, requireRatePerLayer } from './rate.js';

export const gaussNewtonSchema = z.strictObject({
  learningRate: rateSchema.default(0.1),
  damping: positive().default(1e-3),
});
export type GaussNewtonOptions = z.input<typeof gaussNewtonSchema>;

interface GaussNewtonState {
  work: { flat: Matrix; factor: Matrix }; // p x 1, p x p
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function gaussNewton(options: GaussNewtonOptions = {}): Optimizer<GaussNewtonState> {
  const o = parseOptions(gaussNewtonSchema, options, 'gaussNewton');
  return {
    name: 'gaussNewton',
    needs: { inputs: true, outputFactor: 'none', gaussNewton: true },
    order: 'simultaneous',
    init(params) {
      requireRatePerLayer('gaussNewton', 'learningRate', o.learningRate, params);
      const p = params.reduce((sum, { value }) => sum + value.data.length, 0);
      const { dtype } = params[0].value;
      return { work: { flat: Matrix.zeros(p, 1, dtype), factor: Matrix.zeros(p, p, dtype) } };
    },
    update({ step: t, params, gradients, gaussNewton: c }, { work: { flat, factor } }, steps) {
      if (c === null) throw new ArgumentError('gaussNewton: the network did not report its Gauss-Newton matrix');
      let at = 0;
      for (const g of gradients) {
        flat.data.set(g.data, at);
        at += g.data.length;
      }
      dampedSolve(c, o.damping, flat, 'left', factor);
      at = 0;
      for (const [i, step] of steps.entries()) {
        const rate = rateAt(o.learningRate, params[i].layer, t);
        for (let j = 0; j < step.data.length; j++) step.data[j] = -rate * flat.data[at + j];
        at += step.data.length;
      }
    },
  };
}
