/** Optimisers driven by hand, on gradients given in advance: what the tests of methods that need gradients alone share. */
import { axpby, Matrix, type Dtype } from '../../lib/linalg/index.js';
import type { Optimizer, OptimizerState, Parameter, Params, UpdateContext } from '../../lib/types.js';
import { random } from '../close.js';

/** Tall, wide, square. */
export const SHAPES = [
  [7, 3],
  [3, 7],
  [5, 5],
] as const;

export const zerosLike = ({ rows, cols, dtype }: Matrix): Matrix => Matrix.zeros(rows, cols, dtype);

/** Parameters with these values, each a layer of its own, weights unless roles are given. */
export const parametersOf = (values: readonly Matrix[], roles: readonly Parameter['role'][] = []): Params =>
  values.map((value, layer) => ({ name: `W${layer}`, value, layer, role: roles[layer] ?? 'weight' }));

const unexpected = (): never => {
  throw new Error('an optimiser of gradients alone asked for more');
};

/** @param notes  where the optimiser's notes go, as 'parameter: message' */
export const contextOf = (params: Params, gradients: readonly Matrix[], step: number, notes: string[] = []): UpdateContext => ({
  step,
  params,
  gradients,
  stats: params.map(() => null),
  dense: null,
  loss: 0,
  lossAt: unexpected,
  curvatureTimes: unexpected,
  note: (parameter, message) => notes.push(`${parameter}: ${message}`),
});

/** `count` gradients of one parameter. */
export const sequence = (rows: number, cols: number, count: number, dtype: Dtype = 'float64', seed = 1): Matrix[] =>
  Array.from({ length: count }, (_, t) => random(rows, cols, dtype, 100 * seed + t));

/** A run of one optimiser: `step` makes the next step and applies it. */
export interface Run<S extends OptimizerState = OptimizerState> {
  readonly params: Params;
  readonly state: S;
  readonly notes: string[];
  /** @returns the steps, new matrices */
  step(gradients: readonly Matrix[]): Matrix[];
}

/** @param from  steps that have been taken already */
export function runOf<S extends OptimizerState>(
  optimizer: Optimizer<S>,
  start: readonly Matrix[],
  roles: readonly Parameter['role'][] = [],
  from = 0,
): Run<S> {
  const params = parametersOf(
    start.map((m) => m.clone()),
    roles,
  );
  const state = optimizer.init(params);
  const notes: string[] = [];
  let t = from;
  return {
    params,
    state,
    notes,
    step(gradients) {
      const steps = params.map(({ value }) => {
        const step = zerosLike(value);
        step.data.fill(NaN); // what is not written shows
        return step;
      });
      optimizer.update(
        contextOf(params, gradients, ++t, notes),
        state,
        steps,
        params.map((_, i) => i),
      );
      steps.forEach((step, i) => axpby(1, step, 1, params[i].value));
      return steps;
    },
  };
}

/** The steps of one parameter on a sequence of gradients. */
export function stepsOf(optimizer: Optimizer, start: Matrix, gradients: readonly Matrix[], role: Parameter['role'] = 'weight'): Matrix[] {
  const run = runOf(optimizer, [start], [role]);
  return gradients.map((g) => run.step([g])[0]);
}

/** How many matrices `call` makes. */
export function matricesMadeBy(call: () => void): number {
  const zeros = Matrix.zeros.bind(Matrix);
  let made = 0;
  Matrix.zeros = (...args) => {
    made++;
    return zeros(...args);
  };
  try {
    call();
  } finally {
    Matrix.zeros = zeros;
  }
  return made;
}
