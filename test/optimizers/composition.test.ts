/** Optimisers made of others: grafted, clipped, groups. */
import { describe, expect, it } from 'vitest';
import { NumericalError, OptionsError } from '../../lib/errors.js';
import { axpby, dot, Matrix, norm, type Rows } from '../../lib/linalg/index.js';
import { adam } from '../../lib/optimizers/adam.js';
import { adamw } from '../../lib/optimizers/adamw.js';
import { clipped, type ClippedOptions } from '../../lib/optimizers/clipped.js';
import { grafted } from '../../lib/optimizers/grafted.js';
import { groups, type GroupsOptions } from '../../lib/optimizers/groups.js';
import { muon } from '../../lib/optimizers/muon.js';
import { sgd } from '../../lib/optimizers/sgd.js';
import { shampoo } from '../../lib/optimizers/shampoo.js';
import { soap } from '../../lib/optimizers/soap.js';
import { decodeCheckpoint, encodeCheckpoint, flatten, requireFit, restore } from '../../lib/train/checkpoint.js';
import type { LayerStats, Needs, Optimizer, Parameter, UpdateContext } from '../../lib/types.js';
import { build, combine, expectClose, expectThrows, maxAbs, maxAbsDiff, multiply, random } from '../close.js';
import { contextOf, matricesMadeBy, parametersOf, runOf, sequence, stepsOf, zerosLike } from './byHand.js';

const COUNT = 12;
const NOTHING: Needs = { inputs: false, outputFactor: 'none', outputRows: false, dense: 'none' };

/** An optimiser that asks for things, passes what it sees to `see`, and takes the gradient as its step. */
function asking(
  name: string,
  needs: Partial<Needs> | ((step: number) => Partial<Needs>),
  see: (context: UpdateContext, which: readonly number[]) => void = () => undefined,
  order?: Optimizer['order'],
): Optimizer {
  return {
    name,
    needs: (step) => ({ ...NOTHING, ...(typeof needs === 'function' ? needs(step) : needs) }),
    ...(order === undefined ? {} : { order }),
    init: () => ({}),
    update(context, _state, steps, which) {
      see(context, which);
      for (const i of which) steps[i].data.set(context.gradients[i].data);
    },
  };
}

/** Gradients of a 5 x 3 and a 3 x 4 weight and a bias of 4. */
const START = [random(5, 3), random(3, 4), random(1, 4)];
const ROLES: Parameter['role'][] = ['weight', 'weight', 'bias'];
const GRADIENTS = Array.from({ length: COUNT }, (_, t) => START.map((m, i) => random(m.rows, m.cols, 'float64', 10 * t + i)));

const COMPOSED: [string, () => Optimizer][] = [
  ['grafted', () => grafted({ direction: shampoo({ beta2: 0.9 }), magnitude: adam() })],
  ['clipped', () => clipped({ optimizer: soap({ period: 2 }), norm: 0.5 })],
  ['clipped steps', () => clipped({ optimizer: soap({ period: 2 }), norm: 1e-3, on: 'step' })],
  [
    'groups',
    () =>
      groups([
        { layers: [0], optimizer: shampoo({ rootPeriod: 3 }) },
        { layers: 'rest', optimizer: muon() },
      ]),
  ],
  ['nested', () => groups([{ layers: [1, 2], optimizer: grafted({ direction: soap(), magnitude: sgd() }) }, { layers: [0], optimizer: clipped({ optimizer: adamw() }) }])], // prettier-ignore
];

