/** Each preset follows, over a dozen steps on fixed batches, the rule of the codebase it is named after, written out slowly here: dense
 *  Kronecker matrices, plain loops and singular value decompositions. */
import { describe, expect, it } from 'vitest';
import { denseRows, Matrix, solve, svd, symmetricFunction } from '../../lib/linalg/index.js';
import { softmaxCrossEntropy } from '../../lib/losses/index.js';
import { multilayerPerceptron } from '../../lib/networks/index.js';
import { muon, preset, presets, shampoo, soap, type PresetName } from '../../lib/optimizers/index.js';
import type { Network } from '../../lib/types.js';
import { build, combine, expectClose, maxAbs, maxAbsDiff, multiply, random, sumOver, transposed } from '../close.js';
import { evaluate, gradientContext, paramsOf, smallNetwork, smallTask, batchOf, stepsOf } from '../fixtures.js';

const N = 20;
const STEPS = 12;
/** Past the longest period of a preset. */
const LONG = 104;

const kronecker = (b: Matrix, a: Matrix): Matrix =>
  build(b.rows * a.rows, b.cols * a.cols, (i, j) => b.get(Math.floor(i / a.rows), Math.floor(j / a.cols)) * a.get(i % a.rows, j % a.cols));
const column = (v: Matrix): Matrix => Matrix.wrap(Float64Array.from(v.data), v.data.length, 1);
const solved = (m: Matrix, v: Matrix): Matrix => Matrix.wrap(solve(m, column(v)).data, v.rows, v.cols);
const plus = (m: Matrix, damping: number): Matrix => combine(1, m, damping, Matrix.identity(m.rows));
const trace = (m: Matrix): number => Array.from({ length: m.rows }, (_, i) => m.get(i, i)).reduce((x, y) => x + y);
const inner = (x: Matrix, y: Matrix): number => sumOver(x.data, (v, i) => v * y.data[i]);

/** A weight with its bias as the last column. */
const joint = (weight: Matrix, bias: Matrix): Matrix =>
  build(weight.rows, weight.cols + 1, (i, j) => (j < weight.cols ? weight.get(i, j) : bias.data[i]));

interface Rule {
  readonly decay: number;
  readonly start: 'batch' | 'identity';
  readonly sum?: boolean;
  readonly period: number;
  /** (A, B, V) to U. */
  readonly precondition: (a: Matrix, b: Matrix, v: Matrix) => Matrix;
  readonly clip?: number;
  readonly momentum: number;
  readonly rate: number;
}

interface Averages {
  a: Matrix;
  b: Matrix;
  stale: [Matrix, Matrix];
  velocity: Matrix;
}

/** Steps of a Kronecker-factored rule for the two joint weights of the network at its last evaluation. */
function reference(rule: Rule, network: Network, averages: Averages[], t: number): Matrix[] {
  const weights = [0, 2];
  const gradients = weights.map((i) => joint(network.gradients[i], network.gradients[i + 1]));
  const updates = weights.map((i, l) => {
    const { outputFactor } = network.stats[i]!;
    const inputs = denseRows(network.stats[i]!.inputs);
    const x = joint(inputs, Matrix.wrap(new Float64Array(inputs.rows).fill(1), 1, inputs.rows));
    const batchA = combine(rule.sum === true ? 1 : 1 / N, multiply(transposed(x), x), 0, Matrix.identity(x.cols));
    const batchB = outputFactor?.clone() ?? Matrix.identity(gradients[l].rows);
    const held = (averages[l] ??= {
      a: Matrix.identity(batchA.rows),
      b: Matrix.identity(batchB.rows),
      stale: [batchA, batchB],
      velocity: Matrix.zeros(gradients[l].rows, gradients[l].cols),
    });
    // The weight of the newest batch: (1 - decay), over the sum of all weights so far where the start has none.
    const share = rule.start === 'identity' ? 1 - rule.decay : (1 - rule.decay) / (1 - rule.decay ** t);
    held.a = combine(share, batchA, 1 - share, held.a);
    held.b = combine(share, batchB, 1 - share, held.b);
    if ((t - 1) % rule.period === 0) held.stale = [held.a.clone(), held.b.clone()];
    return rule.precondition(...held.stale, gradients[l]);
  });
  const product = updates.reduce((sum, u, l) => sum + rule.rate ** 2 * inner(u, gradients[l]), 0);
  const shrink = rule.clip === undefined ? 1 : Math.min(1, Math.sqrt(rule.clip / Math.abs(product)));
  return updates.map((u, l) => {
    const held = averages[l];
    held.velocity = combine(rule.momentum, held.velocity, shrink, u);
    return combine(-rule.rate, held.velocity, 0, u);
  });
}

