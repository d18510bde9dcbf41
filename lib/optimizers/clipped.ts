/**
 * An optimiser with clipped gradients (on: 'gradient', what is meant by gradient clipping) or clipped steps (on: 'step'). With x the
 * matrices clipped, those of one update (all parameters, or those of one layer in alternating orders):
 *   global      x_i <- x_i min(1, norm / |x|),  |x| the norm over all entries of all of them
 *   parameter   the same with the Frobenius norm of each
 *   value       every entry into [-norm, norm]
 * No epsilon is added to the norm (torch.nn.utils.clip_grad_norm_ adds 1e-6). Only gradients are clipped: layer statistics are as they are.
 */
import { z } from 'zod';
import { NumericalError } from '../errors.js';
import { copy, Matrix, norm, scale } from '../linalg/index.js';
import { parseOptions, positive } from '../options.js';
import type { Optimizer, OptimizerState, Params } from '../types.js';
import { contextFor, optimizerSchema, requireNoJudge } from './inner.js';

export const clippedSchema = z.strictObject({
  optimizer: optimizerSchema,
  /** The largest norm, or absolute value, that stays. */
  norm: positive().default(1),
  kind: z.enum(['global', 'parameter', 'value']).default('global'),
  on: z.enum(['gradient', 'step']).default('gradient'),
});
export type ClippedOptions = z.input<typeof clippedSchema>;
type Parsed = z.output<typeof clippedSchema>;

interface ClippedState {
  inner: OptimizerState;
  work: Matrix[]; // gradients
}

/** @throws OptionsError naming the field, the value and what is allowed */
export function clipped(options: ClippedOptions): Optimizer<ClippedState> {
  const o = parseOptions(clippedSchema, options, 'clipped');
  const { optimizer } = o;
  requireNoJudge('clipped', 'optimizer', optimizer);
  return {
    name: `clipped(${optimizer.name})`,
    needs: (step) => optimizer.needs(step),
    ...(optimizer.order === undefined ? {} : { order: optimizer.order }),
    init(params) {
      const zeros = params.map(({ value: p }) => (o.on === 'step' ? Matrix.zeros(0, 0, p.dtype) : Matrix.zeros(p.rows, p.cols, p.dtype)));
      return { inner: optimizer.init(params), work: zeros };
    },
    update(context, { inner, work }, steps, which) {
      if (o.on === 'gradient') {
        for (const i of which) copy(context.gradients[i], work[i]);
        clip(o, work, which, context.params);
        const gradients = context.gradients.map((g, i) => (which.includes(i) ? work[i] : g));
        optimizer.update(contextFor(optimizer, context, { gradients }), inner, steps, which);
      } else {
        optimizer.update(context, inner, steps, which);
        clip(o, steps, which, context.params);
      }
    },
    inspect: ({ inner }, i) => optimizer.inspect?.(inner, i) ?? {},
  };
}

function clip({ kind, on, norm: most }: Parsed, x: readonly Matrix[], which: readonly number[], params: Params): void {
  let total = 0;
  for (const i of which) {
    const length = norm(x[i]);
    if (!Number.isFinite(length)) throw new NumericalError('NOT_FINITE', `clipped: ${params[i].name}: the ${on} holds NaN or infinity`);
    if (kind === 'parameter' && length > most) scale(most / length, x[i]);
    if (kind === 'value') clamp(x[i], most);
    total = Math.hypot(total, length); // a sum of squares could overflow, and clip everything to 0
  }
  if (kind === 'global' && total > most) for (const i of which) scale(most / total, x[i]);
}

function clamp({ data }: Matrix, most: number): void {
  for (let j = 0; j < data.length; j++) data[j] = Math.max(-most, Math.min(most, data[j]));
}
