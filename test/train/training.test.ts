import { describe, expect, it } from 'vitest';
import { ArgumentError, OptionsError } from '../../lib/errors.js';
import { Matrix, readNpz, writeNpz } from '../../lib/linalg/index.js';
import { subspaceDistance, populationLoss } from '../../lib/metrics/index.js';
import { layerwise, sgd } from '../../lib/optimizers/index.js';
import { decodeCheckpoint, encodeCheckpoint, train, trainAsync, Training, type TrainOptions } from '../../lib/train/index.js';
import { maxAbsDiff } from '../close.js';
import { smallNetwork, smallTask } from '../fixtures.js';

const options = (extra: Partial<TrainOptions> = {}): TrainOptions => {
  const task = smallTask();
  return {
    task,
    network: smallNetwork(),
    optimizer: sgd({ learningRate: 0.05 }),
    batch: 32,
    steps: 25,
    every: 10,
    metrics: { distance: subspaceDistance(task), population: populationLoss(task) },
    ...extra,
  };
};

describe('train', () => {
  it('records metrics at the start, every k steps and at the end; batch losses from the first update on', () => {
    const record = train(options());
    expect(record).toMatchObject({ status: 'done', steps: 25 });
    expect(record.metrics['distance'].steps).toEqual([0, 10, 20, 25]);
    expect(record.metrics['loss'].steps).toEqual([10, 20, 25]);
    expect(record.timing.at).toHaveLength(4);
    expect(record.timing.trainingSeconds).toBeGreaterThan(0);
  });

  it('decreases the population loss, and repeats to the bit', () => {
    const { metrics } = train(options());
    expect(metrics['population'].values.at(-1)).toBeLessThan(metrics['population'].values[0]);
    expect(train(options()).metrics).toEqual(metrics);
    expect(train(options({ seed: 1 })).metrics).not.toEqual(metrics);
  });

  it('in alternating order updates a layer with the gradient at the new values of the one before', () => {
    const run = (order: 'simultaneous' | 'alternating'): Matrix[] => {
      const o = options({ steps: 1, order, optimizer: layerwise({ learningRate: 0.5 }) });
      train(o);
      return o.network.params.map((p) => p.value);
    };
    const [together, inTurn] = [run('simultaneous'), run('alternating')];
    expect(maxAbsDiff(together[0], inTurn[0])).toBe(0); // G moves first
    expect(maxAbsDiff(together[1], inTurn[1])).toBeGreaterThan(1e-3); // F sees the new G
  });

  it('backward order moves the head first', () => {
    const o = options({ steps: 1, order: 'alternating-backward' });
    const simultaneous = options({ steps: 1 });
    train(o);
    train(simultaneous);
    expect(maxAbsDiff(o.network.params[1].value, simultaneous.network.params[1].value)).toBe(0);
    expect(maxAbsDiff(o.network.features, simultaneous.network.features)).toBeGreaterThan(1e-6);
  });

  it('ends as diverged, with the step and the losses, when the loss leaves all bounds', () => {
    const record = train(options({ optimizer: sgd({ learningRate: 50 }), steps: 500 }));
    expect(record.status).toBe('diverged');
    expect(record.reason).toMatch(/^step \d+: the loss is \S+, from \d+\.\d+ at the start$/);
    expect(record.steps).toBeLessThan(500);
    expect(record.metrics['distance'].steps.at(-1)).toBe(record.steps);
  });

  it('ends as failed when an update cannot be computed', () => {
    const record = train(options({ optimizer: layerwise({ damping: 0 }), batch: 4 }));
    expect(record).toMatchObject({ status: 'failed', steps: 1 });
    // Four samples: minors of order 5 and above are zero but for rounding, which differs between kernels.
    expect(record.reason).toMatch(/step 1: G: dampedSolve: the leading minor of order [5-9] of 9 is not positive definite/);
  });

  it('is done at the first metric point where its target is reached', () => {
    const whole = train(options({ steps: 200, every: 5 })).metrics['distance'];
    const below = whole.values[20];
    const first = whole.values.findIndex((v) => v <= below);
    const record = train(options({ steps: 200, every: 5, target: { metric: 'distance', below } }));
    expect(record).toMatchObject({ status: 'done', steps: whole.steps[first] });
    expect(record.metrics['distance'].values).toEqual(whole.values.slice(0, first + 1));
    expect(train(options({ target: { metric: 'distance', below: 0 } })).steps).toBe(25);
    expect(train(options({ target: { metric: 'distance', below: 2 } })).steps).toBe(0); // there from the start
    expect(train(options({ target: { metric: 'loss', below: 1e9 } })).steps).toBe(10); // the loss has its first point there
  });

  it('goes on from a checkpoint to its target, and stays at one that was reached', () => {
    const o = (): TrainOptions => options({ steps: 200, every: 5, target: { metric: 'distance', below: train(options({ steps: 40, every: 40 })).metrics['distance'].values[1] } }); // prettier-ignore
    const whole = train(o());
    expect(whole.steps).toBeLessThanOrEqual(40);
    const half = new Training(o());
    half.advance(10);
    expect(train({ ...o(), resume: half.checkpoint() }).metrics).toEqual(whole.metrics);
    const ended = new Training(o());
    ended.advance(200);
    expect(new Training({ ...o(), resume: ended.checkpoint() }).finished).toBe(true);
  });

  it('throws OptionsError for a target that is no metric of the run', () => {
    expect(() => train(options({ target: { metric: 'accuracy', below: 1 } }))).toThrow(/target.metric: must be one of loss, distance, population; got 'accuracy'/); // prettier-ignore
  });

  it('ends by its seconds, metrics not counted', () => {
    const slow = (): number => {
      const end = performance.now() + 30;
      while (performance.now() < end);
      return 0;
    };
    const record = train(options({ seconds: 0.05, steps: 1_000_000, every: 1, metrics: { slow } }));
    expect(record.status).toBe('done');
    expect(record.timing.trainingSeconds).toBeGreaterThanOrEqual(0.05);
    expect(record.steps).toBeGreaterThan(5); // metrics alone would have used it up in two
  });

  it.each([
    [{ every: 0 }, OptionsError, /train: every: must be at least 1; got 0/],
    [{ stps: 3 }, OptionsError, /train: stps: unknown key/],
    [{ batch: 2.5 }, OptionsError, /train: batch: must be an integer; got 2.5/],
    [{ network: smallNetwork({ inputs: 8 }) }, ArgumentError, /the task's inputs are 9, the network's 8/],
    [{ network: smallNetwork({ dtype: 'float32' }) }, ArgumentError, /dtype are float64, the network's float32/],
    [{ metrics: { loss: () => 0 } }, ArgumentError, /'loss' is taken/],
  ])('throws for %j', (extra, type, message) => {
    const call = (): unknown => train(options(extra as Partial<TrainOptions>));
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});

describe('trainAsync', () => {
  it('gives the record of train', async () => {
    expect((await trainAsync(options())).metrics).toEqual(train(options()).metrics);
  });

  it('ends as stopped on an abort, soon, and its checkpoint goes on to the same end', async () => {
    const controller = new AbortController();
    let saved: Uint8Array = new Uint8Array();
    const record = await trainAsync({
      ...options({ steps: 1_000_000, every: 1_000_000 }),
      signal: controller.signal,
      onProgress: (t: Training) => {
        saved = encodeCheckpoint(t.checkpoint());
        controller.abort();
      },
    });
    expect(record.status).toBe('stopped');
    const end = { steps: record.steps + 30, every: 1_000_000 };
    expect(train(options({ ...end, resume: decodeCheckpoint(saved) })).metrics).toEqual(train(options(end)).metrics);
  });

  it('asks at every rung whether to go on, also where it is resumed at one', async () => {
    const asked: number[] = [];
    let saved: Uint8Array = new Uint8Array();
    const until = (last: number, extra: Partial<TrainOptions> = {}) =>
      trainAsync({
        ...options({ steps: 30, ...extra }),
        rungs: [10, 20],
        atRung: (training) => {
          asked.push(training.step);
          saved = encodeCheckpoint(training.checkpoint());
          return Promise.resolve(training.step >= last ? 'enough' : undefined);
        },
      });
    expect(await until(20)).toMatchObject({ status: 'stopped', reason: 'enough', steps: 20 });
    expect(asked).toEqual([10, 20]);
    expect(await until(20, { resume: decodeCheckpoint(saved) })).toMatchObject({ status: 'stopped', steps: 20 });
    expect((await until(99, { resume: decodeCheckpoint(saved) })).metrics).toEqual(train(options({ steps: 30 })).metrics);
    expect(asked).toEqual([10, 20, 20, 20]);
  });
});

describe('a checkpoint', () => {
  const half = (extra: Partial<TrainOptions> = {}): Training => {
    const training = new Training(options(extra));
    training.advance(13);
    return training;
  };

  it('is an npz file whose arrays are named by path', () => {
    const { arrays } = readNpz(encodeCheckpoint(half().checkpoint()));
    expect(Object.keys(arrays)).toEqual(
      expect.arrayContaining(['params/G', 'params/F', 'optimizer/velocity/0', 'curves/distance', 'loop/position']),
    );
    expect(arrays['loop/step'].data[0]).toBe(13);
  });

  it('has equal bytes for equal runs, wall-clock apart', () => {
    const [a, b] = [half(), half()].map((t) => {
      const { arrays, about } = t.checkpoint();
      for (const key of ['loop/trainingSeconds', 'loop/at']) arrays[key].data.fill(0);
      return encodeCheckpoint({ arrays, about });
    });
    expect(Buffer.compare(a, b)).toBe(0);
  });

  it('is not changed by steps taken after it', () => {
    const training = half();
    const checkpoint = training.checkpoint();
    const before = checkpoint.arrays['params/G'].data.slice();
    training.advance(5);
    expect(checkpoint.arrays['params/G'].data).toEqual(before);
  });

  it.each([
    [{ seed: 9 }, /another run: its seed is 0, this run's is 9/],
    [{ optimizer: layerwise() }, /its optimizer is sgd, this run's is layerwise/],
    [{ network: smallNetwork({ hidden: 4 }) }, /params\/G should be 4 x 9 of float64, it is 3 x 9 of float64/],
    [{ metrics: { other: () => 1 } }, /no curve of other/],
  ])('throws ArgumentError when resumed with %j', (extra, message) => {
    const checkpoint = half().checkpoint();
    const call = (): unknown => new Training(options({ ...extra, resume: checkpoint }));
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  it('of a diverged run stays diverged, and of a finished one goes on where the budget has grown', () => {
    const wild = { optimizer: sgd({ learningRate: 50 }), steps: 500 };
    const diverged = new Training(options(wild));
    while (diverged.advance(100));
    const again = new Training(
      options({ ...wild, network: smallNetwork(), resume: decodeCheckpoint(encodeCheckpoint(diverged.checkpoint())) }),
    );
    expect(again.advance(1)).toBe(false);
    expect(again.record()).toMatchObject({ status: 'diverged', steps: diverged.step, reason: diverged.record().reason });

    const done = new Training(options());
    while (done.advance(100));
    expect(train(options({ resume: done.checkpoint() }))).toMatchObject({ status: 'done', steps: 25 });
    expect(train(options({ steps: 40, resume: done.checkpoint() }))).toMatchObject({ status: 'done', steps: 40 });
  });

  it('that does not fit leaves the network as it was', () => {
    const { arrays, about } = half().checkpoint();
    const rest = Object.fromEntries(Object.entries(arrays).filter(([name]) => name !== 'curves/distance'));
    const network = smallNetwork();
    const before = network.features.clone();
    expect(() => new Training(options({ network, resume: { arrays: rest, about } }))).toThrow(/no curve of distance/);
    expect(network.features.data).toEqual(before.data);
  });

  it('throws ArgumentError when a word of it is another than was written', () => {
    const { arrays, about } = new Training(options({ optimizer: sgd() })).checkpoint();
    const { text } = readNpz(encodeCheckpoint({ arrays, about }));
    const words = text['about.json'].replace('"running"', '"runninG"');
    expect(words).not.toBe(text['about.json']);
    expect(() => decodeCheckpoint(writeNpz(arrays, { 'about.json': words }))).toThrow(/damaged: its numbers or words/);
  });

  it('throws ArgumentError when a bit of it has flipped', () => {
    const bytes = encodeCheckpoint(half().checkpoint());
    const at = Buffer.from(bytes).indexOf('params/G.npy') + 200;
    bytes[at] ^= 1;
    expect(() => decodeCheckpoint(bytes)).toThrow(ArgumentError);
    expect(() => decodeCheckpoint(bytes)).toThrow(/damaged/);
  });

  it('throws ArgumentError when its bytes are cut short or something else', () => {
    const bytes = encodeCheckpoint(half().checkpoint());
    expect(() => decodeCheckpoint(bytes.subarray(0, bytes.length / 2))).toThrow(ArgumentError);
    expect(() => decodeCheckpoint(new TextEncoder().encode('not a zip'))).toThrow(/not a complete .npz/);
  });
});
