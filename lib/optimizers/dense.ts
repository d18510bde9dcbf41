/** Steps with the dense curvature matrix C of all parameters: step = -learningRate (C + damping I)^-1 g. */
import { ArgumentError } from '../errors.js';
import { Matrix } from '../linalg/index.js';
import type { Optimizer, OutputFactor } from '../types.js';
import { applyInverse, invert, makeInverse, type Inverse } from './inverse.js';
import { naming, requireFinite } from './guards.js';
import { denseCurvature } from './needs.js';
import { rateAt, requireRatesPerLayer, type Rate } from './rate.js';

/** Nothing of one step is needed in the next but what `inspect` tells: see Inverse. */
export interface DenseState {
  damping: number;
  clipped: number;
  fallbacks: number;
  work: { inverse: Inverse; flat: Matrix; held: Matrix }; // p x p, p x 1 twice
}

export function denseMethod(
  name: string,
  o: { readonly learningRate: Rate; readonly damping: Rate },
  kind: Exclude<OutputFactor, 'none'>,
): Optimizer<DenseState> {
  return {
    name,
    needs: denseCurvature(kind),
    order: 'simultaneous',
    init(params) {
      requireRatesPerLayer(name, o, params);
      const p = params.reduce((sum, { value }) => sum + value.data.length, 0);
      const like = params[0].value;
      const column = (): Matrix => Matrix.zeros(p, 1, like.dtype);
      return { damping: 0, clipped: 0, fallbacks: 0, work: { inverse: makeInverse(like, p), flat: column(), held: column() } };
    },
    update(context, state, steps) {
      const { inverse, flat, held } = state.work;
      const { step: t, params, gradients, dense } = context;
      if (dense === null) throw new ArgumentError(`${name}: the network did not report its dense curvature matrix`);
      let at = 0;
      for (const g of gradients) {
        flat.data.set(g.data, at);
        at += g.data.length;
      }
      inverse.fallbacks = state.fallbacks;
      naming('the curvature of all parameters', () => {
        invert(inverse, dense, rateAt(o.damping, 0, t), 1, (message) => {
          context.note('all parameters', message);
        });
      });
      Object.assign(state, reportOf(inverse));
      requireFinite('the update of all parameters', applyInverse(inverse, flat, 'left', held));
      at = 0;
      for (const [i, step] of steps.entries()) {
        const rate = rateAt(o.learningRate, params[i].layer, t);
        for (let j = 0; j < step.data.length; j++) step.data[j] = -rate * flat.data[at + j];
        at += step.data.length;
      }
    },
    inspect: reportOf,
  };
}

const reportOf = ({ damping, clipped, fallbacks }: Omit<DenseState, 'work'>) => ({ damping, clipped, fallbacks });
