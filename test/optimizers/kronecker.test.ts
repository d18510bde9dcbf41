/** What the Kronecker-factored methods share: averages, periods, constraint, momentum, decay, schedules. */
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { denseRows, Matrix } from '../../lib/linalg/index.js';
import { squared } from '../../lib/losses/index.js';
import { denseCurvatureOf, multilayerPerceptron, sequential } from '../../lib/networks/index.js';
import { ekfac, type EkfacOptions } from '../../lib/optimizers/ekfac.js';
import { foof, type FoofOptions } from '../../lib/optimizers/foof.js';
import { kfac, type KfacOptions } from '../../lib/optimizers/kfac.js';
import { spectrumOf } from '../../lib/optimizers/spectrum.js';
import type { Optimizer } from '../../lib/types.js';
import { combine, expectClose, expectThrows, maxAbsDiff, random } from '../close.js';
import { evaluate, smallNetwork, stepsOf } from '../fixtures.js';
import {
  batchFor,
  gramOf,
  inner,
  inputFactors,
  jointOf,
  KINDS,
  outputFactor,
  preconditioned,
  sceneOf,
  times,
  weightsOf,
  withOnes,
  type Damped,
  type Scene,
} from './kroneckerByHand.js';

/** Of one step: every weight's gradient with its bias, and the batch's own factors by Jacobians and plain loops. */
interface Seen {
  readonly v: Matrix[];
  readonly a: Matrix[];
  readonly b: Matrix[];
  /** What the method did, weight and bias joint. */
  readonly step: Matrix[];
}

const LOSS = 'logistic'; // no layer's output factor is an identity

/** Steps 1 to `count` on a network that stays where it is, a batch each. */
function observed(scene: Scene, optimizer: Optimizer, count: number, joint = true): Seen[] {
  const { network, loss } = scene;
  const state = optimizer.init(network.params);
  const weights = weightsOf(network);
  return Array.from({ length: count }, (_, k) => {
    const batch = batchFor(network, LOSS, 25, k + 1);
    const dense = denseCurvatureOf(network, loss, batch, 'ggn');
    evaluate(network, batch, optimizer.needs(k + 1), loss);
    const steps = stepsOf(optimizer, network, state, k + 1);
    return {
      v: weights.map((w) => jointOf(network, network.gradients, w, joint)),
      a: inputFactors(scene, batch.inputs, joint),
      b: weights.map((w) => outputFactor(dense, network, w)),
      step: weights.map((w) => jointOf(network, steps, w, joint)),
    };
  });
}

const scene = sceneOf({ widths: [3, 4, 2], loss: LOSS });
const PLAIN: Damped = { kind: 'plain', damping: 0.05 };
const plain = (options: KfacOptions = {}): Optimizer =>
  kfac({ learningRate: 0.3, damping: 0.05, dampingKind: 'plain', factorDecay: 0, ...options });
/** U of layer l from the factors of its own batch. */
const own = ({ v, a, b }: Seen, l: number, damped = PLAIN): Matrix => preconditioned(damped, b[l], a[l], v[l]);

/** sum of weights times matrices. */
const mixed = (weights: readonly number[], matrices: readonly Matrix[]): Matrix =>
  matrices.reduce((sum, m, i) => combine(1, sum, weights[i], m), times(0, matrices[0]));