const RULES: readonly (readonly [PresetName, Rule])[] = [
  [
    'kfac-jax',
    {
      decay: 0.95,
      start: 'batch',
      period: 5,
      precondition(a, b, v) {
        const pi = Math.sqrt(trace(a) / a.rows / (trace(b) / b.rows));
        return solved(kronecker(plus(b, Math.sqrt(1e-3) / pi), plus(a, Math.sqrt(1e-3) * pi)), v);
      },
      momentum: 0.9,
      rate: 0.1,
    },
  ],
  [
    'kfac-pytorch',
    {
      decay: 0.95,
      start: 'identity',
      period: 1,
      precondition: (a, b, v) => solved(plus(kronecker(b, a), 1e-3), v),
      clip: 1e-3,
      momentum: 0,
      rate: 0.1,
    },
  ],
  [
    'benzing',
    {
      decay: 0.95,
      start: 'batch',
      sum: true,
      period: 100,
      precondition: (a, _b, v) => transposed(solve(plus(a, 100), transposed(v))),
      momentum: 0,
      rate: 30,
    },
  ],
];

describe.each(RULES)('preset %s', (name, rule) => {
  // The first weight, with its bias as a column: 4 x 6, 7 x 4, 5 x 5.
  it.each([
    ['wide', 5, 4],
    ['tall', 3, 7],
    ['square', 4, 5],
  ])('takes the steps of its rule, by its own numbers, on a %s weight', (_shape, inputs, hidden) => {
    const network = multilayerPerceptron({ inputs, hidden: [hidden], outputs: 3, activation: 'tanh', seed: 3 });
    const optimizer = preset(name);
    const state = optimizer.init(network.params);
    const averages: Averages[] = [];
    for (let t = 1; t <= LONG; t++) {
      const targets = build(N, 1, (i) => (i * t) % 3);
      evaluate(network, { inputs: random(N, inputs, 'float64', t), targets }, optimizer.needs(t), softmaxCrossEntropy);
      const expected = reference(rule, network, averages, t);
      const steps = stepsOf(optimizer, network, state, t);
      expected.forEach((step, l) => {
        const taken = joint(steps[2 * l], steps[2 * l + 1]);
        expect(maxAbsDiff(taken, step), `step ${t}`).toBeLessThan(1e-8 * maxAbs(step));
      });
      steps.forEach((step, i) => step.data.forEach((x, j) => (network.params[i].value.data[j] += x)));
    }
  });
});

it("preset paper is (F'F + lambda I)^-1 grad_G (Q + lambda I)^-1, of the batch alone", () => {
  const network = smallNetwork();
  const optimizer = preset('paper', { learningRate: 0.2 });
  const state = optimizer.init(network.params);
  for (let t = 1; t <= 3; t++) {
    const batch = batchOf(smallTask(), 40, t);
    evaluate(network, batch, optimizer.needs(t));
    const [step] = stepsOf(optimizer, network, state, t);
    const f = network.params[1].value;
    const q = combine(1 / 40, multiply(transposed(batch.inputs), batch.inputs), 1e-8, Matrix.identity(9));
    const left = solve(plus(multiply(transposed(f), f), 1e-8), network.gradients[0]);
    expectClose(step, combine(-0.2, transposed(solve(q, transposed(left))), 0, step), 1e-9);
  }
});

/** Gradients of a tall, a wide and a square weight at step t. */
const SHAPES = [
  [7, 3],
  [3, 7],
  [4, 4],
] as const;
const gradientAt = (t: number, [m, n]: readonly [number, number]): Matrix => random(m, n, 'float64', 100 * m + t);

/** Steps of a preset on the fixed gradients, weights moving along. */
function trajectory(name: PresetName, overrides: object, shape: readonly [number, number]): { steps: Matrix[]; weights: Matrix[] } {
  const value = random(shape[0], shape[1], 'float64', 77);
  const params = paramsOf([value]);
  const optimizer = preset(name, { ...overrides });
  const state = optimizer.init(params);
  const [steps, weights]: [Matrix[], Matrix[]] = [[], []];
  for (let t = 1; t <= STEPS; t++) {
    const step = Matrix.zeros(shape[0], shape[1]);
    weights.push(value.clone());
    optimizer.update(gradientContext(t, params, [gradientAt(t, shape)]), state, [step], [0]);
    steps.push(step);
    step.data.forEach((x, j) => (value.data[j] += x));
  }
  return { steps, weights };
}

const power = (m: Matrix, exponent: number): Matrix => symmetricFunction(m, (x) => Math.max(x, 0) ** exponent);

