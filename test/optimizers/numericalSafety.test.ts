/** Layer-wise and full second-order methods on batches and networks that leave factors singular, zero or ill conditioned. */
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, norm, symmetricEigenvalues, type Dtype } from '../../lib/linalg/index.js';
import { softmaxCrossEntropy, squared } from '../../lib/losses/index.js';
import { denseCurvatureOf, multilayerPerceptron } from '../../lib/networks/index.js';
import { ekfac } from '../../lib/optimizers/ekfac.js';
import { foof } from '../../lib/optimizers/foof.js';
import { gaussNewton } from '../../lib/optimizers/gaussNewton.js';
import { optimizers } from '../../lib/optimizers/index.js';
import { kfac } from '../../lib/optimizers/kfac.js';
import { layerwise } from '../../lib/optimizers/layerwise.js';
import { naturalGradient } from '../../lib/optimizers/naturalGradient.js';
import type { Batch, Loss, Network, Optimizer } from '../../lib/types.js';
import { build, expectThrows, random } from '../close.js';
import { bothDtypes, contextOf, evaluate, stepsOf } from '../fixtures.js';
import { inputFactors, KINDS, outputFactor, sceneOf, weightsOf } from './kroneckerByHand.js';

interface Trial {
  readonly network: Network;
  readonly batch: Batch;
  /** Squared where not given. */
  readonly loss?: Loss;
}

/** Methods that add the damping on each side by itself. */
const TWO_SIDED = ['kfac separate', 'kfac of the batch alone', 'layerwise'];

type Trouble = (dtype: Dtype) => Trial;
const trial = (dtype: Dtype, hidden: number[], samples: number): Trial => {
  const network = multilayerPerceptron({ inputs: 8, hidden, outputs: 3, activation: 'relu', dtype, seed: 2 });
  return { network, batch: { inputs: random(samples, 8, dtype, 5), targets: random(samples, 3, dtype, 6) } };
};
const TROUBLES: Readonly<Record<string, Trouble>> = {
  'fewer samples than inputs': (dtype) => trial(dtype, [9, 6], 3),
  'a layer of dead units': (dtype) => {
    const t = trial(dtype, [9, 6], 20);
    t.network.params[3].value.data.fill(-1e3);
    return t;
  },
  'zero gradients': (dtype) => {
    const t = trial(dtype, [9, 6], 20);
    return { ...t, batch: { inputs: t.batch.inputs, targets: t.network.predict(t.batch.inputs) } };
  },
  'inputs all zero': (dtype) => {
    const t = trial(dtype, [9, 6], 20);
    t.batch.inputs.data.fill(0);
    return t;
  },
  'layers of width 1': (dtype) => trial(dtype, [1, 1], 20),
  'inputs of condition 1e14': (dtype) => {
    const t = trial(dtype, [9, 6], 20);
    t.batch.inputs.data.forEach((x, i) => (t.batch.inputs.data[i] = x * 10 ** -(i % 8)));
    return t;
  },
  'classes that are certain': (dtype) => {
    const t = trial(dtype, [9, 6], 20);
    t.network.params.at(-2)!.value.data.forEach((x, i, d) => (d[i] = 1e4 * x));
    return { ...t, batch: { inputs: t.batch.inputs, targets: build(20, 1, (i) => i % 3).clone(dtype) }, loss: softmaxCrossEntropy };
  },
  'one sample, repeated': (dtype) => {
    const t = trial(dtype, [9, 6], 20);
    for (let i = 1; i < 20; i++) t.batch.inputs.data.copyWithin(i * 8, 0, 8);
    return t;
  },
};
const METHODS = (damping: number): readonly (readonly [string, Optimizer])[] => [
  ...KINDS.map((dampingKind) => [`kfac ${dampingKind}`, kfac({ dampingKind, damping })] as const),
  ['kfac alpha 0.5, beta 0.5', kfac({ alpha: 0.5, beta: 0.5, damping })],
  ['kfac empirical', kfac({ outputFactor: 'empirical', damping })],
  ['kfac mc', kfac({ outputFactor: 'mc', damping })],
  ['ekfac', ekfac({ damping })],
  ['ekfac none', ekfac({ outputFactor: 'none', damping })],
  ['foof', foof({ damping })],
  ['kfac of the batch alone', kfac({ factorDecay: 0, dampingKind: 'separate', damping })],
  ['naturalGradient', naturalGradient({ damping: damping === 0 ? 1e-300 : damping })],
  ...(damping === 0 ? [] : [['kfac, levenbergMarquardt', kfac({ damping, levenbergMarquardt: { period: 1 } })] as const]),
  ['layerwise', layerwise({ damping })],
  ...(damping === 0
    ? []
    : (['dense', 'cg'] as const).map((solver) => [`gaussNewton ${solver}`, gaussNewton({ solver, damping })] as const)),
];