describe('the averages of the factors', () => {
  // With decay 1/2. Weights of the first, second, ... batch after each step.
  const CASES = {
    batch: [[1], [1 / 3, 2 / 3], [1 / 7, 2 / 7, 4 / 7]],
    zero: [[1 / 2], [1 / 4, 1 / 2], [1 / 8, 1 / 4, 1 / 2]],
    identity: [[1 / 2], [1 / 4, 1 / 2], [1 / 8, 1 / 4, 1 / 2]],
  } as const;

  it.each(['batch', 'zero', 'identity'] as const)(
    'begin at the %s and move by w <- decay w + 1, F <- (1 - 1/w) F + F_batch / w',
    (factorStart) => {
      for (const kind of ['exact', 'factored'] as const) {
        const seen = observed(scene, kfac({ learningRate: 1, damping: 0.05, dampingKind: kind, factorDecay: 0.5, factorStart }), 3);
        seen.forEach(({ v, step }, k) => {
          const average = (pick: (s: Seen) => Matrix): Matrix => {
            const sum = mixed(CASES[factorStart][k], seen.slice(0, k + 1).map(pick));
            return factorStart === 'identity' ? combine(1, sum, 0.5 ** (k + 1), Matrix.identity(sum.rows)) : sum;
          };
          step.forEach((s, l) => {
            const u = preconditioned({ kind, damping: 0.05 }, average((x) => x.b[l]), average((x) => x.a[l]), v[l]); // prettier-ignore
            expectClose(s, times(-1, u), 1e-11);
          });
        });
      }
    },
  );

  it('sum the inputs over the batch where asked, and average the output factor all the same', () => {
    const [seen] = observed(scene, plain({ factorScale: 'sum' }), 1);
    seen.step.forEach((s, l) => {
      expectClose(s, times(-0.3, own({ ...seen, a: seen.a.map((a) => times(25, a)) }, l)), 1e-11);
    });
  });

  it("of a convolution: A = (1/N) sum of patch patch' over samples and positions, B the mean over both of g g'", () => {
    const network = sequential({
      inputs: { height: 4, width: 3, channels: 2 },
      layers: [{ kind: 'convolution', channels: 3, kernel: 2 }, { kind: 'activation', activation: 'tanh' }, { kind: 'flatten' }, { kind: 'dense', outputs: 2 }], // prettier-ignore
    });
    const optimizer = kfac({ learningRate: 1, damping: 0.05, dampingKind: 'exact' });
    const loss = scene.loss;
    evaluate(network, batchFor(network, LOSS, 7, 1), { ...optimizer.needs(1), outputRows: true }, loss);
    const { inputs, outputRows, positions } = network.stats[0]!;
    expect(positions).toBe(6);
    const a = gramOf(withOnes(denseRows(inputs)), 1 / 7);
    const b = gramOf(outputRows!, 1 / 42);
    const steps = stepsOf(optimizer, network);
    const u = preconditioned({ kind: 'exact', damping: 0.05 }, b, a, jointOf(network, network.gradients, 0));
    expectClose(jointOf(network, steps, 0), times(-1, u), 1e-11);
  });
});

describe('periods', () => {
  const SEEN_BY = [1, 1, 1, 3, 3, 3, 7, 7]; // at step t the inverses know the batches 1, 3, ... up to this one

  it('renew factors every 2nd step and inverses every 3rd, which are stale in between', () => {
    for (const kind of KINDS) {
      const options = { learningRate: 1, damping: 0.05, dampingKind: kind, factorDecay: 0.5, factorPeriod: 2, inversePeriod: 3 } as const;
      const seen = observed(scene, kfac(options), 8);
      seen.forEach(({ v, step }, k) => {
        const batches = [0, 2, 4, 6].filter((i) => i < SEEN_BY[k]);
        const total = 2 ** batches.length - 1;
        const average = (pick: (s: Seen) => Matrix): Matrix =>
          mixed(
            batches.map((_, i) => 2 ** i / total),
            batches.map((i) => pick(seen[i])),
          );
        step.forEach((s, l) => {
          const u = preconditioned({ kind, damping: 0.05 }, average((x) => x.b[l]), average((x) => x.a[l]), v[l]); // prettier-ignore
          expectClose(s, times(-1, u), 1e-11);
        });
      });
    }
  });

  it('ask the network for statistics on the steps that use them alone', () => {
    const due = [1, 2, 3, 4, 5, 6, 7].map((t) => kfac({ factorPeriod: 3 }).needs(t));
    expect(due.map(({ inputs, outputFactor: kind }) => [inputs, kind])).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((t) => (t % 3 === 1 ? [true, 'ggn'] : [false, 'none'])),
    );
    expect(due.every(({ dense, outputRows }) => dense === 'none' && !outputRows)).toBe(true);
    expect(kfac({ outputFactor: 'mc' }).needs(1).outputFactor).toBe('mc');
    expect(ekfac().needs(1).outputRows).toBe(true);
    expect(foof().needs(1).outputFactor).toBe('none');
  });
});

