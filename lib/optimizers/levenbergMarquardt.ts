/**
 * Damping that follows the quality of the quadratic model (Levenberg-Marquardt; Martens & Grosse 2015, section 6.5): with the step s, the
 * gradient g and the exact Gauss-Newton matrix C of the batch, every `period` steps
 *   rho = (L(theta + s) - L(theta)) / (g's + s'(C + lambda I)s / 2)
 *   lambda <- lambda decay^period where rho > 3/4, lambda / decay^period where rho < 1/4.
 * Costs a Gauss-Newton product and two forward passes each time.
 */
import { z } from 'zod';
import { dot, type Matrix } from '../linalg/index.js';
import { size } from '../options.js';
import type { UpdateContext } from '../types.js';
import { rateAt, type Rate } from './rate.js';

export const levenbergMarquardtSchema = z.strictObject({ period: size().default(5), decay: z.number().gt(0).lt(1).default(0.9) });
type LevenbergMarquardt = z.output<typeof levenbergMarquardtSchema>;

/** lambda never leaves this range around the one given. */
const SCALES = { least: 1e-8, most: 1e8 };

/** The new multiple of the damping given. @param products  scratch, one matrix a parameter */
export function adaptedScale(
  { period, decay }: LevenbergMarquardt,
  given: Rate,
  scale: number,
  context: UpdateContext,
  steps: readonly Matrix[],
  which: readonly number[],
  products: readonly Matrix[],
): number {
  context.curvatureTimes(steps, products);
  let predicted = 0;
  for (const i of which) {
    const damping = rateAt(given, context.params[i].layer, context.step) * scale;
    predicted += dot(context.gradients[i], steps[i]) + (dot(products[i], steps[i]) + damping * dot(steps[i], steps[i])) / 2;
  }
  if (predicted === 0) return scale; // no step, no evidence
  const quality = (context.lossAt(steps, which) - context.loss) / predicted;
  const factor = decay ** period;
  // A model that promises no fall is as bad as one that does not keep its promise.
  if (!(predicted < 0) || !(quality >= 0.25)) return Math.min(SCALES.most, scale / factor);
  return quality > 0.75 ? Math.max(SCALES.least, scale * factor) : scale;
}
