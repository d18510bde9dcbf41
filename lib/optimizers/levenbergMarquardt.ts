/**
 * Damping that follows the quality of the quadratic model (Levenberg-Marquardt; Martens & Grosse 2015, section 6.5): with the step s, the
 * gradient g and the exact Gauss-Newton matrix C of the batch, every `period` steps
 *   rho = (L(theta + s) - L(theta)) / (g's + s'(C + lambda I)s / 2)
 *   lambda <- lambda decay^period where rho > 3/4, lambda / decay^period where rho < 1/4.
 * Costs a Gauss-Newton product and two forward passes each time.
 */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { dot, type Matrix } from '../linalg/index.js';
import { size } from '../options.js';
import type { UpdateContext } from '../types.js';
import { mayBePositive, rateAt, type Rate } from './rate.js';

export const levenbergMarquardtSchema = z.strictObject({ period: size().default(5), decay: z.number().gt(0).lt(1).default(0.9) });
type LevenbergMarquardt = z.output<typeof levenbergMarquardtSchema>;

/** lambda never leaves this range around the one given. */
const SCALES = { least: 1e-8, most: 1e8 };

/** Levenberg-Marquardt weighs a step with the mean curvature plus lambda, and moves lambda by factors.
 *  @throws OptionsError where there is no such lambda */
export function requireDampedModel(
  name: string,
  { damping, factorScale }: { readonly damping: Rate; readonly factorScale: 'mean' | 'sum' },
): void {
  const refuse = (path: string, value: unknown, message: string): never => {
    throw new OptionsError(name, [{ path, value: JSON.stringify(value), message }]);
  };
  if (!mayBePositive(damping)) refuse('damping', damping, 'must be above 0 with levenbergMarquardt, which multiplies it; got 0');
  if (factorScale === 'sum')
    refuse('factorScale', factorScale, 'must be mean with levenbergMarquardt, whose model is of the mean loss; got "sum"');
}

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