it('a damping that moves between two batches of the factors is in the inverses from their next renewal on', () => {
  const damping = [0.05, 0.2, 0.4, 0.1];
  const seen = observed(scene, plain({ damping: { at: (t) => damping[t - 1] }, factorPeriod: 4, inversePeriod: 2 }), 4);
  seen.forEach(({ v, step }, k) => {
    const renewed = damping[k < 2 ? 0 : 2];
    step.forEach((s, l) => {
      const u = preconditioned({ kind: 'plain', damping: renewed }, seen[0].b[l], seen[0].a[l], v[l]);
      expectClose(s, times(-0.3, u), 1e-11);
    });
  });
});

describe('the norm constraint', () => {
  const rates = [0.3, 0.7];

  it('shrinks all updates by sqrt(C / sum of rate^2 <U, V>) over the layers', () => {
    const [seen] = observed(scene, plain({ learningRate: rates, normConstraint: 1e-3 }), 1);
    const us = [0, 1].map((l) => own(seen, l));
    const product = rates.reduce((sum, rate, l) => sum + rate ** 2 * inner(us[l], seen.v[l]), 0);
    expect(product).toBeGreaterThan(2e-3); // it bites
    seen.step.forEach((s, l) => expectClose(s, times(-rates[l] * Math.sqrt(1e-3 / product), us[l]), 1e-11));
  });

  it('leaves updates within it alone, to the bit', () => {
    const [[held], [free]] = [observed(scene, plain({ normConstraint: 1e3 }), 1), observed(scene, plain(), 1)];
    held.step.forEach((s, l) => expect(maxAbsDiff(s, free.step[l])).toBe(0));
  });

  it('throws NumericalError NOT_FINITE where eta^2 <U, V> leaves the range, rather than to let the step pass', () => {
    const network = smallNetwork();
    const optimizer = kfac({ normConstraint: 1 });
    evaluate(network, { inputs: random(20, 9), targets: times(1e160, random(20, 5)) }, optimizer.needs(1));
    expectThrows(
      () => stepsOf(optimizer, network),
      NumericalError,
      'NOT_FINITE',
      /the norm constraint cannot be applied: eta\^2 <U, V> leaves the range/,
    );
  });

  it('counts V with its momentum and coupled decay', () => {
    const [, seen] = observed(scene, plain({ normConstraint: 1e-3, momentum: 0.9, momentumOn: 'gradient' }), 2);
    const [first] = observed(scene, plain(), 1);
    const ms = seen.v.map((v, l) => combine(1, v, 0.9, first.v[l]));
    const us = ms.map((m, l) => preconditioned(PLAIN, seen.b[l], seen.a[l], m));
    const product = us.reduce((sum, u, l) => sum + 0.3 ** 2 * inner(u, ms[l]), 0);
    expect(product).toBeGreaterThan(2e-3);
    seen.step.forEach((s, l) => expectClose(s, times(-0.3 * Math.sqrt(1e-3 / product), us[l]), 1e-11));
  });
});

describe('momentum', () => {
  it('on the update: M <- momentum M + U, step = -rate M', () => {
    const held: Matrix[] = [];
    observed(scene, plain({ momentum: 0.6 }), 4).forEach((seen, k) => {
      seen.step.forEach((s, l) => {
        held[l] = k === 0 ? own(seen, l) : combine(1, own(seen, l), 0.6, held[l]);
        expectClose(s, times(-0.3, held[l]), 1e-11);
      });
    });
  });

  it('on the gradient: M <- momentum M + V, step = -rate U(M)', () => {
    const held: Matrix[] = [];
    observed(scene, plain({ momentum: 0.6, momentumOn: 'gradient' }), 4).forEach((seen, k) => {
      seen.step.forEach((s, l) => {
        held[l] = k === 0 ? seen.v[l] : combine(1, seen.v[l], 0.6, held[l]);
        expectClose(s, times(-0.3, own({ ...seen, v: held }, l)), 1e-11);
      });
    });
  });
});