describe.each(COMPOSED)('%s', (_title, make) => {
  it('goes on from a checkpoint bit for bit', () => {
    const whole = runOf(make(), START, ROLES);
    let bytes = new Uint8Array();
    let from: Matrix[] = [];
    const steps = GRADIENTS.map((g, t) => {
      if (t === 7) {
        const arrays: Record<string, Matrix> = {};
        flatten(whole.state, 'optimizer', arrays);
        bytes = encodeCheckpoint({ arrays, about: {} }) as typeof bytes;
        from = whole.params.map(({ value }) => value.clone());
      }
      return whole.step(g);
    });
    const second = runOf(make(), from, ROLES, 7);
    const { arrays } = decodeCheckpoint(bytes);
    requireFit(second.state, 'optimizer', arrays);
    restore(second.state, 'optimizer', arrays);
    GRADIENTS.slice(7).forEach((g, k) => second.step(g).forEach((s, i) => expect(maxAbsDiff(s, steps[7 + k][i])).toBe(0)));
  });

  it('makes no matrix in an update, leaves gradients alone, and takes finite steps in float32', () => {
    const run = runOf(make(), START.map((m) => m.clone('float32')), ROLES); // prettier-ignore
    for (const g of GRADIENTS) {
      const single = g.map((m) => m.clone('float32'));
      const given = single.map((m) => m.clone());
      let steps: Matrix[] = [];
      expect(matricesMadeBy(() => (steps = run.step(given)))).toBe(3); // those that `step` returns
      given.forEach((m, i) => expect(maxAbsDiff(m, single[i])).toBe(0));
      for (const step of steps) expect(step.data.every(Number.isFinite)).toBe(true);
    }
  });

  it('works when layers take turns: only the parameters asked for are written', () => {
    const optimizer = make();
    const params = parametersOf(START, ROLES);
    const state = optimizer.init(params);
    for (const i of [2, 0, 1]) {
      const steps = START.map((m) => combine(NaN, m, 0, m));
      optimizer.update(contextOf(params, GRADIENTS[0], 1), state, steps, [i]);
      steps.forEach((step, k) => expect(step.data.every(Number.isFinite)).toBe(k === i));
    }
  });
});

describe('grafted', () => {
  it("is the direction's step with the norm of the magnitude's, parameter by parameter", () => {
    const [direction, magnitude] = [(): Optimizer => shampoo({ beta2: 0.9 }), (): Optimizer => adam({ learningRate: 0.3 })];
    const runs = [grafted({ direction: direction(), magnitude: magnitude() }) as Optimizer, direction(), magnitude()].map((o) =>
      runOf(o, START, ROLES),
    );
    for (const g of GRADIENTS) {
      const [steps, d, s] = runs.map((run) => run.step(g));
      steps.forEach((step, i) => expectClose(step, combine(norm(s[i]) / norm(d[i]), d[i], 0, d[i]), 1e-13));
    }
  });

  it('of a zero direction is zero', () => {
    const optimizer = grafted({ direction: sgd(), magnitude: adamw({ weightDecay: 0.5 }) });
    expect(maxAbs(stepsOf(optimizer, random(3, 2), [Matrix.zeros(3, 2)])[0])).toBe(0);
  });

  it('tells what its parts tell', () => {
    const optimizer = grafted({ direction: shampoo(), magnitude: soap({ bases: 'left' }) });
    const run = runOf(optimizer, START, ROLES);
    run.step(GRADIENTS[0]);
    expect(Object.keys(optimizer.inspect!(run.state, 0))).toEqual([
      'direction.left.condition',
      'direction.left.effectiveRank',
      'direction.right.condition',
      'direction.right.effectiveRank',
      'magnitude.left.condition',
      'magnitude.left.effectiveRank',
      'magnitude.left.basisError',
    ]);
    const plain = grafted({ direction: sgd(), magnitude: sgd() });
    expect(plain.inspect!(plain.init(parametersOf(START)), 0)).toEqual({});
  });

  it('refuses what is not an optimiser', () => {
    expectThrows(
      () => grafted({ direction: {} as never, magnitude: sgd() }),
      OptionsError,
      'ERR_OPTIONS',
      /direction: must be an optimiser/,
    );
  });
});

