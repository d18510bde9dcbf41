import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { axpby, Matrix, solve, transpose } from '../../lib/linalg/index.js';
import { denseCurvatureOf } from '../../lib/networks/index.js';
import { adam } from '../../lib/optimizers/adam.js';
import { ekfac } from '../../lib/optimizers/ekfac.js';
import { foof } from '../../lib/optimizers/foof.js';
import { kfac, type KfacOptions } from '../../lib/optimizers/kfac.js';
import { layerwise } from '../../lib/optimizers/layerwise.js';
import { sgd } from '../../lib/optimizers/sgd.js';
import { Training } from '../../lib/train/index.js';
import type { Optimizer } from '../../lib/types.js';
import { build, combine, expectClose, maxAbs, maxAbsDiff, multiply, random, transposed } from '../close.js';
import { batchOf, evaluate, smallNetwork, smallTask, stepsOf } from '../fixtures.js';
import {
  batchFor,
  blockOf,
  gramOf,
  inputFactors,
  jointOf,
  KINDS,
  outputFactor,
  plusDiagonal,
  preconditioned,
  sceneOf,
  solveFor,
  times,
  weightsOf,
  type Damped,
  type Scene,
} from './kroneckerByHand.js';

/** An optimiser's steps on a scene's batch, one a weight with its bias. */
function jointSteps({ network, batch, loss }: Scene, optimizer: Optimizer, joint = true): Matrix[] {
  evaluate(network, batch, optimizer.needs(1), loss);
  const steps = stepsOf(optimizer, network);
  return weightsOf(network).map((w) => jointOf(network, steps, w, joint));
}

/** -rate (C + damping I)^-1 g weight by weight, C the blocks of the dense curvature matrix. */
function blockSteps({ network, batch, loss }: Scene, kind: 'ggn' | 'empirical', rate: number, damping: number): Matrix[] {
  const dense = denseCurvatureOf(network, loss, batch, kind);
  evaluate(network, batch, undefined, loss);
  return weightsOf(network).map((w) =>
    times(-rate, solveFor(plusDiagonal(blockOf(dense, network, w), damping), jointOf(network, network.gradients, w))),
  );
}

const largestGap = (a: readonly Matrix[], b: readonly Matrix[]): number => Math.max(...a.map((m, i) => maxAbsDiff(m, b[i]) / maxAbs(b[i])));

describe('kfac with exact damping is the damped curvature block', () => {
  const optimizer = (outputFactor: 'ggn' | 'empirical' = 'ggn') =>
    kfac({ learningRate: 0.3, damping: 0.05, dampingKind: 'exact', outputFactor });

  it.each([
    { bias: false, samples: 30 },
    { bias: true, samples: 30 },
    { bias: true, samples: 3 },
  ])('of Gauss-Newton, for every layer of a deep linear network under the squared loss: %j', (options) => {
    const scene = sceneOf({ ...options, activation: 'identity' });
    const steps = jointSteps(scene, optimizer());
    blockSteps(scene, 'ggn', 0.3, 0.05).forEach((expected, l) => expectClose(steps[l], expected, 1e-11));
  });

  it.each(['squared', 'softmax-cross-entropy', 'logistic'] as const)(
    'of Gauss-Newton and of the empirical Fisher matrix, for one datum of a nonlinear network under %s',
    (loss) => {
      for (const activation of ['tanh', 'relu'] as const) {
        const scene = sceneOf({ loss, activation, samples: 1, seed: 3 });
        for (const kind of ['ggn', 'empirical'] as const) {
          const steps = jointSteps(scene, optimizer(kind));
          blockSteps(scene, kind, 0.3, 0.05).forEach((expected, l) => expectClose(steps[l], expected, 1e-11));
        }
      }
    },
  );

  it('of neither for many data of a nonlinear network, nor of the empirical Fisher matrix for many data of a linear one', () => {
    const gap = (scene: Scene, kind: 'ggn' | 'empirical'): number =>
      largestGap(jointSteps(scene, optimizer(kind)), blockSteps(scene, kind, 0.3, 0.05));
    expect(gap(sceneOf(), 'ggn')).toBeGreaterThan(0.01);
    expect(gap(sceneOf(), 'empirical')).toBeGreaterThan(0.01);
    expect(gap(sceneOf({ activation: 'identity' }), 'empirical')).toBeGreaterThan(0.01);
  });

  it('of Gauss-Newton in the limit of many draws of labels from the model', () => {
    const one = sceneOf({ samples: 1, loss: 'softmax-cross-entropy' });
    const copies = (m: Matrix): Matrix => build(40_000, m.cols, (_, j) => m.data[j]);
    const scene = { ...one, batch: { inputs: copies(one.batch.inputs), targets: copies(one.batch.targets) } };
    const drawn = kfac({ learningRate: 0.3, damping: 0.05, dampingKind: 'exact', outputFactor: 'mc' });
    const steps = jointSteps(scene, drawn);
    blockSteps(one, 'ggn', 0.3, 0.05).forEach((expected, l) =>
      expect(maxAbsDiff(steps[l], expected) / maxAbs(expected)).toBeLessThan(0.03),
    );
  });
});

