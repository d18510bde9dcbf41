import { describe, expect, it } from 'vitest';
import { NumericalError, OptionsError } from '../../lib/errors.js';
import { axpby, Matrix, norm, symmetricEigen } from '../../lib/linalg/index.js';
import { adam } from '../../lib/optimizers/adam.js';
import { soap, type SoapOptions } from '../../lib/optimizers/soap.js';
import { flatten, requireFit, restore } from '../../lib/train/checkpoint.js';
import type { Parameter } from '../../lib/types.js';
import {
  atOffset,
  build,
  combine,
  DTYPES,
  expectClose,
  expectThrows,
  maxAbs,
  maxAbsDiff,
  multiply,
  random,
  sumOver,
  transposed,
} from '../close.js';
import { contextOf, matricesMadeBy, parametersOf, runOf, sequence, SHAPES, stepsOf } from './byHand.js';

const COUNT = 14;

/** Gradients whose strongest direction moves about, so that columns change their order at a refresh. The first one is whole-numbered and
 *  the decays used with it are eighths: its Gram matrices are exact, and so are the null spaces whose bases an eigensolver may choose. */
const gradientsOf = (rows: number, cols: number): Matrix[] =>
  sequence(rows, cols, COUNT).map((g, t) =>
    build(rows, cols, (i, j) => {
      if (t === 0) return Math.round(4 * g.get(i, j));
      return g.get(i, j) * (i === t % rows ? 4 : 1) * (j === (2 * t) % cols ? 3 : 1);
    }),
  );

/** Orthonormal columns by Gram-Schmidt, twice for safety. */
function orthonormalised(a: Matrix): Matrix {
  const q = a.clone();
  for (let c = 0; c < q.cols; c++)
    for (let pass = 0; pass < 2; pass++) {
      for (let d = 0; d < c; d++) {
        let inner = 0;
        for (let r = 0; r < q.rows; r++) inner += q.get(r, c) * q.get(r, d);
        for (let r = 0; r < q.rows; r++) q.data[r * q.cols + c] -= inner * q.get(r, d);
      }
      let square = 0;
      for (let r = 0; r < q.rows; r++) square += q.get(r, c) ** 2;
      for (let r = 0; r < q.rows; r++) q.data[r * q.cols + c] /= Math.sqrt(square);
    }
  return q;
}

interface Reference {
  learningRate: number;
  beta1: number;
  beta2: number;
  factorDecay: number;
  epsilon: number;
  weightDecay: number;
  period: number;
  bases: 'both' | 'left' | 'right';
}

