/** Slips in how optimisers are put together and driven: each is named, none computes something else in silence. */
import { describe, expect, it } from 'vitest';
import { ArgumentError, OptionsError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { logistic, squared } from '../../lib/losses/index.js';
import { hermiteToPowers } from '../../lib/links/index.js';
import { adam, clipped, ekfac, foof, grafted, groups, kfac, layerwise, preset, sgd, shampoo, soap } from '../../lib/optimizers/index.js';
import { Stream } from '../../lib/random/index.js';
import { encodeState, Evaluation, restoreState, train, type TrainOptions } from '../../lib/train/index.js';
import type { Optimizer } from '../../lib/types.js';
import { expectThrows } from '../close.js';
import { batchOf, contextOf, evaluate, FACTORS, smallNetwork, smallTask, stepsOf } from '../fixtures.js';

const NOTHING = { ...FACTORS, inputs: false, outputFactor: 'none' } as const;

describe('Levenberg-Marquardt within others', () => {
  const lm = (): Optimizer => kfac({ learningRate: 1, levenbergMarquardt: { period: 1 } });
  const steps = (optimizer: Optimizer): Matrix[] => {
    const network = smallNetwork({ activation: 'tanh' });
    evaluate(network, batchOf(smallTask(), 40), optimizer.needs(1));
    return stepsOf(optimizer, network);
  };

  it('leaves the network as it was for the parts after it: the order of groups does not matter', () => {
    const [first, second] = [
      { layers: [0], optimizer: lm() },
      { layers: [1], optimizer: kfac() },
    ];
    const [a, b] = [steps(groups([first, second])), steps(groups([second, first]))];
    a.forEach((step, i) => expect(b[i].data).toEqual(step.data));
  });

  it('is refused where its steps are changed before they are taken', () => {
    expectThrows(
      () => clipped({ optimizer: lm() }),
      OptionsError,
      'ERR_OPTIONS',
      /clipped: optimizer: kfac with levenbergMarquardt judges/,
    );
    expectThrows(() => grafted({ direction: sgd(), magnitude: lm() }), OptionsError, 'ERR_OPTIONS', /grafted.*: magnitude: kfac with/);
  });
});

describe('an evaluation made for another optimiser', () => {
  it.each([
    ['kfac', kfac()],
    ['ekfac', ekfac()],
    ['layerwise', layerwise()],
  ] as [string, Optimizer][])('is refused by %s', (name, optimizer) => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 20), NOTHING);
    expectThrows(
      () => stepsOf(optimizer, network),
      ArgumentError,
      'ERR_ARGUMENT',
      new RegExp(`${name}: the evaluation reports output factors 'none' where 'ggn'`),
    );
  });

  it('is what foof makes do with, which asks for no output factor', () => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 20), NOTHING);
    expect(stepsOf(foof(), network)[0].data.every(Number.isFinite)).toBe(true);
  });

  it('and a first step between two periods are refused', () => {
    const network = smallNetwork();
    const optimizer = kfac({ factorPeriod: 5, inversePeriod: 5 });
    evaluate(network, batchOf(smallTask(), 20), optimizer.needs(2));
    expectThrows(
      () => stepsOf(optimizer, network, undefined, 2),
      ArgumentError,
      'ERR_ARGUMENT',
      /have seen no batch yet; begin with step 1, it is 2/,
    );
  });
});

describe('an evaluation', () => {
  const fresh = (): Evaluation => new Evaluation({ network: smallNetwork(), loss: squared, optimizer: sgd(), labels: new Stream(0) });

  it('has to be told its step, and a batch', () => {
    expectThrows(() => fresh().evaluate(batchOf(smallTask(), 4), [0, 1], true), ArgumentError, 'ERR_ARGUMENT', /steps are counted from 1/);
    expectThrows(() => fresh().lossAt([], []), ArgumentError, 'ERR_ARGUMENT', /evaluate a batch first/);
    expectThrows(() => fresh().curvatureTimes([], []), ArgumentError, 'ERR_ARGUMENT', /evaluate a batch first/);
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 4));
    expectThrows(
      () => contextOf(network).curvatureTimes([Matrix.zeros(3, 9)], []),
      ArgumentError,
      'ERR_ARGUMENT',
      /direction must have one matrix a parameter/,
    );
  });
});