describe('weight decay', () => {
  const values = weightsOf(scene.network).map((w) => jointOf(scene.network, scene.network.params.map((p) => p.value), w)); // prettier-ignore

  it('decoupled: the step gains -rate decay W', () => {
    const [seen] = observed(scene, plain({ weightDecay: 0.2 }), 1);
    seen.step.forEach((s, l) => expectClose(s, combine(-0.3, own(seen, l), -0.3 * 0.2, values[l]), 1e-11));
  });

  it('coupled: V gains decay W before it is preconditioned, and before momentum', () => {
    const options = { weightDecay: 0.2, weightDecayMode: 'coupled', momentum: 0.5, momentumOn: 'gradient' } as const;
    const held: Matrix[] = [];
    observed(scene, plain(options), 2).forEach((seen, k) => {
      seen.step.forEach((s, l) => {
        const v = combine(1, seen.v[l], 0.2, values[l]);
        held[l] = k === 0 ? v : combine(1, v, 0.5, held[l]);
        expectClose(s, times(-0.3, own({ ...seen, v: held }, l)), 1e-11);
      });
    });
  });
});

describe('parameters without factors', () => {
  it('a separate bias takes plain gradient steps, and its weight a factor without the 1', () => {
    const [seen] = observed(scene, plain({ bias: 'separate' }), 1, false);
    seen.step.forEach((s, l) => expectClose(s, times(-0.3, own(seen, l)), 1e-11));
    const { network, batch, loss } = scene;
    const optimizer = plain({ bias: 'separate', learningRate: [0.3, 0.7], normConstraint: 1e-9 });
    evaluate(network, batch, optimizer.needs(1), loss);
    const steps = stepsOf(optimizer, network);
    [0.3, 0.7].forEach((rate, l) => expectClose(steps[2 * l + 1], times(-rate, network.gradients[2 * l + 1]), 1e-15));
  });

  it('normalisations take momentum steps with decay like the others, without a preconditioner', () => {
    const network = multilayerPerceptron({ inputs: 4, hidden: [5], outputs: 2, normalisation: 'layerNorm' });
    const vectors = network.params.flatMap(({ role }, i) => (role === 'vector' ? [i] : []));
    expect(vectors).toHaveLength(2);
    const optimizer = plain({ momentum: 0.5, weightDecay: 0.1 });
    const state = optimizer.init(network.params);
    const gradients = [1, 2].map((t) => {
      evaluate(network, batchFor(network, LOSS, 20, t), optimizer.needs(t), scene.loss);
      const steps = stepsOf(optimizer, network, state, t);
      return { steps, gradients: network.gradients.map((g) => g.clone()) };
    });
    for (const i of vectors) {
      const moved = combine(1, gradients[1].gradients[i], 0.5, gradients[0].gradients[i]);
      expectClose(gradients[1].steps[i], combine(-0.3, moved, -0.03, network.params[i].value), 1e-14);
    }
  });
});

describe('hyper-parameters that take schedules, one a layer or shared', () => {
  const ramp = (from: number) => ({ at: (t: number) => from / t });

  it.each(['learningRate', 'damping', 'outputDamping', 'momentum', 'weightDecay'] as const)('%s', (field) => {
    const base = { learningRate: 0.3, damping: 0.05, outputDamping: 0.4, momentum: 0.5, weightDecay: 0.1 };
    const run = (value: number | object): Seen[] =>
      observed(scene, kfac({ dampingKind: 'separate', factorDecay: 0, ...base, [field]: value }), 3);
    const byLayer = run([ramp(0.6), 0.2]);
    const shared = run(ramp(0.6));
    const layers = scene.network.params;
    // By hand, with the value that each layer has at each step.
    const held: Matrix[] = [];
    for (let t = 1; t <= 3; t++)
      for (const l of [0, 1]) {
        const at = { ...base, [field]: l === 0 ? 0.6 / t : 0.2 };
        const u = own(byLayer[t - 1], l, { kind: 'separate', damping: at.damping, outputDamping: at.outputDamping });
        held[l] = t === 1 ? u : combine(1, u, at.momentum, held[l]);
        const w = jointOf(scene.network, layers.map((p) => p.value), 2 * l); // prettier-ignore
        expectClose(byLayer[t - 1].step[l], combine(-at.learningRate, held[l], -at.learningRate * at.weightDecay, w), 1e-11);
        if (l === 0) expect(maxAbsDiff(shared[t - 1].step[0], byLayer[t - 1].step[0])).toBe(0);
      }
  });

  it('damping of a stale inverse is that of its renewal for the separable kinds, and the present one for exact', () => {
    const options = { learningRate: 1, damping: ramp(0.6), factorPeriod: 9, inversePeriod: 9 };
    const separable = observed(scene, kfac({ ...options, dampingKind: 'plain' }), 2);
    const exact = observed(scene, kfac({ ...options, dampingKind: 'exact' }), 2);
    for (const l of [0, 1]) {
      const { a, b } = separable[0];
      expectClose(separable[1].step[l], times(-1, preconditioned({ kind: 'plain', damping: 0.6 }, b[l], a[l], separable[1].v[l])), 1e-11);
      expectClose(exact[1].step[l], times(-1, preconditioned({ kind: 'exact', damping: 0.3 }, b[l], a[l], exact[1].v[l])), 1e-11);
    }
  });
});