/** SOAP by plain loops in the rotated space; M is kept unrotated. Counts the refreshes that changed an order. */
function reference(start: Matrix, gradients: readonly Matrix[], r: Reference): { steps: Matrix[]; reorderings: number } {
  const w = start.clone();
  const [m, n] = [w.rows, w.cols];
  const eye = { left: Matrix.identity(m), right: Matrix.identity(n) };
  const basis = { ...eye };
  const factor = { left: Matrix.zeros(m, m), right: Matrix.zeros(n, n) };
  const sides = (['left', 'right'] as const).filter((side) => r.bases === 'both' || r.bases === side);
  let mean = Matrix.zeros(m, n); // in the space of W
  let square = Matrix.zeros(m, n); // rotated
  let reorderings = 0;
  const rotated = (x: Matrix): Matrix => multiply(multiply(transposed(basis.left), x), basis.right);
  const steps = gradients.map((g, k) => {
    let step = Matrix.zeros(m, n);
    if (k > 0) {
      mean = combine(r.beta1, mean, 1 - r.beta1, g);
      const [g1, m1] = [rotated(g), rotated(mean)];
      square = build(m, n, (i, j) => r.beta2 * square.get(i, j) + (1 - r.beta2) * g1.get(i, j) ** 2);
      const size = (r.learningRate * Math.sqrt(1 - r.beta2 ** k)) / (1 - r.beta1 ** k);
      const inBasis = build(m, n, (i, j) => (-size * m1.get(i, j)) / (Math.sqrt(square.get(i, j)) + r.epsilon));
      const moved = combine(1, w, 1, multiply(multiply(basis.left, inBasis), transposed(basis.right)));
      const decayed = combine(1 - r.learningRate * r.weightDecay, moved, 0, moved);
      step = combine(1, decayed, -1, w);
      w.data.set(decayed.data);
    }
    const grams = { left: multiply(g, transposed(g)), right: multiply(transposed(g), g) };
    for (const side of sides) factor[side] = combine(r.factorDecay, factor[side], 1 - r.factorDecay, grams[side]);
    for (const side of sides) {
      const f = factor[side];
      const size = f.rows;
      if (k === 0) {
        const { vectors } = symmetricEigen(f);
        basis[side] = build(size, size, (i, j) => vectors.get(i, size - 1 - j));
      } else if (k % r.period === 0) {
        const q = basis[side];
        const rayleigh = multiply(transposed(q), multiply(f, q));
        const order = Array.from({ length: size }, (_, j) => j).sort((a, b) => rayleigh.get(b, b) - rayleigh.get(a, a));
        if (order.some((from, j) => from !== j)) reorderings++;
        basis[side] = orthonormalised(
          multiply(
            f,
            build(size, size, (i, j) => q.get(i, order[j])),
          ),
        );
        square = build(m, n, (i, j) => (side === 'left' ? square.get(order[i], j) : square.get(i, order[j])));
      }
    }
    return step;
  });
  return { steps, reorderings };
}