describe('kfac is the dense inverse of its damped Kronecker product', () => {
  /** -rate U of every weight for B from the Jacobians and A by plain loops. */
  function expectedSteps(scene: Scene, damped: Damped, rate: number, joint: boolean, kind: 'ggn' | 'empirical' = 'ggn'): Matrix[] {
    const { network, batch, loss } = scene;
    const dense = denseCurvatureOf(network, loss, batch, kind);
    const inputs = inputFactors(scene, batch.inputs, joint);
    evaluate(network, batch, undefined, loss);
    const weights = weightsOf(network);
    return weights.map((w, l) => {
      const known = kind === 'ggn' && loss.identityHessian && l === weights.length - 1;
      const b = known ? null : outputFactor(dense, network, w);
      return times(-rate, preconditioned(damped, b, inputs[l], jointOf(network, network.gradients, w, joint)));
    });
  }

  const scenes = (['squared', 'softmax-cross-entropy', 'logistic'] as const).flatMap((loss) =>
    (['relu', 'tanh', 'identity'] as const).map((activation) => ({ loss, activation })),
  );

  it.each(KINDS.flatMap((kind) => scenes.map((s) => ({ kind, ...s }))))(
    'with $kind damping for $activation under $loss, biases joint and separate',
    ({ kind, ...options }) => {
      const scene = sceneOf(options);
      for (const bias of ['joint', 'separate'] as const)
        for (const damping of [0.02, 0.7]) {
          const own = kind === 'separate' ? { outputDamping: 0.3 } : {};
          const optimizer = kfac({ learningRate: 0.3, damping, dampingKind: kind, bias, ...own });
          const joint = bias === 'joint';
          const steps = jointSteps(scene, optimizer, joint);
          expectedSteps(scene, { kind, damping, ...own }, 0.3, joint).forEach((expected, l) => expectClose(steps[l], expected, 1e-11));
        }
    },
  );

  it('with the factor of the data labels', () => {
    const scene = sceneOf({ loss: 'softmax-cross-entropy' });
    const steps = jointSteps(scene, kfac({ learningRate: 0.3, damping: 0.1, outputFactor: 'empirical' }));
    expectedSteps(scene, { kind: 'factored', damping: 0.1 }, 0.3, true, 'empirical').forEach((expected, l) =>
      expectClose(steps[l], expected, 1e-11),
    );
  });

  it.each(KINDS)('with no output factor leaves the left side out, shared damping included, kind %s', (kind) => {
    const scene = sceneOf({ loss: 'softmax-cross-entropy' });
    const inputs = inputFactors(scene, scene.batch.inputs, true);
    const steps = jointSteps(scene, kfac({ learningRate: 0.3, damping: 0.1, dampingKind: kind, outputFactor: 'none' }));
    weightsOf(scene.network).forEach((w, l) => {
      const v = jointOf(scene.network, scene.network.gradients, w);
      expectClose(steps[l], times(-0.3, preconditioned({ kind, damping: 0.1, alpha: 0 }, null, inputs[l], v)), 1e-11);
    });
  });

  const exponents = [0, 0.3, 0.5, 1];
  it.each((['factored', 'plain', 'separate'] as const).flatMap((kind) => exponents.map((alpha) => ({ kind, alpha }))))(
    'to the powers alpha = $alpha and beta in {0, 0.3, 0.5, 1}, with $kind damping',
    ({ kind, alpha }) => {
      const scene = sceneOf({ widths: [3, 4, 2, 2], samples: 20 });
      for (const beta of exponents) {
        const options = { damping: 0.05, alpha, beta, ...(kind === 'separate' ? { outputDamping: 0.4 } : {}) };
        const steps = jointSteps(scene, kfac({ learningRate: 0.3, dampingKind: kind, ...options }));
        expectedSteps(scene, { kind, ...options }, 0.3, true).forEach((expected, l) => expectClose(steps[l], expected, 1e-11));
      }
    },
  );
});

