import { describe, expect, it } from 'vitest';
import { multilayerPerceptron } from '../../lib/networks/index.js';
import { gaussNewton, kfac, sgd, shampoo } from '../../lib/optimizers/index.js';
import { decodeCheckpoint, encodeCheckpoint, train, Training, type TrainOptions } from '../../lib/train/index.js';
import type { Optimizer } from '../../lib/types.js';
import { smallNetwork, smallTask } from '../fixtures.js';

const options = (optimizer: Optimizer, extra: Partial<TrainOptions> = {}): TrainOptions => ({
  task: smallTask(),
  network: smallNetwork(),
  optimizer,
  batch: 32,
  steps: 12,
  every: 4,
  telemetry: true,
  ...extra,
});

describe('telemetry', () => {
  it('has a point of every quantity at every metric point but the first, for each parameter', () => {
    const { metrics } = train(options(kfac({ learningRate: 0.1 })));
    for (const name of ['G', 'F'])
      for (const quantity of [
        'updateNorm',
        'cosine',
        'input.condition',
        'input.effectiveRank',
        'input.damping',
        'input.clipped',
        'input.fallbacks',
      ])
        expect(metrics[`${name}.${quantity}`].steps, quantity).toEqual([4, 8, 12]);
    expect(metrics['G.output.condition'].steps).toEqual([4, 8, 12]);
    expect(metrics['F.output.condition']).toBeUndefined(); // the head's output factor is the identity
  });

  it('has no point at a step that was not taken, and so goes on from a checkpoint as if uninterrupted', () => {
    const o = (): TrainOptions => options(sgd({ learningRate: 30 }), { every: 1, divergence: 100 });
    const whole = train(o());
    expect(whole.status).toBe('diverged');
    expect(whole.metrics['loss'].steps.at(-1)).toBe(whole.steps);
    expect(whole.metrics['G.updateNorm'].steps.at(-1)).toBe(whole.steps - 1);
    const first = new Training(o());
    first.advance(whole.steps - 1);
    expect(train({ ...o(), resume: first.checkpoint() }).metrics).toEqual(whole.metrics);
  });

  it('of gradient descent is the gradient: cosine 1, and the norm of the step', () => {
    const o = options(sgd({ learningRate: 0.05 }), { every: 1, steps: 1 });
    const before = o.network.params.map(({ value }) => value.clone());
    const { metrics } = train(o);
    o.network.params.forEach(({ name, value }, i) => {
      let squares = 0;
      value.data.forEach((x, j) => (squares += (x - before[i].data[j]) ** 2));
      expect(metrics[`${name}.cosine`].values[0]).toBeCloseTo(1, 12);
      expect(metrics[`${name}.updateNorm`].values[0]).toBeCloseTo(Math.sqrt(squares), 12);
    });
  });

  it('is what the method tells: sides of Shampoo, iterations of conjugate gradients', () => {
    expect(Object.keys(train(options(shampoo())).metrics)).toContain('G.left.effectiveRank');
    const { metrics } = train(options(gaussNewton({ solver: 'cg', iterations: 7 })));
    expect(metrics['G.iterations'].values).toEqual([7, 7, 7]);
  });

  it('is left out unless asked for', () => {
    expect(Object.keys(train(options(kfac(), { telemetry: false })).metrics)).toEqual(['loss']);
  });

  it('goes on over a checkpoint', () => {
    const whole = train(options(kfac({ learningRate: 0.1 })));
    const first = new Training(options(kfac({ learningRate: 0.1 })));
    first.advance(6);
    const resume = decodeCheckpoint(encodeCheckpoint(first.checkpoint()));
    expect(train(options(kfac({ learningRate: 0.1 }), { resume })).metrics).toEqual(whole.metrics);
  });
});

describe('fallbacks', () => {
  // More dimensions than samples and no damping: the input factor of the first layer is singular.
  const singular = (extra: Partial<TrainOptions> = {}): TrainOptions =>
    options(kfac({ learningRate: 0.01, damping: 0, dampingKind: 'separate', factorDecay: 0 }), { batch: 4, telemetry: false, ...extra });

  it('are on the record: step, parameter, what was done', () => {
    const { status, events } = train(singular({ steps: 3 }));
    expect(status).toBe('done');
    expect(events!.map(({ step, parameter }) => [step, parameter])).toEqual([
      [1, 'G'],
      [2, 'G'],
      [3, 'G'],
    ]);
    expect(events![0].message).toMatch(/input factor: .*eigen-decomposition, \d+ eigenvalues clipped/);
  });

  it('are absent from the record of a run that took none', () => {
    expect(train(options(kfac()))).not.toHaveProperty('events');
  });

  it('are kept in a checkpoint, and not without bound', () => {
    const first = new Training(singular({ steps: 12 }));
    first.advance(5);
    const rest = train(singular({ steps: 12, resume: decodeCheckpoint(encodeCheckpoint(first.checkpoint())) }));
    expect(rest.events).toEqual(train(singular({ steps: 12 })).events);
    const many = train(singular({ steps: 400, every: 400 })).events!;
    expect(many.length).toBeLessThan(400);
    expect(many.at(-1)!.message).toMatch(/further events are not listed/);
  });
});

it('draws of labels from the model go on over a checkpoint, bit for bit', () => {
  const make = (resume?: TrainOptions['resume']): Training =>
    new Training({ ...options(kfac({ outputFactor: 'mc', factorPeriod: 2, inversePeriod: 3 })), telemetry: false, resume });
  const whole = make();
  while (whole.advance(100));
  for (const at of [1, 2, 3, 4, 5]) {
    const first = make();
    first.advance(at);
    const second = make(decodeCheckpoint(encodeCheckpoint(first.checkpoint())));
    while (second.advance(100));
    second.network.params.forEach(({ value }, i) => expect(value.data).toEqual(whole.network.params[i].value.data));
  }
});

it('curvature of all parameters is refused through batch-norm before the first step', () => {
  const network = multilayerPerceptron({ inputs: 9, hidden: [4], outputs: 5, normalisation: 'batchNorm' });
  for (const optimizer of [gaussNewton(), gaussNewton({ solver: 'cg' }), kfac({ levenbergMarquardt: {} })])
    expect(() => new Training(options(optimizer as Optimizer, { network }))).toThrow(/not defined through batch-norm/);
});