describe('clipped', () => {
  it.each(['gradient', 'step'] as const)('clips a %s whose square leaves the range of numbers to its norm, not to 0', (on) => {
    const g = Matrix.from([[3e160, 4e160]]);
    const [step] = stepsOf(clipped({ optimizer: sgd({ learningRate: 1 }), norm: 1, on }), Matrix.zeros(1, 2), [g]);
    expectClose(step, Matrix.from([[-0.6, -0.8]]), 1e-14);
  });

  const start = [Matrix.zeros(3, 2), Matrix.zeros(2, 2)];
  const gradients = [random(3, 2, 'float64', 5), random(2, 2, 'float64', 6)];
  const total = Math.sqrt(dot(gradients[0], gradients[0]) + dot(gradients[1], gradients[1]));
  const step = (options: Omit<ClippedOptions, 'optimizer'>, optimizer = sgd({ learningRate: 0.5 }) as Optimizer): Matrix[] =>
    runOf(clipped({ optimizer, ...options }), start).step(gradients);
  const scaled = (alpha: number, g: Matrix): Matrix => combine(alpha, g, 0, g);

  it('global: scales all gradients by norm / |g|, the norm over all of them, and leaves smaller ones alone', () => {
    step({ norm: 1.5 }).forEach((s, i) => expectClose(s, scaled((-0.5 * 1.5) / total, gradients[i]), 1e-15));
    step({ norm: total * 1.01 }).forEach((s, i) => expectClose(s, scaled(-0.5, gradients[i]), 1e-15));
  });

  it('parameter: scales each by its own norm', () => {
    const most = (norm(gradients[0]) + norm(gradients[1])) / 2; // one is above it
    step({ norm: most, kind: 'parameter' }).forEach((s, i) =>
      expectClose(s, scaled(-0.5 * Math.min(1, most / norm(gradients[i])), gradients[i]), 1e-15),
    );
  });

  it('value: moves every entry into [-norm, norm]', () => {
    step({ norm: 0.3, kind: 'value' }).forEach((s, i) =>
      expectClose(
        s,
        build(s.rows, s.cols, (r, c) => -0.5 * Math.max(-0.3, Math.min(0.3, gradients[i].get(r, c)))),
        1e-15,
      ),
    );
  });

  it("on: 'step' clips the step and not the gradient", () => {
    const bare = runOf(adam({ learningRate: 0.1 }), start).step(gradients);
    const length = Math.sqrt(dot(bare[0], bare[0]) + dot(bare[1], bare[1]));
    const steps = step({ norm: 0.05, on: 'step' }, adam({ learningRate: 0.1 }));
    steps.forEach((s, i) => expectClose(s, scaled(0.05 / length, bare[i]), 1e-15));
    // Adam's first step does not depend on the gradient's length
    step({ norm: 0.05 }, adam({ learningRate: 0.1 })).forEach((s, i) => expectClose(s, bare[i], 1e-5));
  });

  it('takes the norm over the parameters of the update, and passes on the other gradients as they are', () => {
    const seen: (readonly Matrix[])[] = [];
    const optimizer = clipped({ optimizer: asking('a', {}, ({ gradients: g }) => seen.push(g)), norm: 0.1 });
    const params = parametersOf(start);
    const steps = start.map(zerosLike);
    optimizer.update(contextOf(params, gradients, 1), optimizer.init(params), steps, [1]);
    expect(norm(steps[1])).toBeCloseTo(0.1, 14);
    expect(seen[0][0]).toBe(gradients[0]);
  });

  it('throws NumericalError NOT_FINITE naming the parameter on NaN and infinity', () => {
    for (const bad of [NaN, Infinity])
      for (const kind of ['global', 'parameter', 'value'] as const)
        expectThrows(
          () => stepsOf(clipped({ optimizer: sgd(), kind }), Matrix.zeros(1, 2), [Matrix.from([[1, bad]])]),
          NumericalError,
          'NOT_FINITE',
          /clipped: W0: the gradient holds NaN/,
        );
  });

  it('needs, orders and tells what its optimiser does', () => {
    const inner = asking('a', (t) => ({ inputs: t === 2 }), undefined, 'alternating');
    const optimizer = clipped({ optimizer: inner });
    expect([optimizer.name, optimizer.order, optimizer.needs(1), optimizer.needs(2).inputs]).toEqual([
      'clipped(a)',
      'alternating',
      NOTHING,
      true,
    ]);
    const told = clipped({ optimizer: shampoo() });
    const run = runOf(told, START, ROLES);
    run.step(GRADIENTS[0]);
    expect(Object.keys(told.inspect!(run.state, 2))).toEqual(['right.condition', 'right.effectiveRank']);
  });

  it('throws OptionsError for a norm of 0 and an unknown kind', () => {
    expectThrows(() => clipped({ optimizer: sgd(), norm: 0 }), OptionsError, 'ERR_OPTIONS', /clipped: norm: must be greater than 0/);
    expectThrows(() => clipped({ optimizer: sgd(), kind: 'layer' as never }), OptionsError, 'ERR_OPTIONS', /global, parameter, value/);
  });
});