describe('the dial of kfac', () => {
  const scene = sceneOf({ loss: 'softmax-cross-entropy' });
  const dial = (alpha: number, beta: number): Matrix[] =>
    jointSteps(scene, kfac({ learningRate: 0.3, damping: 0.05, dampingKind: 'separate', alpha, beta }));

  it('at (0, 0) is sgd, to the bit', () => {
    const plain = jointSteps(scene, sgd({ learningRate: 0.3 }));
    dial(0, 0).forEach((step, l) => expect(maxAbsDiff(step, plain[l])).toBe(0));
  });

  it('at (1, 1) is kfac and at (0, 1) foof', () => {
    const full = jointSteps(scene, kfac({ learningRate: 0.3, damping: 0.05, dampingKind: 'separate' }));
    dial(1, 1).forEach((step, l) => expect(maxAbsDiff(step, full[l])).toBe(0));
    const oneSided = jointSteps(scene, foof({ learningRate: 0.3, damping: 0.05, factorDecay: 0 }));
    dial(0, 1).forEach((step, l) => expect(maxAbsDiff(step, oneSided[l])).toBe(0));
  });
});

describe('kfac on y = F G x', () => {
  const network = smallNetwork();
  const batch = batchOf(smallTask(), 50);

  it.each(KINDS)("moves G by (F'F)^-1 grad_G Sigma^-1 with no damping, kind %s", (dampingKind) => {
    const optimizer = kfac({ learningRate: 1, damping: 0, dampingKind });
    evaluate(network, batch, optimizer.needs(1));
    const [step] = stepsOf(optimizer, network);
    const f = network.params[1].value;
    const left = solve(multiply(transposed(f), f), network.gradients[0]);
    expectClose(step, times(-1, transpose(solve(gramOf(batch.inputs), transpose(left)))), 1e-11);
  });
});

describe('kfac and layerwise are one method where they overlap', () => {
  it.each(['simultaneous', 'alternating', 'alternating-backward'] as const)(
    'separate damping, factors of each batch, no bias, order %s: the same trajectory',
    (order) => {
      const common = { learningRate: [0.3, 0.5], damping: [0.01, 0.02], outputDamping: 0.05, weightDecay: 0.1 };
      const values = [kfac({ ...common, dampingKind: 'separate', factorDecay: 0 }), layerwise({ ...common, factorDecay: 0 })].map(
        (optimizer) => {
          const training = new Training({
            task: smallTask(),
            network: smallNetwork({ activation: 'tanh' }),
            optimizer,
            order,
            batch: 40,
            steps: 6,
          });
          training.advance(10);
          return training.network.params.map((p) => p.value);
        },
      );
      values[0].forEach((value, i) => expectClose(value, values[1][i], 1e-12));
    },
  );
});

