import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { ekfac, type EkfacOptions } from '../../lib/optimizers/ekfac.js';
import { basisError, iterateBasis, iterations } from '../../lib/optimizers/orthogonalIteration.js';
import { soap } from '../../lib/optimizers/soap.js';
import { haar, Stream } from '../../lib/random/index.js';
import { build, expectClose, expectOrthonormal, multiply, transposed } from '../close.js';
import { evaluate, stepsOf } from '../fixtures.js';
import { sceneOf } from './kroneckerByHand.js';

const values = [9, 0.5, 4, 2, 1];
const q0 = haar(5, new Stream(1));
const s = multiply(build(5, 5, (i, j) => q0.get(i, j) * values[j]), transposed(q0)); // prettier-ignore

describe('iterateBasis', () => {
  it('goes to the eigenvectors, those of the largest eigenvalues first, and stays orthogonal on the way', () => {
    const basis = Matrix.identity(5);
    const [work] = iterations([5], 'float64');
    const errors: number[] = [];
    for (let k = 0; k < 80; k++) {
      iterateBasis(s, basis, work);
      expectOrthonormal(basis, 1e-12);
      errors.push(basisError(s, basis));
    }
    expect(errors[0]).toBeGreaterThan(0.05);
    expect(errors[9]).toBeLessThan(errors[0] / 10);
    expect(errors[79]).toBeLessThan(1e-13);
    expectClose(multiply(transposed(basis), multiply(s, basis)), Matrix.diagonal(Float64Array.of(9, 4, 2, 1, 0.5)), 1e-12);
    expect([...work.values].map((v) => Number(v.toFixed(9)))).toEqual([9, 4, 2, 1, 0.5]);
  });

  it('tells by its order where each column comes from', () => {
    const basis = Matrix.identity(3);
    const [work] = iterations([3], 'float64');
    iterateBasis(Matrix.diagonal(Float64Array.of(2, 5, 3)), basis, work);
    expect([...work.order]).toEqual([1, 2, 0]);
    expect([...work.values]).toEqual([2, 5, 3]);
    expectClose(build(3, 3, (i, j) => Math.abs(basis.get(i, j))), build(3, 3, (i, j) => (i === [1, 2, 0][j] ? 1 : 0)), 1e-15); // prettier-ignore
  });
});

describe('basisError', () => {
  it('is the share that lies off the diagonal', () => {
    expect(basisError(Matrix.from([[2, 1], [1, 2]]), Matrix.identity(2))).toBeCloseTo(Math.sqrt(2 / 10), 14); // prettier-ignore
    expect(basisError(Matrix.zeros(3, 3), Matrix.identity(3))).toBe(0);
    expect(basisError(s, q0)).toBeLessThan(1e-15);
  });
});

describe("ekfac with bases: 'iteration'", () => {
  const scene = sceneOf({ widths: [4, 5, 3], loss: 'squared', samples: 40 });
  /** Steps at one batch again and again, the network staying as it is. */
  const after = (count: number, options: EkfacOptions): { step: Matrix[]; report: Readonly<Record<string, number>> } => {
    const optimizer = ekfac({ inversePeriod: 1, damping: 0.01, outputFactor: 'empirical', ...options });
    const state = optimizer.init(scene.network.params);
    let step: Matrix[] = [];
    for (let t = 1; t <= count; t++) {
      evaluate(scene.network, scene.batch, optimizer.needs(t), scene.loss);
      step = stepsOf(optimizer, scene.network, state);
    }
    return { step, report: optimizer.inspect!(state, 0) };
  };

  it('begins with an eigen-decomposition', () => {
    expect(after(1, { bases: 'iteration' }).step).toEqual(after(1, {}).step);
    expect(after(1, { bases: 'iteration' }).report['input.basisError']).toBeLessThan(1e-14);
  });

  it('keeps the bases of factors that stay, and follows those that move, telling by how much it is off', () => {
    const [kept, exact] = [after(12, { bases: 'iteration' }), after(12, {})];
    kept.step.forEach((m, i) => expectClose(m, exact.step[i], 1e-9));
    expect(kept.report['input.basisError']).toBeLessThan(1e-12);
    // Another batch: one iteration is not enough, and many are.
    const other = sceneOf({ widths: [4, 5, 3], loss: 'squared', samples: 40, seed: 99 });
    const optimizer = ekfac({ inversePeriod: 1, factorDecay: 0, outputFactor: 'empirical', bases: 'iteration' });
    const state = optimizer.init(scene.network.params);
    const errors = [scene.batch, ...new Array<typeof scene.batch>(60).fill(other.batch)].map((batch, k) => {
      evaluate(scene.network, batch, optimizer.needs(k + 1), scene.loss);
      stepsOf(optimizer, scene.network, state);
      return optimizer.inspect!(state, 0);
    });
    for (const side of ['input', 'output']) {
      expect(errors[0][`${side}.basisError`]).toBeLessThan(1e-14);
      expect(errors[1][`${side}.basisError`]).toBeGreaterThan(1e-3);
      expect(errors[60][`${side}.basisError`]).toBeLessThan(errors[1][`${side}.basisError`] / 100);
    }
    // Eigenvalues ascend with their vectors: Q_A' A Q_A has them on its diagonal.
    const { bases } = state.weights[0]!.preconditioner;
    const a = state.weights[0]!.factors.input.value;
    const diagonal = multiply(transposed(bases.input.vectors), multiply(a, bases.input.vectors));
    for (let j = 0; j < a.rows; j++) expect(bases.input.values[j]).toBeCloseTo(diagonal.get(j, j), 5);
  });
});

it('soap tells how far its bases are from eigenvectors', () => {
  const scene = sceneOf({ widths: [4, 5], loss: 'squared', samples: 40, bias: false });
  const optimizer = soap({ period: 2 });
  const state = optimizer.init(scene.network.params);
  const errors = [1, 2].map((t) => {
    evaluate(scene.network, scene.batch, optimizer.needs(t), scene.loss);
    const gradient = scene.network.gradients[0];
    if (t > 1) gradient.data.forEach((_, i) => (gradient.data[i] *= Math.sin(i)));
    stepsOf(optimizer, scene.network, state);
    return optimizer.inspect!(state, 0);
  });
  expect(errors[0]['left.basisError']).toBeLessThan(1e-14);
  expect(errors[1]['left.basisError']).toBeGreaterThan(1e-4);
  expect(errors[1]['right.basisError']).toBeGreaterThan(1e-4);
});