describe('inspect', () => {
  it("tells each weight's conditions, effective ranks and dampings; of other parameters nothing", () => {
    const { network, batch, loss } = scene;
    const optimizer = kfac({ damping: 0.04 });
    const state = optimizer.init(network.params);
    evaluate(network, batch, optimizer.needs(1), loss);
    stepsOf(optimizer, network, state);
    const a = spectrumOf(inputFactors(scene, batch.inputs, true)[0]);
    const b = spectrumOf(outputFactor(denseCurvatureOf(network, loss, batch, 'ggn'), network, 0));
    const report = optimizer.inspect!(state, 0);
    expect(report['input.condition'] / a.condition).toBeCloseTo(1, 9);
    expect(report['input.effectiveRank']).toBeCloseTo(a.effectiveRank, 9);
    expect(report['output.condition'] / b.condition).toBeCloseTo(1, 9);
    expect(report['output.effectiveRank']).toBeCloseTo(b.effectiveRank, 9);
    expect(report['input.damping'] * report['output.damping']).toBeCloseTo(0.04, 14);
    expect(report).toMatchObject({ 'input.clipped': 0, 'output.clipped': 0, 'input.fallbacks': 0, 'output.fallbacks': 0 });
    expect(optimizer.inspect!(state, 1)).toEqual({});
  });

  it('leaves out a side that is an identity or has no part', () => {
    const network = smallNetwork();
    const optimizer = foof();
    const state = optimizer.init(network.params);
    evaluate(network, batchFor(network, 'squared', 20, 1), optimizer.needs(1), squared);
    stepsOf(optimizer, network, state);
    expect(Object.keys(optimizer.inspect!(state, 0)).sort()).toEqual(
      ['input.clipped', 'input.condition', 'input.damping', 'input.effectiveRank', 'input.fallbacks'], // prettier-ignore
    );
  });
});

it('a joint bias is the weight of one more input that is always 1', () => {
  const withBias = sceneOf({ widths: [3, 2], loss: LOSS });
  const folded = sceneOf({ widths: [4, 2], loss: LOSS, bias: false });
  const { network, batch, loss } = withBias;
  folded.network.params[0].value.data.set(jointOf(network, network.params.map((p) => p.value), 0).data); // prettier-ignore
  const options = { damping: 0.1, momentum: 0.5 };
  const optimizer = kfac(options);
  evaluate(network, batch, optimizer.needs(1), loss);
  const joint = jointOf(network, stepsOf(optimizer, network), 0);
  evaluate(folded.network, { ...batch, inputs: withOnes(batch.inputs) }, optimizer.needs(1), loss);
  expectClose(stepsOf(kfac(options), folded.network)[0], joint, 1e-12);
});

it('foof and ekfac take the options of kfac that are about the step', () => {
  const shared: FoofOptions & EkfacOptions = {
    momentum: 0.5,
    normConstraint: 1,
    weightDecay: 0.1,
    bias: 'separate',
    levenbergMarquardt: {},
  };
  expect([foof(shared).name, ekfac(shared).name, kfac(shared).name]).toEqual(['foof', 'ekfac', 'kfac']);
});