function expectSteps(actual: readonly Matrix[], expected: readonly Matrix[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((step, t) =>
    expect(maxAbsDiff(step, expected[t]), `at step ${t + 1}`).toBeLessThanOrEqual(tolerance * maxAbs(expected[t])),
  );
}

const eighths = { learningRate: 0.01, beta1: 0.9, beta2: 0.75, factorDecay: 0.625, epsilon: 1e-3, weightDecay: 0.3, period: 3 } as const;

describe.each(SHAPES.map(([rows, cols]) => ({ rows, cols })))('soap on a $rows x $cols weight', ({ rows, cols }) => {
  const start = random(rows, cols, 'float64', 9);
  const gradients = gradientsOf(rows, cols);

  it.each(['both', 'left', 'right'] as const)('equals plain loops in the rotated space, bases: %s', (bases) => {
    const { steps, reorderings } = reference(start, gradients, { ...eighths, bases });
    expect(reorderings).toBeGreaterThan(0);
    expectSteps(stepsOf(soap({ ...eighths, bases }), start, gradients), steps, 1e-9);
  });

  it('with the numbers of its authors equals plain loops over 25 steps, two refreshes among them', () => {
    const authors = { learningRate: 0.003, beta1: 0.95, beta2: 0.95, factorDecay: 0.95, epsilon: 1e-8, weightDecay: 0.01, period: 10 };
    const bases = rows < cols ? 'left' : rows > cols ? 'right' : 'both'; // of full rank from the first step
    const long = Array.from({ length: 25 }, (_, t) => random(rows, cols, 'float64', 500 + t));
    const { steps } = reference(start, long, { ...authors, bases });
    expectSteps(stepsOf(soap({ bases }), start, long), steps, 1e-8);
  });

  it('has the defaults of its authors: rate 0.003, betas 0.95, epsilon 1e-8, decay 0.01, period 10, the factors decaying as beta2', () => {
    const r = { learningRate: 0.003, beta1: 0.95, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, period: 10 };
    const all = { ...r, factorDecay: 0.95, maxDimension: 10_000, bases: 'both' } as const;
    const [bare, spelt] = [stepsOf(soap(), start, gradients), stepsOf(soap(all), start, gradients)];
    expectSteps(bare, spelt, 0);
  });

  it('lets factors decay as the second moment where factorDecay is not given', () => {
    const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.75, period: 3 };
    expectSteps(stepsOf(soap(options), start, gradients), stepsOf(soap({ ...options, factorDecay: 0.75 }), start, gradients), 0);
  });

  it('refreshing every step equals plain loops too', () => {
    const { steps } = reference(start, gradients, { ...eighths, period: 1, bases: 'both' });
    expectSteps(stepsOf(soap({ ...eighths, period: 1 }), start, gradients), steps, 1e-8);
  });

  it.each(DTYPES)('in $dtype: stays finite and close to float64 from a full-rank start', ({ dtype }) => {
    const exact = stepsOf(soap({ ...eighths, bases: rows < cols ? 'left' : 'right' }), start, gradients);
    const steps = stepsOf(
      soap({ ...eighths, bases: rows < cols ? 'left' : 'right' }),
      start.clone(dtype),
      gradients.map((g) => g.clone(dtype)),
    );
    expectSteps(steps, exact, dtype === 'float64' ? 0 : 2e-3);
    for (const step of stepsOf(
      soap(),
      start.clone(dtype),
      gradients.map((g) => g.clone(dtype)),
    ))
      // prettier-ignore
      expect(step.data.every(Number.isFinite)).toBe(true);
  });

  it('with both bases the identity equals Adam on the gradients from the second on', () => {
    const rates = { learningRate: 0.02, beta1: 0.8, beta2: 0.9, epsilon: 0 };
    const steps = stepsOf(soap({ ...rates, weightDecay: 0, bases: 'none' }), start, gradients);
    expect(maxAbs(steps[0])).toBe(0);
    expectSteps(steps.slice(1), stepsOf(adam(rates), start, gradients.slice(1)), 1e-15);
  });

  it('with a side above maxDimension leaves that side unrotated', () => {
    const longest = Math.max(rows, cols);
    const bases = rows === cols ? 'none' : rows > cols ? 'right' : 'left';
    const bounded = stepsOf(soap({ ...eighths, maxDimension: longest - 1 }), start, gradients);
    expectSteps(bounded, stepsOf(soap({ ...eighths, bases }), start, gradients), 0);
    expectSteps(stepsOf(soap({ ...eighths, maxDimension: longest }), start, gradients), stepsOf(soap(eighths), start, gradients), 0);
  });
});

