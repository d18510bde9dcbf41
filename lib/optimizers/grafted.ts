/**
 * One optimiser's direction with another's step length (Agarwal et al. 2020, layer-wise): per parameter
 *   step = d |s|_F / |d|_F,   d the step of `direction`, s the step of `magnitude`; 0 where d is 0.
 * Steps are grafted whole, decoupled weight decay included; both see the same parameters and gradients.
 */
import { z } from 'zod';
import { Matrix, norm, scale } from '../linalg/index.js';
import { parseOptions } from '../options.js';
import type { Optimizer, OptimizerState } from '../types.js';
import { combinedNeeds, combinedOrder, contextFor, optimizerSchema, prefixed, requireNoJudge } from './inner.js';

export const graftedSchema = z.strictObject({ direction: optimizerSchema, magnitude: optimizerSchema });
export type GraftedOptions = z.input<typeof graftedSchema>;

interface GraftedState {
  direction: OptimizerState;
  magnitude: OptimizerState;
  work: Matrix[]; // s
}

/** @throws OptionsError when the two need different things of the network, or different orders */
export function grafted(options: GraftedOptions): Optimizer<GraftedState> {
  const { direction, magnitude } = parseOptions(graftedSchema, options, 'grafted');
  const name = `grafted(${direction.name}, ${magnitude.name})`;
  const parts = [direction, magnitude];
  requireNoJudge('grafted', 'direction', direction);
  requireNoJudge('grafted', 'magnitude', magnitude);
  return {
    name,
    needs: combinedNeeds(name, parts),
    ...combinedOrder(name, parts),
    init(params) {
      return {
        direction: direction.init(params),
        magnitude: magnitude.init(params),
        work: params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype)),
      };
    },
    update(context, state, steps, which) {
      magnitude.update(contextFor(magnitude, context), state.magnitude, state.work, which);
      direction.update(contextFor(direction, context), state.direction, steps, which);
      for (const i of which) {
        const length = norm(steps[i]);
        scale(length === 0 ? 0 : norm(state.work[i]) / length, steps[i]);
      }
    },
    inspect(state, i) {
      return {
        ...prefixed('direction', direction.inspect?.(state.direction, i) ?? {}),
        ...prefixed('magnitude', magnitude.inspect?.(state.magnitude, i) ?? {}),
      };
    },
  };
}