describe('groups', () => {
  it('gives each layer the steps of its optimiser, vectors with the weights of their layer', () => {
    const parts = [(): Optimizer => shampoo({ beta2: 0.9 }), (): Optimizer => adam({ learningRate: [1, 0.2, 0.3] })];
    const run = runOf(
      groups([
        { layers: [1], optimizer: parts[0]() },
        { layers: 'rest', optimizer: parts[1]() },
      ]),
      START,
      ROLES,
    );
    const alone = parts.map((make) => runOf(make(), START, ROLES));
    for (const g of GRADIENTS) {
      const steps = run.step(g);
      const [a, b] = alone.map((r) => r.step(g));
      expect([maxAbsDiff(steps[0], b[0]), maxAbsDiff(steps[1], a[1]), maxAbsDiff(steps[2], b[2])]).toEqual([0, 0, 0]);
    }
  });

  it('keeps state for the parameters of a group alone', () => {
    const optimizer = groups([
      { layers: [0], optimizer: adam() },
      { layers: 'rest', optimizer: sgd() },
    ]);
    const arrays: Record<string, Matrix> = {};
    flatten(optimizer.init(parametersOf(START, ROLES)), '', arrays);
    const sizes = Object.fromEntries(Object.entries(arrays).map(([path, m]) => [path, m.data.length]));
    expect(sizes).toMatchObject({ '/inner/0/mean/0': 15, '/inner/0/mean/1': 0, '/inner/1/velocity/0': 0, '/inner/1/velocity/1': 12 });
  });

  it('tells what the optimiser of the parameter tells', () => {
    const optimizer = groups([
      { layers: [0], optimizer: sgd() },
      { layers: 'rest', optimizer: shampoo({ sides: 'left' }) },
    ]);
    const run = runOf(optimizer, START, ROLES);
    run.step(GRADIENTS[0]);
    expect([0, 1].map((i) => Object.keys(optimizer.inspect!(run.state, i)))).toEqual([[], ['left.condition', 'left.effectiveRank']]);
  });

  it('skips a group that has no parameter in an update', () => {
    let calls = 0;
    const optimizer = groups([
      { layers: [0], optimizer: asking('a', {}, () => calls++) },
      { layers: 'rest', optimizer: sgd() },
    ]);
    const params = parametersOf(START, ROLES);
    optimizer.update(contextOf(params, GRADIENTS[0], 1), optimizer.init(params), START.map(zerosLike), [1, 2]);
    expect(calls).toBe(0);
  });

  it('restricts curvature to the group: zero directions go in for the others, whose results are dropped', () => {
    const c = [random(15, 15, 'float64', 61), random(15, 12, 'float64', 62)]; // own block; how the second parameter moves the first's
    const flat = (m: Matrix): Matrix => Matrix.wrap(m.data, m.data.length, 1);
    const curvatureTimes: UpdateContext['curvatureTimes'] = (direction, out) => {
      flat(out[0]).data.set(combine(1, multiply(c[0], flat(direction[0])), 1, multiply(c[1], flat(direction[1]))).data);
      for (const m of out.slice(1)) m.data.fill(7);
    };
    const wanted = random(5, 3, 'float64', 63);
    const products: Matrix[] = [];
    const see = (context: UpdateContext): void => {
      const [direction, out] = [START.map((m) => combine(5, m, 0, m)), START.map(zerosLike)];
      direction[0] = wanted;
      context.curvatureTimes(direction, out);
      products.push(...out);
    };
    const optimizer = groups([
      { layers: [0], optimizer: asking('a', {}, see) },
      { layers: 'rest', optimizer: sgd() },
    ]);
    const params = parametersOf(START, ROLES);
    const context = { ...contextOf(params, GRADIENTS[0], 1), curvatureTimes };
    optimizer.update(context, optimizer.init(params), START.map(zerosLike), [0, 1, 2]);
    expectClose(products[0].data, multiply(c[0], flat(wanted)).data, 1e-14);
    expect(products.slice(1).map(maxAbs)).toEqual([0, 0]);
  });

  it.each<[string, () => GroupsOptions, RegExp]>([
    ['a layer listed twice', () => [{ layers: [0], optimizer: sgd() }, { layers: [1, 0], optimizer: sgd() }], /\[1\]\.layers: layer 0 is listed twice/], // prettier-ignore
    [
      "a second 'rest'",
      () => [
        { layers: 'rest', optimizer: sgd() },
        { layers: 'rest', optimizer: sgd() },
      ],
      /\[1\]\.layers: a second 'rest'/,
    ],
    [
      'a layer that the network has not',
      () => [
        { layers: [3], optimizer: sgd() },
        { layers: 'rest', optimizer: sgd() },
      ],
      /layers 0 to 2; got 3/,
    ],
    ['a layer in no group', () => [{ layers: [0, 1], optimizer: sgd() }], /layer 2 is in no group/],
    ['no groups', () => [], /must be of length at least 1/],
    ['a group without layers', () => [{ layers: [], optimizer: sgd() }], /layers/],
    [
      'a joint method',
      () => [{ layers: 'rest', optimizer: asking('full', { dense: 'ggn' }) }],
      /\[0\]\.optimizer: full works on all parameters jointly/,
    ],
  ])('throws OptionsError for %s', (_title, options, message) => {
    expectThrows(() => groups(options()).init(parametersOf(START, ROLES)), OptionsError, 'ERR_OPTIONS', message);
  });
});