describe('soap', () => {
  it('adds epsilon to the root of the second moment before its correction', () => {
    const gradients = sequence(3, 2, 4);
    const steps = stepsOf(soap({ ...eighths, weightDecay: 0, bases: 'none', epsilon: 0.5 }), Matrix.zeros(3, 2), gradients);
    const [, g] = gradients;
    const size = (0.01 * Math.sqrt(1 - 0.75)) / (1 - 0.9);
    expectClose(
      steps[1],
      build(3, 2, (i, j) => (-size * 0.1 * g.get(i, j)) / (Math.sqrt(0.25) * Math.abs(g.get(i, j)) + 0.5)),
      1e-14,
    );
  });

  it.each(['bias', 'vector'] as const)('on a %s is Adam, after the first call', (role) => {
    const gradients = sequence(1, 5, COUNT);
    const steps = stepsOf(soap({ epsilon: 0, weightDecay: 0 }), Matrix.zeros(1, 5), gradients, role);
    expect(maxAbs(steps[0])).toBe(0);
    const expected = stepsOf(adam({ learningRate: 0.003, beta1: 0.95, beta2: 0.95, epsilon: 0 }), Matrix.zeros(1, 5), gradients.slice(1));
    expectSteps(steps.slice(1), expected, 1e-15);
  });

  it('is equivariant under rotations of rows and columns, which Adam is not', () => {
    const gradients = sequence(4, 4, COUNT);
    const [u, v] = [orthonormalised(random(4, 4, 'float64', 71)), orthonormalised(random(4, 4, 'float64', 72))];
    const turn = (x: Matrix): Matrix => multiply(multiply(u, x), v);
    const start = random(4, 4, 'float64', 9);
    const options = { ...eighths, epsilon: 1e-8 };
    const turned = stepsOf(soap(options), turn(start), gradients.map(turn));
    expectSteps(turned, stepsOf(soap(options), start, gradients).map(turn), 1e-9);
    const [plain, rotated] = [stepsOf(adam(), start, gradients), stepsOf(adam(), turn(start), gradients.map(turn))];
    expect(maxAbsDiff(rotated[3], turn(plain[3]))).toBeGreaterThan(0.1 * maxAbs(plain[3]));
  });

  it('keeps one parameter apart from another, also when it is first updated later', () => {
    const gradients = sequence(4, 3, COUNT);
    const alone = stepsOf(soap(eighths), Matrix.zeros(4, 3), gradients);
    const optimizer = soap(eighths);
    const params = parametersOf([Matrix.zeros(4, 3), Matrix.zeros(4, 3)]);
    const state = optimizer.init(params);
    gradients.forEach((g, t) => {
      const steps = [Matrix.zeros(4, 3), Matrix.zeros(4, 3)];
      const earlier = gradients[Math.max(0, t - 2)];
      optimizer.update(contextOf(params, [g, earlier], t + 1), state, steps, t < 2 ? [0] : [1, 0]);
      steps.forEach((step, i) => axpby(1, step, 1, params[i].value));
      expectClose(steps[0], alone[t], 1e-13);
      if (t >= 2) expectClose(steps[1], alone[t - 2], 1e-13);
    });
  });

  it('makes no step at its first call, weight decay included, and decays by (1 - rate decay) after the step from then on', () => {
    const start = random(3, 4);
    const [first, second] = stepsOf(soap({ learningRate: 0.1, weightDecay: 0.5 }), start, [random(3, 4), Matrix.zeros(3, 4)]);
    expect(maxAbs(first)).toBe(0);
    expectClose(second, combine(-0.05, start, 0, start), 1e-15);
  });

  it.each([
    ['zero gradients', () => Matrix.zeros(4, 3)],
    ['gradients of rank one', (t: number) => multiply(random(4, 1, 'float64', t), random(1, 3, 'float64', t + 50))],
    ['factors of condition 1e14 and more', (t: number) => build(4, 3, (i, j) => (i === j ? 10 ** (-7 * i) : 0) * (1 + t))],
    ['tiny gradients', (t: number) => combine(1e-25, random(4, 3, 'float64', t), 0, Matrix.zeros(4, 3))],
    ['large gradients', (t: number) => combine(1e15, random(4, 3, 'float64', t), 0, Matrix.zeros(4, 3))],
  ])('takes finite steps on %s, in both dtypes', (_title, gradient) => {
    for (const { dtype } of DTYPES) {
      const gradients = Array.from({ length: 8 }, (_, t) => gradient(t).clone(dtype));
      const start = random(4, 3, dtype);
      for (const step of stepsOf(soap({ period: 2 }), start, gradients)) expect(step.data.every(Number.isFinite), dtype).toBe(true);
    }
  });

  it('of zero gradients takes no step', () => {
    const steps = stepsOf(
      soap({ weightDecay: 0, period: 1 }),
      random(4, 3),
      Array.from({ length: 4 }, () => Matrix.zeros(4, 3)),
    );
    for (const step of steps) expect(maxAbs(step)).toBe(0);
  });

  it.each([
    [1, 5],
    [5, 1],
    [1, 1],
  ])('works on a %s x %s weight: its step goes one rate along a constant gradient', (rows, cols) => {
    const g = random(rows, cols);
    const steps = stepsOf(soap({ learningRate: 1, weightDecay: 0, epsilon: 0, bases: 'both' }), Matrix.zeros(rows, cols), [g, g, g]);
    // In its own eigenbasis the gradient has one entry that is not rounding error; Adam makes it 1.
    const inBasis = Math.abs(sumOver(steps[1].data, (x, k) => x * g.data[k])) / norm(g);
    expect(inBasis).toBeCloseTo(1, 9);
  });

  it('throws NumericalError NOT_FINITE naming the parameter on NaN, and where factors overflow float32', () => {
    const [good, bad] = [Matrix.from([[1, 2]]), Matrix.from([[1, NaN]])];
    const zero = Matrix.zeros(1, 2);
    expectThrows(() => stepsOf(soap(), zero, [bad]), NumericalError, 'NOT_FINITE', /soap: W0: symmetricEigen: .*NaN/);
    expectThrows(() => stepsOf(soap(), zero, [good, bad]), NumericalError, 'NOT_FINITE', /soap: W0: the step holds NaN/);
    const huge = Matrix.from([[1e25, 1]], 'float32');
    expectThrows(
      () => stepsOf(soap({ period: 1 }), zero.clone('float32'), [good.clone('float32'), huge]),
      NumericalError,
      'NOT_FINITE',
      /soap: W0: a refreshed basis/,
    );
  });

  it('goes on from saved state bit for bit, from before the first refresh and after', () => {
    for (const at of [1, 7]) {
      const values = [random(7, 3), random(1, 4)];
      const roles: Parameter['role'][] = ['weight', 'bias'];
      const gradients = sequence(7, 3, COUNT).map((g, t) => [g, random(1, 4, 'float64', t)]);
      const whole = runOf(soap({ period: 3 }), values, roles);
      const saved: Record<string, Matrix> = {};
      let from: Matrix[] = [];
      const steps = gradients.map((g, t) => {
        if (t === at) {
          flatten(whole.state, 'o', saved);
          from = whole.params.map(({ value }) => value.clone());
        }
        return whole.step(g);
      });
      const second = runOf(soap({ period: 3 }), from, roles, at);
      requireFit(second.state, 'o', saved);
      restore(second.state, 'o', saved);
      gradients.slice(at).forEach((g, k) => second.step(g).forEach((s, i) => expect(maxAbsDiff(s, steps[at + k][i])).toBe(0)));
    }
  });

  it('makes no matrix in an update, the first and refreshes included', () => {
    const run = runOf(soap({ period: 1 }), [random(5, 3), random(1, 4)], ['weight', 'bias']);
    const gradients = [atOffset(random(5, 3)), atOffset(random(1, 4))];
    for (let t = 0; t < 3; t++) expect(matricesMadeBy(() => run.step(gradients))).toBe(2); // those that `step` returns
  });

  it('tells the spectra of its factors, of rotated sides alone', () => {
    const optimizer = soap({ bases: 'left', factorDecay: 0 });
    const run = runOf(optimizer, [Matrix.zeros(2, 2), Matrix.zeros(1, 2)], ['weight', 'bias']);
    run.step([Matrix.diagonal([3, 1]), Matrix.from([[1, 0]])]);
    const told = optimizer.inspect!(run.state, 0);
    expect(Object.keys(told)).toEqual(['left.condition', 'left.effectiveRank', 'left.basisError']);
    expect(told['left.condition']).toBeCloseTo(9, 12);
    expect(optimizer.inspect!(run.state, 1)).toEqual({});
  });

  it.each<[string, SoapOptions, RegExp]>([
    ['an unknown key', { beta: 1 } as never, /soap: beta: unknown key/],
    ['a period of 0', { period: 0 }, /soap: period: must be at least 1; got 0/],
    ['an unknown side', { bases: 'top' as never }, /soap: bases: must be one of both, left, right, none/],
  ])('throws OptionsError for %s', (_title, options, message) => {
    expectThrows(() => soap(options), OptionsError, 'ERR_OPTIONS', message);
  });
});