/** @param most  of |step| over |gradient| */
const outcome = (optimizer: Optimizer, { network, batch, loss = squared }: Trial, most = Infinity): string => {
  evaluate(network, batch, optimizer.needs(1), loss);
  try {
    const length = (list: readonly Matrix[]): number => Math.hypot(...list.map(norm));
    const size = length(stepsOf(optimizer, network));
    if (!Number.isFinite(size)) return `not finite: ${size}`;
    const limit = most * length(network.gradients);
    return size <= limit || most === Infinity ? 'finite' : `longer than ${limit}: ${size}`;
  } catch (error) {
    if (error instanceof NumericalError && /damping|\bdamp/.test(error.message)) return 'refused';
    throw error;
  }
};

describe('numerical safety', () => {
  it.each(Object.keys(TROUBLES))('%s: every method takes a finite step where damped as by default, in both dtypes', (name) => {
    for (const dtype of bothDtypes)
      for (const [method, optimizer] of METHODS(1e-3))
        // The learning rate over the damping, of both sides at once: nothing of a gradient is multiplied by more.
        expect([method, outcome(optimizer, TROUBLES[name](dtype), 0.1 / 1e-3 ** (TWO_SIDED.includes(method) ? 2 : 1))]).toEqual([
          method,
          'finite',
        ]);
  });

  it.each(Object.keys(optimizers).filter((name) => name !== 'amgd'))(
    '%s, by its defaults: a finite step or NumericalError in every trouble, in both dtypes',
    (name) => {
      for (const trouble of Object.keys(TROUBLES))
        for (const dtype of bothDtypes) {
          const optimizer = (optimizers[name as keyof typeof optimizers].create as () => Optimizer)();
          const allowed = name === 'layerwise' ? /finite|refused/ : /finite/; // that one is a measuring instrument
          expect(`${trouble}, ${dtype}: ${outcome(optimizer, TROUBLES[trouble](dtype))}`).toMatch(allowed);
        }
    },
  );

  it.each(Object.keys(optimizers).filter((name) => name !== 'amgd'))('%s takes no step where the gradient is zero', (name) => {
    const { network, batch } = trial('float64', [9, 6], 20);
    for (const i of [network.params.length - 2, network.params.length - 1]) network.params[i].value.data.fill(0);
    batch.targets.data.fill(0);
    const optimizer = (optimizers[name as keyof typeof optimizers].create as (o: object) => Optimizer)(
      ['adamw', 'soap'].includes(name) ? { weightDecay: 0 } : {},
    );
    evaluate(network, batch, optimizer.needs(1), squared);
    expect(Math.hypot(...network.gradients.map(norm))).toBe(0);
    try {
      expect(Math.hypot(...stepsOf(optimizer, network).map(norm))).toBe(0);
    } catch (error) {
      // The layers below a zero weight get no signal: undamped, that is a named error.
      if (!(error instanceof NumericalError)) throw error;
      expect([name, error.message]).toEqual(['layerwise', expect.stringMatching(/damping/)]);
    }
  });

  it.each(Object.keys(TROUBLES))(
    '%s: with little or no damping a method takes a finite step or throws NumericalError that advises damping',
    (name) => {
      for (const damping of [1e-12, 0])
        for (const dtype of bothDtypes)
          for (const [method, optimizer] of METHODS(damping))
            expect(`${method}: ${outcome(optimizer, TROUBLES[name](dtype))}`).toMatch(/: (finite|refused)$/);
    },
  );

  it('a zero factor without damping throws NumericalError SINGULAR that names the weight, for every kind', () => {
    const dead = TROUBLES['a layer of dead units']('float64');
    for (const optimizer of [...KINDS.map((dampingKind) => kfac({ dampingKind, damping: 0 })), ekfac({ damping: 0 })] as Optimizer[]) {
      evaluate(dead.network, dead.batch, optimizer.needs(1), squared);
      expectThrows(() => stepsOf(optimizer, dead.network), NumericalError, 'SINGULAR', /^weight0: a factor is zero \(no signal .*undamped; use damping above 0$/); // prettier-ignore
    }
  });

  it('a factor that is not finite throws NumericalError NOT_FINITE that names the weight', () => {
    for (const optimizer of [...KINDS.map((dampingKind) => kfac({ dampingKind })), ekfac(), foof()] as Optimizer[]) {
      const { network, batch } = trial('float64', [4], 10);
      batch.inputs.data[3] = NaN;
      evaluate(network, batch, optimizer.needs(1), squared);
      expectThrows(() => stepsOf(optimizer, network), NumericalError, 'NOT_FINITE', /^weight0: .*NaN or infinity/);
    }
  });

  it('a gradient that is not finite throws NumericalError NOT_FINITE rather than to become a step', () => {
    const { network, batch } = trial('float64', [4], 10);
    const optimizer = kfac();
    evaluate(network, batch, optimizer.needs(1), squared);
    network.gradients[2].data[0] = Infinity;
    expectThrows(() => stepsOf(optimizer, network), NumericalError, 'NOT_FINITE', /the update of weight1 holds NaN or infinity/);
  });

  it('notes on the record of the run what a singular factor made it do: weight by weight, input before output', () => {
    const scene = sceneOf({ widths: [5, 6, 2], loss: 'logistic', samples: 2 });
    const { network, batch, loss } = scene;
    const dense = denseCurvatureOf(network, loss, batch, 'ggn');
    const inputs = inputFactors(scene, batch.inputs, true);
    const nullity = (m: Matrix): number => {
      const values = Array.from(symmetricEigenvalues(m));
      return values.filter((l) => l < 1e-12 * values.at(-1)!).length;
    };
    // Of what the record says of each factor, by how many of its eigenvalues are 0.
    const expected = (what: string): string[] =>
      weightsOf(network).flatMap((w, l) =>
        Object.entries({ input: inputs[l], output: outputFactor(dense, network, w) }).flatMap(([side, factor]) =>
          nullity(factor) === 0 ? [] : [`3 weight${l} ${side} factor: ${what}, ${nullity(factor)} eigenvalues clipped`],
        ),
      );
    const events = (dampingKind: 'exact' | 'plain' | 'separate', damping: number): string[] => {
      const optimizer = kfac({ dampingKind, damping });
      evaluate(network, batch, optimizer.needs(3), loss);
      stepsOf(optimizer, network, optimizer.init(network.params), 3);
      return contextOf(network, 3).events.map(({ step, parameter, message }) => `${step} ${parameter} ${message}`);
    };
    expect(expected('?')).toHaveLength(3); // the last output factor is regular
    expect(events('plain', 0)).toEqual(expected('factorisation failed without damping: eigen-decomposition'));
    expect(events('exact', 0)).toEqual(expected('undamped and singular'));
    const tried = 'factorisation failed with damping 1e-30 and ten times that: eigen-decomposition';
    expect(events('separate', 1e-30)).toEqual(expected(tried));
    expect(events('exact', 1e-30)).toEqual([]);
    expect(events('plain', 1e-3)).toEqual([]);
  });
});