describe('schedules that give nonsense', () => {
  it.each([
    [sgd({ learningRate: { at: () => NaN } }), /a schedule gave NaN at step 1/],
    [kfac({ damping: { at: () => Infinity } }), /a schedule gave Infinity at step 1/],
    [adam({ beta1: { at: () => 1 } }), /a schedule gave 1 at step 1; momentum and decays are in \[0, 1\)/],
    [sgd({ momentum: { at: () => 2 } }), /a schedule gave 2 at step 1/],
    [sgd({ learningRate: { at: () => null as never } }), /a schedule gave null at step 1; rates, .* are finite numbers/],
    [sgd({ learningRate: { at: () => '0.1' as never } }), /a schedule gave "0.1" at step 1/],
    [shampoo({ beta2: { at: () => 1.5 } }), /a schedule gave 1.5 at step 1; this decay is in \[0, 1\]/],
  ] as [Optimizer, RegExp][])('throw ArgumentError', (optimizer, message) => {
    expectThrows(
      () => train({ task: smallTask(), network: smallNetwork(), optimizer, batch: 20, steps: 2 }),
      ArgumentError,
      'ERR_ARGUMENT',
      message,
    );
  });
});

describe('train throws ArgumentError', () => {
  const good = (): TrainOptions => ({ task: smallTask(), network: smallNetwork(), optimizer: sgd(), steps: 1, batch: 8 });
  it.each([
    [undefined, /task must be what its factory returns, got undefined/],
    [{ ...good(), optimizer: sgd }, /optimizer must be what its factory returns, got a function: call it/],
    [{ ...good(), network: null }, /network must be .*, got null/],
    [{ ...good(), loss: 'squared' }, /loss must be .*, got string/],
    [{ ...good(), metrics: { a: 5 } }, /the metric a must be a function of the network/],
    [{ ...good(), metrics: { 'G.cosine': () => 1 } }, /'G\.cosine' has a dot/],
  ])('for a slip: %#', (options, message) => {
    expectThrows(() => train(options as TrainOptions), ArgumentError, 'ERR_ARGUMENT', message);
  });
});

describe('a saved state', () => {
  const stateOf = (optimizer: Optimizer, dtype: 'float64' | 'float32' = 'float64'): object =>
    optimizer.init(smallNetwork({ dtype }).params);
  it.each([
    ['of another dtype', stateOf(adam()), stateOf(adam(), 'float32'), /of float32, it is 3 x 9 of float64/],
    ['with momentum, into one without', stateOf(kfac({ momentum: 0.9 })), stateOf(kfac()), /it has state\/velocity/],
    ['of another method', stateOf(shampoo({ grafting: 'adam' })), stateOf(shampoo()), /it has state\/square/],
    ['into nothing', stateOf(sgd()), {}, /it has state\/velocity/],
  ])('is refused %s', (_what, from, to, message) => {
    expectThrows(() => restoreState(to, encodeState(from)), ArgumentError, 'ERR_ARGUMENT', message);
  });
});

it('telemetry of a diverging run leaves out what cannot be computed, and the run ends with a status', () => {
  const record = train({
    task: smallTask({ dtype: 'float32' }),
    network: smallNetwork({ dtype: 'float32' }),
    optimizer: soap({ learningRate: 1e15 }),
    batch: 32,
    steps: 50,
    every: 1,
    telemetry: true,
    divergence: 1e300,
  });
  expect(['failed', 'diverged']).toContain(record.status);
});

it('a preset keeps what is overridden with undefined, and refuses overrides that are no object', () => {
  const network = smallNetwork();
  evaluate(network, batchOf(smallTask(), 20), { ...FACTORS, outputFactor: 'mc' });
  const velocity = (optimizer: Optimizer): number => (optimizer.init(network.params) as { velocity: Matrix[] }).velocity.length;
  expect(velocity(preset('kfac-jax', { momentum: undefined }))).toBe(2);
  expect(velocity(preset('kfac-jax', { momentum: 0 }))).toBe(0);
  expectThrows(() => preset('soap', [] as never), OptionsError, 'ERR_OPTIONS', /overrides must be an object/);
});

it('init throws ArgumentError without parameters', () => {
  for (const optimizer of [sgd(), kfac(), shampoo(), soap()] as Optimizer[])
    expectThrows(() => optimizer.init([]), ArgumentError, 'ERR_ARGUMENT', /init takes the parameters of a network/);
});

it('the logistic loss throws ArgumentError for targets outside [0, 1], naming the row', () => {
  const f = Matrix.zeros(3, 2);
  expectThrows(
    () =>
      logistic.evaluate(
        f,
        Matrix.from([
          [0, 1],
          [0, 2],
          [1, 1],
        ]),
        f.clone(),
      ),
    ArgumentError,
    'ERR_ARGUMENT',
    /target in row 1 is 2/,
  );
});

it('Hermite coefficients of high degree are finite and not lost', () => {
  const powers = hermiteToPowers([...Array.from({ length: 180 }, () => 0), 1]);
  expect(powers.every(Number.isFinite)).toBe(true);
  expect(powers[180]).toBeGreaterThan(0);
});
