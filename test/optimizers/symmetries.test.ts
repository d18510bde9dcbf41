/** What rotating a layer's inputs or outputs does to each method: W -> W R' with x -> R x turns a gradient G into G R', and a method that
 *  commutes with it takes the step S R'. */
import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { adam, muon, sgd, shampoo, soap } from '../../lib/optimizers/index.js';
import { haar, Stream } from '../../lib/random/index.js';
import type { Optimizer } from '../../lib/types.js';
import { expectClose, maxAbsDiff, multiply, random, transposed } from '../close.js';
import { runOf, sequence, SHAPES } from './byHand.js';

const STEPS = 15;

/** Steps of the method on the fixed gradients, and on the same ones between L and R', brought back. */
function trajectories(optimizer: Optimizer, [m, n]: readonly [number, number], left: Matrix, right: Matrix): [Matrix[], Matrix[]] {
  const start = random(m, n, 'float64', 3);
  const gradients = sequence(m, n, STEPS);
  const turned = (x: Matrix): Matrix => multiply(multiply(left, x), transposed(right));
  const back = (x: Matrix): Matrix => multiply(multiply(transposed(left), x), right);
  const [plain, rotated] = [runOf(optimizer, [start]), runOf(optimizer, [turned(start)])];
  return [gradients.map((g) => plain.step([g])[0]), gradients.map((g) => back(rotated.step([turned(g)])[0]))];
}

const COMMUTING: readonly (readonly [string, Optimizer])[] = [
  ['sgd', sgd({ momentum: 0.9, weightDecay: 0.01 })],
  ['shampoo', shampoo({ epsilon: 1e-4 })],
  ['shampoo, one side, newton', shampoo({ sides: 'right', roots: 'newton', epsilon: 1e-2 })],
  ['muon', muon({ weightDecay: 0.1 })],
  ['muon, exact', muon({ exact: true })],
];

describe.each(SHAPES)('on a %d x %d weight', (...shape) => {
  const [left, right] = [haar(shape[0], new Stream(1)), haar(shape[1], new Stream(2))];

  it.each(COMMUTING)('%s commutes with rotations of inputs and outputs', (_name, optimizer) => {
    const [plain, rotated] = trajectories(optimizer, shape, left, right);
    plain.forEach((step, t) => expectClose(rotated[t], step, 1e-8));
  });

  it('adam does not: its steps depend on the coordinates', () => {
    const [plain, rotated] = trajectories(adam({ learningRate: 0.1 }), shape, left, right);
    expect(maxAbsDiff(plain.at(-1)!, rotated.at(-1)!)).toBeGreaterThan(0.005);
  });

  it('soap without bases does not either: the rotation lives in its bases', () => {
    const [plain, rotated] = trajectories(soap({ learningRate: 0.1, bases: 'none' }), shape, left, right);
    expect(maxAbsDiff(plain.at(-1)!, rotated.at(-1)!)).toBeGreaterThan(0.005);
  });
});

describe('soap', () => {
  it('commutes with rotations where its first gradient has full rank, which decides its first bases', () => {
    const [plain, rotated] = trajectories(soap({ period: 4 }), [5, 5], haar(5, new Stream(1)), haar(5, new Stream(2)));
    plain.forEach((step, t) => expectClose(rotated[t], step, 1e-8));
  });

  it('does not where it has not: any basis of the null space will do, and Adam depends on which', () => {
    const [plain, rotated] = trajectories(soap({ period: 4 }), [7, 3], haar(7, new Stream(1)), haar(3, new Stream(2)));
    expect(maxAbsDiff(plain.at(-1)!, rotated.at(-1)!)).toBeGreaterThan(1e-5);
  });
});
