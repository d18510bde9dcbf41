import { describe, expect, it } from 'vitest';
import { NumericalError, OptionsError } from '../../lib/errors.js';
import { copyBlock, Matrix, norm, svd, symmetricFunction } from '../../lib/linalg/index.js';
import { adam } from '../../lib/optimizers/adam.js';
import { adamw } from '../../lib/optimizers/adamw.js';
import { sgd } from '../../lib/optimizers/sgd.js';
import { shampoo, type ShampooOptions } from '../../lib/optimizers/shampoo.js';
import { flatten, requireFit, restore } from '../../lib/train/checkpoint.js';
import type { Parameter } from '../../lib/types.js';
import { atOffset, build, combine, DTYPES, expectClose, expectThrows, maxAbs, maxAbsDiff, multiply, random, transposed } from '../close.js';
import { matricesMadeBy, runOf, sequence, SHAPES, stepsOf, zerosLike } from './byHand.js';

const COUNT = 12;

/** (A (x) B) vec(X) with vec row by row: the dense Kronecker matrix times the vector, for symmetric A and B equal to A X B. */
function kroneckerTimes(a: Matrix, b: Matrix, x: Matrix): Matrix {
  const [m, n] = [x.rows, x.cols];
  const k = build(m * n, m * n, (p, q) => a.get(Math.floor(p / n), Math.floor(q / n)) * b.get(p % n, q % n));
  return Matrix.wrap(multiply(k, Matrix.wrap(Float64Array.from(x.data), m * n, 1)).data, m, n);
}

const power = (a: Matrix, exponent: number, epsilon: number): Matrix =>
  symmetricFunction(combine(1, a, epsilon, Matrix.identity(a.rows)), (w) => w ** exponent);

interface Reference {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  left?: number;
  right?: number;
  corrected?: boolean;
  weightDecay?: number;
  /** Norm of the grafted step before the learning rate, from the averaged gradient and all gradients so far. */
  graft?: (averaged: Matrix, gradients: readonly Matrix[]) => number;
  factorPeriod?: number;
  rootPeriod?: number;
}

/** Shampoo's steps from its definition, all factors summed anew at each step. */
function reference(start: Matrix, gradients: readonly Matrix[], r: Reference): Matrix[] {
  const { learningRate, beta1, beta2, epsilon, left = 0.25, right = 0.25, corrected = true, weightDecay = 0 } = r;
  const { factorPeriod = 1, rootPeriod = 1 } = r;
  const w = start.clone();
  let roots: [Matrix, Matrix] | undefined;
  return gradients.map((_, t) => {
    const used = gradients.slice(0, t + 1).filter((_g, k) => k % factorPeriod === 0);
    const weights = used.map((_g, k) => (beta2 === 1 ? 1 : (1 - beta2) * beta2 ** (used.length - 1 - k)));
    const total = corrected && beta2 < 1 ? 1 - beta2 ** used.length : 1;
    const sum = (gram: (g: Matrix) => Matrix, n: number): Matrix =>
      used.reduce((all, g, k) => combine(1, all, weights[k] / total, gram(g)), Matrix.zeros(n, n));
    if (t % rootPeriod === 0)
      roots = [
        power(
          sum((g) => multiply(g, transposed(g)), w.rows),
          -left,
          epsilon,
        ),
        power(
          sum((g) => multiply(transposed(g), g), w.cols),
          -right,
          epsilon,
        ),
      ];
    let averaged = Matrix.zeros(w.rows, w.cols);
    for (const g of gradients.slice(0, t + 1)) averaged = combine(beta1, averaged, 1 - beta1, g);
    if (corrected) averaged = combine(1 / (1 - beta1 ** (t + 1)), averaged, 0, averaged);
    let p = kroneckerTimes(roots![0], roots![1], averaged);
    if (r.graft !== undefined) p = combine(r.graft(averaged, gradients.slice(0, t + 1)) / norm(p), p, 0, p);
    const step = combine(-learningRate, p, -learningRate * weightDecay, w);
    w.data.set(combine(1, w, 1, step).data);
    return step;
  });
}