describe.each(SHAPES)('on a %d x %d weight', (...shape) => {
  it("preset shampoo-2018 is G preconditioned by (epsilon I + sum G G')^-1/4 and (epsilon I + sum G'G)^-1/4", () => {
    let [l, r] = [
      combine(1e-4, Matrix.identity(shape[0]), 0, Matrix.identity(shape[0])),
      combine(1e-4, Matrix.identity(shape[1]), 0, Matrix.identity(shape[1])),
    ];
    const { steps } = trajectory('shampoo-2018', { learningRate: 0.5 }, shape);
    for (let t = 1; t <= STEPS; t++) {
      const g = gradientAt(t, shape);
      l = combine(1, l, 1, multiply(g, transposed(g)));
      r = combine(1, r, 1, multiply(transposed(g), g));
      const k = kronecker(power(l, -0.25), power(r, -0.25));
      const expected = Matrix.wrap(multiply(k, column(g)).data, shape[0], shape[1]);
      expectClose(steps[t - 1], combine(-0.5, expected, 0, g), 1e-9);
    }
  });

  it('preset distributed-shampoo does the same to the bias-corrected average of G', () => {
    // Enough steps that the factors have full rank: epsilon is 1e-12.
    let [l, r, m] = [Matrix.zeros(shape[0], shape[0]), Matrix.zeros(shape[1], shape[1]), Matrix.zeros(shape[0], shape[1])];
    const { steps } = trajectory('distributed-shampoo', {}, shape);
    for (let t = 1; t <= STEPS; t++) {
      const g = gradientAt(t, shape);
      l = combine(1, l, 1, multiply(g, transposed(g)));
      r = combine(1, r, 1, multiply(transposed(g), g));
      m = combine(0.9, m, 0.1, g);
      if (t < 6) continue;
      const k = kronecker(power(plus(l, 1e-12), -0.25), power(plus(r, 1e-12), -0.25));
      const expected = Matrix.wrap(multiply(k, column(m)).data, shape[0], shape[1]);
      expectClose(steps[t - 1], combine(-0.01 / (1 - 0.9 ** t), expected, 0, g), 1e-9);
    }
  });

  it('preset muon is five quintic iterations towards the polar factor, whose singular values they leave within [0.6, 1.3]', () => {
    const { steps } = trajectory('muon', {}, shape);
    let m = Matrix.zeros(shape[0], shape[1]);
    for (let t = 1; t <= STEPS; t++) {
      const g = gradientAt(t, shape);
      m = combine(0.95, m, 0.05, g);
      // The iteration acts on singular values alone: s -> a s + b s^3 + c s^5 from s / |N|_F.
      const { u, s, vt } = svd(combine(0.05, g, 0.95, m));
      const size = Math.sqrt(Array.from(s).reduce((sum, x) => sum + x * x, 0));
      const ends = Array.from(s, (x) => {
        let y = x / (size + 1e-7);
        for (let k = 0; k < 5; k++) y = 3.4445 * y - 4.775 * y ** 3 + 2.0315 * y ** 5;
        return y;
      });
      const x = multiply(
        build(u.rows, u.cols, (i, j) => u.get(i, j) * ends[j]),
        vt,
      );
      expectClose(steps[t - 1], combine(-0.02 * Math.sqrt(Math.max(1, shape[0] / shape[1])), x, 0, g), 1e-9);
    }
  });
});

it.each([
  ['soap', soap],
  ['muon', muon],
  ['distributed-shampoo', shampoo],
] as const)('preset %s is the default of its optimiser', (name, create) => {
  const shape = SHAPES[0];
  const { steps } = trajectory(name, {}, shape);
  const value = random(shape[0], shape[1], 'float64', 77);
  const params = paramsOf([value]);
  const optimizer = create() as ReturnType<typeof preset>;
  const state = optimizer.init(params);
  for (let t = 1; t <= STEPS; t++) {
    const step = Matrix.zeros(shape[0], shape[1]);
    optimizer.update(gradientContext(t, params, [gradientAt(t, shape)]), state, [step], [0]);
    expect(step.data).toEqual(steps[t - 1].data);
    step.data.forEach((x, j) => (value.data[j] += x));
  }
});

it('presets are these options, and no others', () => {
  expect(presets).toEqual({
    paper: { name: 'layerwise', options: { outputFactor: 'ggn', damping: 1e-8, factorDecay: 0 } },
    'kfac-jax': {
      name: 'kfac',
      options: { outputFactor: 'mc', dampingKind: 'factored', factorDecay: 0.95, factorStart: 'batch', inversePeriod: 5, momentum: 0.9 },
    },
    'kfac-pytorch': {
      name: 'kfac',
      options: {
        learningRate: 0.1,
        outputFactor: 'empirical',
        dampingKind: 'exact',
        damping: 1e-3,
        factorDecay: 0.95,
        factorStart: 'identity',
        normConstraint: 1e-3,
      },
    },
    benzing: {
      name: 'foof',
      options: {
        learningRate: 30,
        damping: 100,
        factorScale: 'sum',
        factorDecay: 0.95,
        factorStart: 'batch',
        inversePeriod: 100,
      },
    },
    'shampoo-2018': { name: 'shampoo', options: { beta1: 0, beta2: 1, epsilon: 1e-4, biasCorrection: false, grafting: 'none' } },
    'distributed-shampoo': {
      name: 'shampoo',
      options: { learningRate: 0.01, beta1: 0.9, beta2: 1, epsilon: 1e-12, biasCorrection: true, blockSize: 1024, grafting: 'none' },
    },
    soap: { name: 'soap', options: { learningRate: 0.003, beta1: 0.95, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01, period: 10 } },
    muon: { name: 'muon', options: { learningRate: 0.02, momentum: 0.95, nesterov: true, steps: 5 } },
  });
});

it('preset throws OptionsError for a name there is not, naming those there are, and for an option its optimiser has not', () => {
  expect(() => preset('kfac-tf' as PresetName)).toThrow(new RegExp(`must be one of ${Object.keys(presets).join(', ')}`));
  expect(() => preset('soap', { beta3: 1 })).toThrow(/soap: beta3: unknown key/);
});