describe('what parts need', () => {
  const both = (a: Optimizer, b: Optimizer): Optimizer[] => [
    grafted({ direction: a, magnitude: b }),
    groups([
      { layers: [0], optimizer: a },
      { layers: 'rest', optimizer: b },
    ]),
  ];

  it('is asked for together, step by step', () => {
    const nothing = { ...NOTHING, products: false };
    const a = asking('a', (t) => (t % 2 === 1 ? { inputs: true, outputFactor: 'ggn' } : {}));
    const b = asking('b', (t) => (t % 3 === 1 ? { inputs: true, outputRows: true } : {}));
    for (const optimizer of [...both(a, b), ...both(b, a)]) {
      const needs = (step: number): Needs => optimizer.needs(step);
      expect(needs(1)).toEqual({ ...nothing, inputs: true, outputFactor: 'ggn', outputRows: true });
      expect(needs(2)).toEqual(nothing);
      expect(needs(3)).toEqual({ ...nothing, inputs: true, outputFactor: 'ggn' });
      expect(needs(4)).toEqual({ ...nothing, inputs: true, outputRows: true });
      expect(needs(8)).toBe(needs(2)); // nothing new for what was asked before
    }
    const model = asking('model', { inputs: true, products: true });
    for (const optimizer of [...both(model, sgd()), ...both(sgd(), model)]) expect(optimizer.needs(1).products).toBe(true);
  });

  it('throws OptionsError at construction where two output factors, dense matrices or orders differ', () => {
    const [ggn, empirical] = [asking('a', { outputFactor: 'ggn' }), asking('b', (t) => (t === 5 ? { outputFactor: 'empirical' } : {}))];
    expectThrows(() => both(ggn, empirical), OptionsError, 'ERR_OPTIONS', /outputFactor: .*different kinds.*got ggn and empirical/);
    expectThrows(() => both(empirical, ggn)[1], OptionsError, 'ERR_OPTIONS', /got empirical and ggn/);
    const dense = (kind: 'ggn' | 'mc'): Optimizer => asking(kind, { dense: kind });
    expectThrows(
      () => grafted({ direction: dense('ggn'), magnitude: dense('mc') }),
      OptionsError,
      'ERR_OPTIONS',
      /dense: .*got ggn and mc/,
    );
    const [forth, back] = (['alternating', 'alternating-backward'] as const).map((order) => asking(order, {}, undefined, order));
    expectThrows(() => both(forth, back), OptionsError, 'ERR_OPTIONS', /order: .*got alternating 'alternating', alternating-backward/);
    for (const { order } of both(forth, sgd())) expect(order).toBe('alternating');
    for (const optimizer of both(adam(), sgd())) expect('order' in optimizer).toBe(false);
  });

  it('throws OptionsError at the step in question where a conflict comes after the steps looked at', () => {
    const late = asking('late', (t) => ({ outputFactor: t === 1000 ? 'mc' : 'none' }));
    const optimizer = grafted({ direction: late, magnitude: asking('b', { outputFactor: 'ggn' }) });
    expect(optimizer.needs(999).outputFactor).toBe('ggn');
    expectThrows(() => optimizer.needs(1000), OptionsError, 'ERR_OPTIONS', /got mc and ggn/);
  });

  it('is seen by the part that asked for it alone', () => {
    const seen: Record<string, (LayerStats | null)[]> = {};
    const dense: Record<string, Matrix | null> = {};
    const part = (name: string, needs: Partial<Needs>): Optimizer =>
      asking(name, needs, (context) => {
        seen[name] = [...context.stats];
        dense[name] = context.dense;
      });
    const plain: LayerStats = { inputs: random(6, 3), positions: 2, kind: 'ggn', outputFactor: random(5, 5), outputRows: random(6, 5) };
    // As a network reports them: some fields are computed when asked for.
    class Report implements LayerStats {
      readonly kind = 'ggn';
      readonly outputFactor = plain.outputFactor;
      readonly outputRows = plain.outputRows;
      get inputs(): Rows {
        return plain.inputs;
      }
      get positions(): number {
        return plain.positions;
      }
    }
    const stats = new Report();
    const params = parametersOf(START.slice(0, 1));
    const context = { ...contextOf(params, GRADIENTS[0].slice(0, 1), 1), stats: [stats], dense: random(2, 2) };
    const see = (a: Optimizer, b: Optimizer): void => {
      const optimizer = grafted({ direction: a, magnitude: b });
      optimizer.update(context, optimizer.init(params), [Matrix.zeros(5, 3)], [0]);
    };
    see(part('all', { inputs: true, outputFactor: 'ggn', outputRows: true, dense: 'ggn' }), part('nothing', {}));
    see(part('inputs', { inputs: true }), part('factor', { inputs: true, outputFactor: 'ggn' }));
    expect(seen['all'][0]).toBe(stats);
    expect(seen['nothing']).toEqual([null]);
    expect(seen['inputs'][0]).toEqual({ ...plain, kind: 'none', outputFactor: null, outputRows: null });
    expect(seen['factor'][0]).toEqual({ ...plain, outputRows: null });
    expect(Object.keys(dense).filter((name) => dense[name] !== null)).toEqual(['all']);
  });

  it('reaches the loop: losses, curvature and notes of a part are those of the context', () => {
    const notes: string[] = [];
    const told: unknown[] = [];
    const part = asking('a', {}, (context, which) => {
      context.note('W0', 'something');
      told.push(context.lossAt([], which), context.loss, context.step);
      context.curvatureTimes([], []);
    });
    const params = parametersOf(START, ROLES);
    const context: UpdateContext = {
      ...contextOf(params, GRADIENTS[0], 3, notes),
      loss: 0.25,
      lossAt: (_steps, which) => which.length,
      curvatureTimes: () => told.push('curvature'),
    };
    for (const optimizer of [grafted({ direction: part, magnitude: sgd() }), clipped({ optimizer: part })] as Optimizer[])
      optimizer.update(context, optimizer.init(params), START.map(zerosLike), [0, 2]);
    expect(told).toEqual([2, 0.25, 3, 'curvature', 2, 0.25, 3, 'curvature']);
    expect(notes).toEqual(['W0: something', 'W0: something']);
  });
});

it('muon for hidden layers with AdamW for the first and last, as its authors have it', () => {
  const start = [random(4, 3), random(4, 4), random(2, 4)];
  const run = runOf(
    groups([
      { layers: [1], optimizer: muon() },
      { layers: 'rest', optimizer: adamw() },
    ]),
    start,
  );
  const alone = ([muon(), adamw()] as Optimizer[]).map((optimizer) => runOf(optimizer, start));
  const g = start.map((m, i) => sequence(m.rows, m.cols, 1, 'float64', i)[0]);
  const [steps, a, b] = [run, ...alone].map((r) => r.step(g));
  expect([b, a, b].map((s, i) => maxAbsDiff(s[i], steps[i]))).toEqual([0, 0, 0]);
  expect(maxAbs(axpby(1, steps[1], 0, zerosLike(steps[1])))).toBeGreaterThan(0);
});