function expectSteps(actual: readonly Matrix[], expected: readonly Matrix[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((step, t) =>
    expect(maxAbsDiff(step, expected[t]), `at step ${t + 1}`).toBeLessThanOrEqual(tolerance * maxAbs(expected[t])),
  );
}

const CASES: { title: string; options: ShampooOptions; r: Partial<Reference> }[] = [
  { title: 'by default sums factors and averages gradients with 0.9', options: {}, r: {} },
  { title: 'averages factors', options: { beta2: 0.9, epsilon: 1e-6 }, r: { beta2: 0.9, epsilon: 1e-6 } },
  {
    title: 'without bias correction',
    options: { beta2: 0.9, epsilon: 1e-6, biasCorrection: false },
    r: { beta2: 0.9, epsilon: 1e-6, corrected: false },
  },
  { title: 'without momentum', options: { beta1: 0 }, r: { beta1: 0 } },
  { title: 'decays weights decoupled', options: { weightDecay: 0.3, learningRate: 0.05 }, r: { weightDecay: 0.3, learningRate: 0.05 } },
  {
    title: 'with exponents of its own',
    options: { leftExponent: 0.3, rightExponent: 0.4, epsilon: 1e-4 },
    r: { left: 0.3, right: 0.4, epsilon: 1e-4 },
  },
  { title: 'on the left alone', options: { sides: 'left', epsilon: 1e-4 }, r: { left: 0.5, right: 0, epsilon: 1e-4 } },
  { title: 'on the right alone', options: { sides: 'right', epsilon: 1e-4 }, r: { left: 0, right: 0.5, epsilon: 1e-4 } },
  {
    title: 'with factors and roots every third and second step, stale in between',
    options: { factorPeriod: 3, rootPeriod: 2, beta2: 0.8, epsilon: 1e-4 },
    r: { factorPeriod: 3, rootPeriod: 2, beta2: 0.8, epsilon: 1e-4 },
  },
  { title: 'with the norm of SGD', options: { grafting: 'sgd' }, r: { graft: (m) => norm(m) } },
  {
    title: 'with the norm of AdaGrad',
    options: { grafting: 'adagrad', graftingEpsilon: 0.1 },
    r: { graft: (m, gradients) => norm(build(m.rows, m.cols, (i, j) => m.get(i, j) / (Math.sqrt(sumOfSquares(gradients, i, j)) + 0.1))) },
  },
  {
    title: 'with the norm of Adam',
    options: { grafting: 'adam', graftingBeta2: 0.7, graftingEpsilon: 0.1 },
    r: { graft: (m, gradients) => norm(build(m.rows, m.cols, (i, j) => m.get(i, j) / (Math.sqrt(averageSquare(gradients, i, j)) + 0.1))) },
  },
];
const sumOfSquares = (gradients: readonly Matrix[], i: number, j: number): number => gradients.reduce((s, g) => s + g.get(i, j) ** 2, 0);
const averageSquare = (gradients: readonly Matrix[], i: number, j: number): number =>
  gradients.reduce((s, g) => 0.7 * s + 0.3 * g.get(i, j) ** 2, 0) / (1 - 0.7 ** gradients.length);

describe.each(SHAPES.map(([rows, cols]) => ({ rows, cols })))('shampoo on a $rows x $cols weight', ({ rows, cols }) => {
  const start = random(rows, cols, 'float64', 9);
  const gradients = sequence(rows, cols, COUNT);

  it.each(CASES)('equals the dense Kronecker preconditioner: $title', ({ options, r }) => {
    const expected = reference(start, gradients, { learningRate: 0.01, beta1: 0.9, beta2: 1, epsilon: 1e-12, ...r });
    expectSteps(stepsOf(shampoo(options), start, gradients), expected, 1e-9);
  });

  it('with roots by coupled Newton takes the same steps to 1e-6', () => {
    const eigen = stepsOf(shampoo({ epsilon: 1e-6 }), start, gradients);
    const run = runOf(shampoo({ epsilon: 1e-6, roots: 'newton' }), [start]);
    expectSteps(
      gradients.map((g) => run.step([g])[0]),
      eigen,
      1e-6,
    );
    expect(run.notes).toEqual([]);
  });

  it("on one batch is U V', the polar factor of the gradient", () => {
    const [g] = gradients;
    const { u, vt } = svd(g);
    const [step] = stepsOf(shampoo({ learningRate: 1, beta1: 0, epsilon: 1e-15 }), start, [g]);
    expectClose(step, combine(-1, multiply(u, vt), 0, g), 1e-9);
  });

  it.each(DTYPES)('in $dtype: stays finite and close to float64', ({ dtype }) => {
    const options = { beta2: 0.9, epsilon: 1e-4, grafting: 'adam' } as const;
    const steps = stepsOf(
      shampoo(options),
      start.clone(dtype),
      gradients.map((g) => g.clone(dtype)),
    );
    const exact = stepsOf(shampoo(options), start, gradients);
    expectSteps(steps, exact, dtype === 'float64' ? 0 : 1e-4);
  });
});

describe('shampoo', () => {
  it('on 1 x 2 gradients [1, 0] then [0, 1] takes [1, 0] and 2^-1/4 [0, 1]', () => {
    const steps = stepsOf(shampoo({ learningRate: 1, beta1: 0 }), Matrix.zeros(1, 2), [Matrix.from([[1, 0]]), Matrix.from([[0, 1]])]);
    expectClose(steps[0], [-1, 0], 1e-11);
    expectClose(steps[1], [0, -(2 ** -0.25)], 1e-11);
  });

  it.each(['bias', 'vector'] as const)("preconditions a %s by (sum g g')^-1/2 on its single side", (role) => {
    const gradients = sequence(1, 4, COUNT);
    const expected = reference(Matrix.zeros(1, 4), gradients, {
      learningRate: 0.01,
      beta1: 0.9,
      beta2: 1,
      epsilon: 1e-4,
      left: 0,
      right: 0.5,
    });
    for (const sides of ['both', 'left', 'right'] as const)
      expectSteps(stepsOf(shampoo({ epsilon: 1e-4, sides }), Matrix.zeros(1, 4), gradients, role), expected, 1e-9);
  });

  it('with blocks takes the steps of hand-cut blocks', () => {
    const gradients = sequence(7, 5, COUNT);
    const start = random(7, 5, 'float64', 9);
    const options: ShampooOptions = { beta2: 0.9, weightDecay: 0.1 };
    const rectangles = [
      [0, 0, 3, 3],
      [0, 3, 3, 2],
      [3, 0, 3, 3],
      [3, 3, 3, 2],
      [6, 0, 1, 3],
      [6, 3, 1, 2],
    ];
    const cut = (m: Matrix): Matrix[] => rectangles.map(([r, c, h, w]) => copyBlock(m, r, c, h, w, Matrix.zeros(h, w), 0, 0));
    const byHand = runOf(shampoo(options), cut(start));
    const expected = gradients.map((g) => {
      const step = Matrix.zeros(7, 5);
      byHand.step(cut(g)).forEach((s, k) => {
        const [r, c, h, w] = rectangles[k];
        copyBlock(s, 0, 0, h, w, step, r, c);
      });
      return step;
    });
    expectSteps(stepsOf(shampoo({ ...options, blockSize: 3 }), start, gradients), expected, 1e-14);
  });

  it('cuts vectors too', () => {
    const gradients = sequence(1, 5, COUNT);
    const parts = runOf(shampoo({}), [Matrix.zeros(1, 3), Matrix.zeros(1, 2)], ['bias', 'bias']);
    const expected = gradients.map((g) => {
      const [a, b] = parts.step([copyBlock(g, 0, 0, 1, 3, Matrix.zeros(1, 3), 0, 0), copyBlock(g, 0, 3, 1, 2, Matrix.zeros(1, 2), 0, 0)]);
      return Matrix.from([[...a.data, ...b.data]]);
    });
    expectSteps(stepsOf(shampoo({ blockSize: 3 }), Matrix.zeros(1, 5), gradients, 'bias'), expected, 1e-14);
  });

  it('grafts the norm of a whole parameter, not of its blocks', () => {
    const gradients = sequence(4, 4, COUNT);
    const start = random(4, 4, 'float64', 9);
    const bare = stepsOf(shampoo({ blockSize: 2, beta1: 0 }), start, gradients);
    const steps = stepsOf(shampoo({ blockSize: 2, beta1: 0, grafting: 'sgd', learningRate: 0.5 }), start, gradients);
    steps.forEach((step, t) => expectClose(step, combine((0.5 * norm(gradients[t])) / norm(bare[t]), bare[t], 0, step), 1e-12));
  });

  describe('before its start step', () => {
    const gradients = sequence(5, 3, COUNT);
    const start = random(5, 3, 'float64', 9);
    const before = (options: ShampooOptions): Matrix[] =>
      stepsOf(shampoo({ startStep: COUNT + 1, learningRate: 0.03, ...options }), start, gradients);

    it('grafted with Adam is Adam, with decoupled decay AdamW', () => {
      const rates = { learningRate: 0.03, beta1: 0.8, beta2: 0.9, epsilon: 1e-3 };
      const options = { beta1: 0.8, grafting: 'adam', graftingBeta2: 0.9, graftingEpsilon: 1e-3 } as const;
      expectSteps(before(options), stepsOf(adam(rates), start, gradients), 1e-14);
      expectSteps(before({ ...options, weightDecay: 0.2 }), stepsOf(adamw({ ...rates, weightDecay: 0.2 }), start, gradients), 1e-14);
    });

    it('grafted with SGD is SGD', () => {
      expectSteps(before({ beta1: 0, grafting: 'sgd' }), stepsOf(sgd({ learningRate: 0.03 }), start, gradients), 1e-14);
    });

    it('grafted with AdaGrad is AdaGrad', () => {
      const expected = gradients.map((g, t) =>
        build(5, 3, (i, j) => (-0.03 * g.get(i, j)) / (Math.sqrt(sumOfSquares(gradients.slice(0, t + 1), i, j)) + 1e-3)),
      );
      expectSteps(before({ beta1: 0, grafting: 'adagrad', graftingEpsilon: 1e-3 }), expected, 1e-14);
    });

    it('collects factors already: from then on it takes the steps of a run that started at once', () => {
      const options = { grafting: 'sgd', beta2: 0.9, epsilon: 1e-4 } as const;
      const [late, early] = [{ ...options, startStep: 5 }, options].map((o) => stepsOf(shampoo(o), start, gradients));
      expect(maxAbsDiff(late[3], early[3])).toBeGreaterThan(1e-4);
      expectSteps(late.slice(4), early.slice(4), 1e-12);
    });

    it('counts the periods of roots from the start step', () => {
      const options = { grafting: 'sgd', beta2: 0.9, epsilon: 1e-4, startStep: 5 } as const;
      const [fresh, stale] = [options, { ...options, rootPeriod: 3 }].map((o) => stepsOf(shampoo(o), start, gradients));
      const same = fresh.map((step, t) => maxAbsDiff(step, stale[t]) < 1e-14);
      expect(same).toEqual([1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 1, 0].map(Boolean));
    });
  });

  it.each([
    ['zero gradients', () => Matrix.zeros(4, 3)],
    ['gradients of rank one', (t: number) => multiply(random(4, 1, 'float64', t), random(1, 3, 'float64', t + 50))],
    ['factors of condition 1e14 and more', (t: number) => build(4, 3, (i, j) => (i === j ? 10 ** (-7 * i) : 0) * (1 + t))],
    ['tiny gradients', (t: number) => combine(1e-25, random(4, 3, 'float64', t), 0, Matrix.zeros(4, 3))],
    ['large gradients', (t: number) => combine(1e15, random(4, 3, 'float64', t), 0, Matrix.zeros(4, 3))],
  ])('takes finite steps on %s, in both dtypes and with every kind of root and grafting', (_title, gradient) => {
    for (const { dtype } of DTYPES)
      for (const roots of ['eigen', 'newton'] as const)
        for (const grafting of ['none', 'sgd', 'adagrad', 'adam'] as const) {
          const gradients = Array.from({ length: 6 }, (_, t) => gradient(t).clone(dtype));
          for (const step of stepsOf(shampoo({ roots, grafting, beta2: 0.9 }), random(4, 3, dtype), gradients))
            expect(step.data.every(Number.isFinite), `${dtype} ${roots} ${grafting}`).toBe(true);
        }
  });

  it('a zero gradient gives no step but weight decay', () => {
    const start = random(4, 3);
    for (const grafting of ['none', 'sgd', 'adagrad', 'adam'] as const) {
      expect(maxAbs(stepsOf(shampoo({ grafting }), start, [Matrix.zeros(4, 3)])[0])).toBe(0);
      const [step] = stepsOf(shampoo({ grafting, weightDecay: 0.5, learningRate: 0.1 }), start, [Matrix.zeros(4, 3)]);
      expectClose(step, combine(-0.05, start, 0, start), 1e-15);
    }
  });

  it.each([
    [1, 5],
    [5, 1],
    [1, 1],
  ])('takes the polar factor of a %s x %s gradient too', (rows, cols) => {
    const g = random(rows, cols);
    const [step] = stepsOf(shampoo({ learningRate: 1, beta1: 0, epsilon: 1e-15 }), zerosLike(g), [g]);
    expectClose(step, combine(-1 / norm(g), g, 0, g), 1e-9);
  });

  it('throws NumericalError NOT_FINITE naming the parameter on NaN, and where squares overflow float32', () => {
    const bad = Matrix.from([[1, NaN]]);
    for (const roots of ['eigen', 'newton'] as const)
      expectThrows(() => stepsOf(shampoo({ roots }), Matrix.zeros(1, 2), [bad]), NumericalError, 'NOT_FINITE', /shampoo: W0, left: .*NaN/);
    const huge = Matrix.from([[1e30, 1]], 'float32');
    expectThrows(() => stepsOf(shampoo(), Matrix.zeros(1, 2, 'float32'), [huge]), NumericalError, 'NOT_FINITE', /W0/);
    const late = shampoo({ grafting: 'sgd', startStep: 5 });
    expectThrows(() => stepsOf(late, Matrix.zeros(1, 2), [bad]), NumericalError, 'NOT_FINITE', /shampoo: W0: the step/);
  });

  it('notes it where coupled Newton fails, naming parameter, side and block', () => {
    const indefinite = shampoo({ roots: 'newton', blockSize: 2 });
    const run = runOf(indefinite, [Matrix.zeros(2, 3)]);
    const saved: Record<string, Matrix> = {};
    flatten(run.state, '', saved);
    saved['/blocks/0/1/left/factor'] = Matrix.diagonal([-1, 1]);
    restore(run.state, '', saved);
    run.step([Matrix.zeros(2, 3)]);
    expect(run.notes).toEqual([
      expect.stringMatching(
        /^W0: shampoo, left of the block at \(0, 2\): coupled Newton did not converge .*; took the eigen-decomposition$/,
      ),
    ]);
  });

  it.each([{}, { grafting: 'adam', startStep: 4, rootPeriod: 5, factorPeriod: 2, blockSize: 3, beta2: 0.9 } as const])(
    'goes on from saved state bit for bit: %o',
    (options) => {
      const values = [random(7, 3), random(1, 4)];
      const roles: Parameter['role'][] = ['weight', 'bias'];
      const gradients = sequence(7, 3, COUNT).map((g, t) => [g, random(1, 4, 'float64', t)]);
      const whole = runOf(shampoo(options), values, roles);
      const saved: Record<string, Matrix> = {};
      let from: Matrix[] = [];
      const steps = gradients.map((g, t) => {
        if (t === 7) {
          flatten(whole.state, 'o', saved);
          from = whole.params.map(({ value }) => value.clone());
        }
        return whole.step(g);
      });
      const second = runOf(shampoo(options), from, roles, 7);
      requireFit(second.state, 'o', saved);
      restore(second.state, 'o', saved);
      gradients.slice(7).forEach((g, k) => second.step(g).forEach((s, i) => expect(maxAbsDiff(s, steps[7 + k][i])).toBe(0)));
    },
  );

  it.each([{}, { roots: 'newton', grafting: 'adam', blockSize: 2, beta2: 0.9, weightDecay: 0.1 } as const])(
    'makes no matrix in an update: %o',
    (options) => {
      const run = runOf(shampoo(options), [random(5, 3), random(1, 4)], ['weight', 'bias']);
      const gradients = [atOffset(random(5, 3)), atOffset(random(1, 4))];
      expect(matricesMadeBy(() => run.step(gradients))).toBe(2); // those that `step` returns
    },
  );

  it('tells the spectra of its factors', () => {
    const optimizer = shampoo();
    const run = runOf(optimizer, [Matrix.zeros(2, 2), Matrix.zeros(1, 2)], ['weight', 'bias']);
    run.step([Matrix.diagonal([3, 1]), Matrix.from([[1, 0]])]);
    const told = optimizer.inspect!(run.state, 0);
    const entropy = -(0.9 * Math.log(0.9) + 0.1 * Math.log(0.1));
    expect(Object.keys(told)).toEqual(['left.condition', 'left.effectiveRank', 'right.condition', 'right.effectiveRank']);
    expect(told['left.condition']).toBeCloseTo(9, 12);
    expect(told['right.effectiveRank']).toBeCloseTo(Math.exp(entropy), 12);
    expect(optimizer.inspect!(run.state, 1)).toEqual({ 'right.condition': Infinity, 'right.effectiveRank': 1 });
  });

  it.each<[string, ShampooOptions, RegExp]>([
    ['an unknown key', { beta: 1 } as never, /shampoo: beta: unknown key/],
    ['beta2 above 1', { beta2: 1.5 }, /shampoo: beta2: must be at most 1; got 1.5/],
    ['beta2 above 1 in a layer', { beta2: [1, 2] }, /shampoo: beta2\[1\]: must be at most 1; got 2/],
    ['a start step without grafting', { startStep: 3 }, /startStep: needs grafting, whose step is taken before it; got 3/],
    ['an exponent of a side that is left out', { sides: 'left', rightExponent: 0.5 }, /rightExponent: has no meaning with sides 'left'/],
    [
      'a real exponent with Newton',
      { roots: 'newton', leftExponent: 0.3 },
      /leftExponent: must be 1 over an integer for roots 'newton'; got 0.3/,
    ],
    ['an exponent of 0', { leftExponent: 0 }, /leftExponent: must be greater than 0/],
  ])('throws OptionsError for %s', (_title, options, message) => {
    expectThrows(() => shampoo(options), OptionsError, 'ERR_OPTIONS', message);
  });

  it('takes rates that are one a layer and schedules, beta2 among them', () => {
    const gradients = sequence(3, 3, 4);
    const run = runOf(shampoo({ learningRate: [0.1, { at: (t) => 0.1 * t }], beta2: { at: () => 0.9 } }), [
      Matrix.zeros(3, 3),
      Matrix.zeros(3, 3),
    ]);
    const plain = stepsOf(shampoo({ learningRate: 0.1, beta2: 0.9 }), Matrix.zeros(3, 3), gradients);
    gradients.forEach((g, t) => {
      const [a, b] = run.step([g, g]);
      expectClose(a, plain[t], 1e-14);
      expectClose(b, combine(t + 1, plain[t], 0, a), 1e-13);
    });
  });
});

it('shampoo takes roots of float32 factors in float64, or in float32 where asked: the latter to its precision', () => {
  const run = (dtype: 'float64' | 'float32', options: ShampooOptions): Matrix[] => {
    const going = runOf(shampoo({ epsilon: 1e-2, ...options }), [random(7, 3, dtype, 3)]);
    return sequence(7, 3, COUNT, dtype).map((g) => going.step([g])[0]);
  };
  const errorOf = (steps: readonly Matrix[]): number =>
    Math.max(...run('float64', {}).map((step, t) => maxAbsDiff(steps[t], step) / maxAbs(step)));
  const [double, single] = [run('float32', {}), run('float32', { rootPrecision: 'same' })];
  expect(errorOf(single)).toBeLessThan(1e-4);
  expect(errorOf(double)).toBeLessThan(0.6 * errorOf(single));
  expect(maxAbsDiff(double.at(-1)!, single.at(-1)!)).toBeGreaterThan(0);
  expect(run('float64', { rootPrecision: 'same' }).at(-1)!.data).toEqual(run('float64', {}).at(-1)!.data);
});
