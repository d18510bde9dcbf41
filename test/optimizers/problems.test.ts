/** Every optimiser on every problem in both dtypes: the loss falls by a known factor and everything stays finite. */
import { describe, expect, it } from 'vitest';
import { optimizers, type OptimizerName } from '../../lib/optimizers/index.js';
import { Training } from '../../lib/train/index.js';
import type { Optimizer } from '../../lib/types.js';
import { bothDtypes } from '../fixtures.js';
import { problems, ROWS, type ProblemName } from '../problems.js';

type Row = Readonly<Record<ProblemName, readonly [options: object, fall: number] | null>>;

/** Options, and the factor by which 200 steps bring the loss down at least (noise leaves 0.012 of the regression's). */
const TABLE: Readonly<Record<OptimizerName, Row>> = {
  sgd: {
    quadratic: [{ learningRate: 0.3, momentum: 0.9 }, 1e-6],
    rosenbrock: [{ learningRate: 0.001, momentum: 0.9 }, 0.02],
    regression: [{ learningRate: 0.1, momentum: 0.5 }, 0.03],
    classifier: [{ learningRate: 0.1, momentum: 0.9 }, 0.1],
  },
  adam: {
    quadratic: [{ learningRate: 0.1 }, 1e-3],
    rosenbrock: [{ learningRate: 0.1 }, 0.05],
    regression: [{ learningRate: 0.03 }, 0.03],
    classifier: [{ learningRate: 0.03 }, 0.1],
  },
  adamw: {
    quadratic: [{ learningRate: 0.1, weightDecay: 1e-3 }, 1e-3],
    rosenbrock: [{ learningRate: 0.1, weightDecay: 0 }, 0.05],
    regression: [{ learningRate: 0.03 }, 0.03],
    classifier: [{ learningRate: 0.03 }, 0.1],
  },
  layerwise: {
    quadratic: [{ learningRate: 0.3 }, 1e-8],
    rosenbrock: [{ learningRate: 0.1, damping: 1e-3 }, 0.02],
    regression: [{ learningRate: 0.1 }, 0.02],
    classifier: [{ learningRate: 0.1, damping: 0.1 }, 0.1],
  },
  kfac: {
    quadratic: [{ learningRate: 0.3, damping: 1e-6 }, 1e-8],
    rosenbrock: [{ learningRate: 0.2, damping: 1e-3, factorDecay: 0, dampingKind: 'exact' }, 1e-3],
    regression: [{ learningRate: 0.1, damping: 1e-4 }, 0.02],
    classifier: [{ learningRate: 0.1, damping: 0.01 }, 0.1],
  },
  ekfac: {
    quadratic: [{ learningRate: 0.3, damping: 1e-6, inversePeriod: 5 }, 1e-8],
    rosenbrock: [{ learningRate: 0.2, damping: 1e-3, factorDecay: 0 }, 1e-3],
    regression: [{ learningRate: 0.1, damping: 1e-4 }, 0.02],
    classifier: [{ learningRate: 0.1, damping: 0.01, inversePeriod: 3 }, 0.1],
  },
  foof: {
    quadratic: [{ learningRate: 0.3, damping: 1e-6 }, 1e-8],
    rosenbrock: [{ learningRate: 0.001, damping: 0.1, momentum: 0.9 }, 0.02],
    regression: [{ learningRate: 0.1, damping: 1e-3 }, 0.1],
    classifier: [{ learningRate: 0.2, damping: 0.1 }, 0.1],
  },
  shampoo: {
    quadratic: [{ learningRate: 0.3 }, 1e-3],
    rosenbrock: [{ learningRate: 0.3 }, 0.1],
    regression: [{ learningRate: 0.1 }, 0.03],
    classifier: [{ learningRate: 0.2 }, 0.1],
  },
  soap: {
    quadratic: [{ learningRate: 0.1, weightDecay: 0 }, 1e-3],
    rosenbrock: [{ learningRate: 0.05, weightDecay: 0 }, 0.05],
    regression: [{ learningRate: 0.02 }, 0.03],
    classifier: [{ learningRate: 0.03 }, 0.1],
  },
  muon: {
    quadratic: [{ learningRate: 0.02 }, 0.02],
    rosenbrock: [{ learningRate: 0.02 }, 0.05],
    regression: [{ learningRate: 0.01 }, 0.04],
    classifier: [{ learningRate: 0.02, vectors: { learningRate: 0.01 } }, 0.1],
  },
  amgd: {
    quadratic: null, // its definition is for two-layer networks
    rosenbrock: null,
    regression: [{ learningRate: 0.3, whitened: true, damping: 1e-6 }, 0.02],
    classifier: null,
  },
  gaussNewton: {
    quadratic: [{ learningRate: 0.5, damping: 1e-6 }, 1e-8],
    rosenbrock: [{ learningRate: 0.2, damping: 1e-3, solver: 'cg' }, 1e-3],
    regression: [{ learningRate: 0.2 }, 0.02],
    classifier: [{ learningRate: 0.2, damping: 0.01 }, 0.1],
  },
  naturalGradient: {
    quadratic: [{ learningRate: 0.5, damping: 1e-6 }, 1e-8],
    rosenbrock: [{ learningRate: 0.2, damping: 1e-3 }, 1e-3],
    regression: [{ learningRate: 0.02, damping: 0.01, fisher: 'mc' }, 0.05],
    classifier: [{ learningRate: 0.1, damping: 0.1, fisher: 'empirical' }, 0.1],
  },
};

const CASES = Object.entries(TABLE).flatMap(([name, row]) =>
  Object.entries(row).flatMap(([problem, cell]) =>
    cell === null
      ? []
      : bothDtypes.map((dtype) => ({
          name: name as OptimizerName,
          problem: problem as ProblemName,
          options: cell[0],
          fall: cell[1],
          dtype,
        })),
  ),
);

describe.each(CASES)('$name on the $problem in $dtype', ({ name, problem, options, fall, dtype }) => {
  it(`brings the loss below ${fall} of its start in 200 steps, with finite parameters and state`, () => {
    const { task, network, loss } = problems[problem](dtype);
    const optimizer = (optimizers[name].create as (o: object) => Optimizer)(options);
    const training = new Training({ task, network, loss, optimizer, batch: ROWS[problem], steps: 200, every: 1 });
    while (training.advance(50));
    const { status, reason, metrics } = training.record();
    expect([status, reason]).toEqual(['done', undefined]);
    const { values } = metrics['loss'];
    expect(values.at(-1)! / values[0]).toBeLessThan(Math.max(fall, dtype === 'float32' ? 1e-7 : 0));
    for (const { value } of network.params) expect(value.data.every(Number.isFinite)).toBe(true);
    const state = Object.entries(training.checkpoint().arrays).filter(([path]) => path.startsWith('optimizer/'));
    for (const [path, { data }] of state) expect(data.every(Number.isFinite), path).toBe(true);
  });
});