describe('invariance', () => {
  /** Seven steps on x, and on M x by a network whose first weight is times M^-1. @returns the largest difference after mapping back,
   *  relative to how far the parameters moved */
  function driftOf(optimizer: () => Optimizer, m: Matrix): number {
    const scene = (): Scene => sceneOf({ widths: [4, 3, 2, 3], loss: 'logistic' });
    const runs = [scene(), scene()].map(({ network, loss }) => {
      const o = optimizer();
      return { network, loss, optimizer: o, state: o.init(network.params) };
    });
    const [plain, mapped] = runs.map(({ network }) => network.params.map(({ value }) => value));
    mapped[0].data.set(transpose(solve(transpose(m), transpose(mapped[0]))).data);
    const before = plain.map((value) => value.clone());
    for (let t = 1; t <= 7; t++) {
      const { inputs, targets } = batchFor(runs[0].network, 'logistic', 80, t);
      runs.forEach(({ network, loss, optimizer: o, state }, r) => {
        evaluate(network, { inputs: r === 0 ? inputs : multiply(inputs, transposed(m)), targets }, o.needs(t), loss);
        stepsOf(o, network, state, t).forEach((step, i) => axpby(1, step, 1, network.params[i].value));
      });
    }
    const drifts = plain.map((value, i) => maxAbsDiff(i === 0 ? multiply(mapped[0], m) : mapped[i], value) / maxAbsDiff(value, before[i]));
    return Math.max(...drifts);
  }

  const mixing = combine(1, Matrix.identity(4), 0.3, random(4, 4));
  const rotation = ((): Matrix => {
    // (I - S)(I + S)^-1 for a skew S
    const skew = build(4, 4, (i, j) => (i < j ? 1 : -1) * (i === j ? 0 : 0.2 + 0.1 * Math.min(i, j)));
    return transpose(solve(transpose(combine(1, Matrix.identity(4), 1, skew)), transpose(combine(1, Matrix.identity(4), -1, skew))));
  })();

  const variants: readonly KfacOptions[] = [
    { factorDecay: 0 },
    { factorDecay: 0.8, momentum: 0.6 },
    { factorDecay: 0.8, momentum: 0.6, momentumOn: 'gradient' },
    { factorDecay: 0.8, factorPeriod: 2, inversePeriod: 3 },
    { factorDecay: 0.8, factorStart: 'zero', weightDecay: 0.1 },
    { factorDecay: 0.5, normConstraint: 1e-4 },
    { factorDecay: 0.8, outputFactor: 'none', bias: 'separate' },
  ];

  it.each(KINDS.flatMap((dampingKind) => variants.map((v) => ({ dampingKind, ...v }))))(
    'x -> M x, G -> G M^-1 leaves the trajectory of undamped kfac the same: %j',
    (options) => {
      expect(driftOf(() => kfac({ learningRate: 0.1, damping: 0, ...options }), mixing)).toBeLessThan(1e-11);
    },
  );

  it.each([
    ['adam', () => adam({ learningRate: 0.02 })],
    ['sgd', () => sgd({ learningRate: 0.05 })],
    ['damped kfac', () => kfac({ damping: 0.1 })],
    ['kfac with a power', () => kfac({ damping: 0, beta: 0.5 })],
  ])('x -> M x, G -> G M^-1 changes the trajectory of %s', (_name, optimizer) => {
    expect(driftOf(optimizer, mixing)).toBeGreaterThan(0.01);
  });

  const commuting: readonly (readonly [string, () => Optimizer])[] = [
    ['sgd', () => sgd({ learningRate: 0.05, momentum: 0.5 })],
    ...KINDS.map((dampingKind) => [`kfac, ${dampingKind}`, () => kfac({ damping: 0.1, dampingKind, momentum: 0.5 })] as const),
    ['kfac with powers', () => kfac({ damping: 0.1, alpha: 0.3, beta: 0.5, weightDecay: 0.1, weightDecayMode: 'coupled' })],
    ['ekfac', () => ekfac({ damping: 0.1 })],
    ['foof', () => foof({ damping: 0.1 })],
  ];
  it.each(commuting)('rotating the inputs commutes with %s, whatever the damping', (_name, optimizer) => {
    expect(driftOf(optimizer, rotation)).toBeLessThan(1e-11);
  });

  it('rotating the inputs changes the trajectory of adam', () => {
    expect(driftOf(() => adam({ learningRate: 0.02 }), rotation)).toBeGreaterThan(0.01);
  });
});

describe('kfac throws OptionsError', () => {
  it.each([
    [{ outputDamping: 0.1 }, /kfac: outputDamping: is for dampingKind separate; factored splits damping by itself/],
    [{ dampingKind: 'exact', alpha: 0.5 }, /kfac: alpha: must be 1 with dampingKind exact; use separate, factored or plain/],
    [{ dampingKind: 'exact', beta: 0 }, /kfac: beta: must be 1 with dampingKind exact/],
    [{ alpha: 1.1 }, /alpha: must be at most 1; got 1.1/],
    [{ outputFactor: 'fisher' }, /outputFactor: must be one of ggn, mc, empirical, none; got "fisher"/],
    [{ factorDecay: 1 }, /factorDecay: must be less than 1; got 1/],
    [{ momentum: 1 }, /momentum: must be less than 1/],
    [{ normConstraint: 0 }, /normConstraint: must be greater than 0; got 0/],
    [{ levenbergMarquardt: { decay: 1 } }, /levenbergMarquardt.decay: must be less than 1/],
    [{ damp: 1 }, /kfac: damp: unknown key/],
  ])('for %j', (options, message) => {
    const call = (): unknown => kfac(options as KfacOptions);
    expect(call).toThrow(OptionsError);
    expect(call).toThrow(message);
  });

  it.each(['learningRate', 'damping', 'outputDamping', 'momentum', 'weightDecay'])('for a list of %s that is not one a layer', (field) => {
    const optimizer = kfac({ dampingKind: 'separate', [field]: [0.1, 0.1, 0.1] });
    expect(() => optimizer.init(smallNetwork().params)).toThrow(
      new RegExp(`kfac: ${field}: must be one value or one a layer \\(2 layers\\); got 3`),
    );
  });
});
