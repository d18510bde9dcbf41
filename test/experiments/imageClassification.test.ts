import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { check, parseConfig, runExperiment } from '../../lib/experiments/index.js';

const SAMPLE = fileURLToPath(new URL('../fixtures/fashion-mnist-sample', import.meta.url));
const config = (extra: object = {}) => ({
  experiment: 'image-classification',
  data: { directory: SAMPLE },
  network: { hidden: [16] },
  optimizer: { name: 'adamw', learningRate: 0.003 },
  train: { batch: 50, epochs: 5 },
  ...extra,
});
const last = (values: readonly number[]): number => values.at(-1)!;

describe('image-classification', () => {
  it('runs whole epochs, measures once an epoch, and tells the seconds of one', async () => {
    const record = await runExperiment(parseConfig(config()));
    expect(record).toMatchObject({ status: 'done', steps: 20 }); // 200 images in batches of 50
    expect(record.metrics['accuracy'].steps).toEqual([0, 4, 8, 12, 16, 20]);
    expect(last(record.metrics['accuracy'].values)).toBeGreaterThan(0.5);
    expect(last(record.metrics['testLoss'].values)).toBeLessThan(record.metrics['testLoss'].values[0]);
    expect(record.timing.secondsAnEpoch).toBeCloseTo(record.timing.trainingSeconds / 5, 12);
  });

  it('takes a convolutional network spelled out layer by layer', async () => {
    const layers = [
      { kind: 'convolution', channels: 4, kernel: 5, stride: 2 },
      { kind: 'activation', activation: 'relu' },
      { kind: 'maxPool', size: 2 },
      { kind: 'flatten' },
      { kind: 'dense', outputs: 10 },
    ];
    const optimizer = { name: 'kfac', learningRate: 0.05, damping: 0.1, outputFactor: 'mc', inversePeriod: 4 };
    const record = await runExperiment(parseConfig(config({ network: { layers }, optimizer })));
    expect(record.status).toBe('done');
    expect(last(record.metrics['accuracy'].values)).toBeGreaterThan(0.5);
  });

  it('repeats to the bit, and another seed gives another run', async () => {
    const run = async (seed: number) => (await runExperiment(parseConfig(config({ seed })))).metrics;
    expect(await run(3)).toEqual(await run(3));
    expect(await run(3)).not.toEqual(await run(4));
  });

  it.each([
    [{ data: { directory: '/nowhere/at/all' } }, /no such/],
    [{ data: { directory: SAMPLE, checksum: '0'.repeat(64) } }, /checksum/],
  ])('finds out before it runs that the data are not as they should be: %j', (extra, message) => {
    expect(() => check(parseConfig(config(extra)))).toThrow(message);
  });

  it('throws OptionsError for a last layer of the wrong width, or dense layers on images', () => {
    const layers = [{ kind: 'flatten' }, { kind: 'dense', outputs: 7 }];
    expect(() => check(parseConfig(config({ network: { layers } })))).toThrow(/outputs are 10, the network's 7/);
    expect(() => check(parseConfig(config({ network: { layers: layers.slice(1) } })))).toThrow(/put a flatten layer before it/);
    expect(() => parseConfig(config({ network: { hiden: [3] } }))).toThrow(OptionsError);
  });
});

describe('the network of image-classification', () => {
  it.each([
    [
      { layers: [{ kind: 'dens', outputs: 10 }] },
      /: network\.layers\[0\]\.kind: unknown value "dens"; allowed: dense, convolution, activation/,
    ],
    [{ layers: [{ kind: 'dense' }] }, /: network\.layers\[0\]\.outputs: is missing; must be/],
    [{ layers: [{ kind: 'convolution', channels: 4, kernel: 'x' }] }, /: network\.layers\[0\]\.kernel: must be .*; got "x"$/],
    [{ layers: [{ kind: 'flatten', size: 2 }] }, /: network\.layers\[0\]\.size: unknown key; allowed: kind$/],
    [{ layers: 5 }, /: network\.layers: must be an array; got 5$/],
    [{ layers: [] }, /: network\.layers: must be of length at least 1/],
    [{ hidden: [16], layers: [{ kind: 'flatten' }] }, /: network\.hidden: is not for a network spelled out; allowed: layers alone/],
    [{ hiden: [16] }, /: network\.hiden: unknown key; allowed: hidden, activation, normalisation/],
    [{ hidden: ['a'] }, /: network\.hidden\[0\]: must be .*; got "a"$/],
    [5, /: network: must be an object; got 5$/],
    [undefined, /: network: is missing; must be an object$/],
  ])('%j is refused with the key that is wrong and what is allowed', (network, message) => {
    expect(() => parseConfig(config({ network }))).toThrow(OptionsError);
    expect(() => parseConfig(config({ network }))).toThrow(message);
  });

  it('that does not fit the images is refused with its layer', () => {
    const layers = [{ kind: 'dense', outputs: 10 }];
    expect(() => check(parseConfig(config({ network: { layers } })))).toThrow(/config: network\.layers\[0\]: dense: is given images/);
  });
});

it.each([1e300, 1e9])('%d epochs are refused by that name, once, with the most there can be', (epochs) => {
  const message = /^config: train\.epochs: must be at most 536870911, 2147483647 steps of 50 of 200 images; got [\de+]+$/;
  expect(() => check(parseConfig(config({ train: { batch: 50, epochs } })))).toThrow(message);
});

describe('optimisers in configurations', () => {
  it('a preset is its options spelled out, with changes', () => {
    const { optimizer } = parseConfig(config({ optimizer: { preset: 'kfac-jax', learningRate: 0.02 } }));
    expect(optimizer).toMatchObject({ name: 'kfac', outputFactor: 'mc', inversePeriod: 5, momentum: 0.9, learningRate: 0.02 });
    expect(parseConfig(config({ optimizer })).optimizer).toEqual(optimizer);
  });

  it('a preset and a name are refused, which would be two methods', () => {
    expect(() => parseConfig(config({ optimizer: { preset: 'paper', name: 'kfac' } }))).toThrow(
      /optimizer.name: a preset has its own method; give preset or name, and options of layerwise beside it/,
    );
  });

  it("a schedule moves every learning rate, that of Muon's vectors too", async () => {
    const norms = async (warmup: number): Promise<number[]> => {
      const text = {
        optimizer: { name: 'muon' },
        schedule: { kind: 'constant', warmup },
        train: { batch: 50, epochs: 0.25, every: 1, telemetry: true },
      };
      const { metrics } = await runExperiment(parseConfig(config(text)));
      return ['weight0', 'bias0'].map((name) => metrics[`${name}.updateNorm`].values[0]);
    };
    const [plain, warm] = [await norms(0), await norms(100)];
    warm.forEach((norm, i) => expect(norm / plain[i]).toBeCloseTo(0.01, 4));
  });

  it('an unknown preset is refused, with those there are', () => {
    expect(() => parseConfig(config({ optimizer: { preset: 'kfac-tf' } }))).toThrow(/optimizer.preset: must be one of paper, kfac-jax/);
  });

  it.each([
    { name: 'grafted', direction: { name: 'shampoo' }, magnitude: { name: 'adam', learningRate: 0.003 } },
    { name: 'clipped', norm: 0.5, optimizer: { preset: 'muon', learningRate: 0.01 } },
    {
      name: 'groups',
      groups: [
        { layers: [0], optimizer: { name: 'kfac', learningRate: 0.03, damping: 0.1 } },
        { layers: 'rest', optimizer: { name: 'adam', learningRate: 0.003 } },
      ],
    },
  ])('made of others: $name', async (optimizer) => {
    const record = await runExperiment(parseConfig(config({ optimizer })));
    expect(record.status).toBe('done');
    expect(last(record.metrics['accuracy'].values)).toBeGreaterThan(0.3); // chance is 0.1
  });

  it('names the place of what is wrong within them', () => {
    const optimizer = { name: 'grafted', direction: { name: 'sgd' }, magnitude: { name: 'adam', beta3: 1 } };
    expect(() => parseConfig(config({ optimizer }))).toThrow(/optimizer.magnitude.beta3: unknown key/);
  });
});
