import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { assemble, check, parseConfig, runExperiment, startingPoint } from '../../lib/experiments/index.js';

const TINY = { task: { inputs: 9, outputs: 5, rank: 3 }, train: { batch: 32, steps: 10, every: 5 } };

describe('parseConfig', () => {
  it('fills in every default', () => {
    expect(parseConfig({})).toEqual({
      experiment: 'linear-representation',
      seed: 0,
      dtype: 'float64',
      task: {
        inputs: 100,
        outputs: 15,
        rank: 8,
        noise: 0.1,
        headCondition: 3,
        distribution: 'rademacher',
        covariance: { family: 'log', condition: 100, basis: 'haar' },
        transfer: {},
      },
      network: { batchNorm: false },
      optimizer: { name: 'layerwise', learningRate: 0.1, damping: 1e-8, outputFactor: 'ggn', factorDecay: 0, weightDecay: 0 },
      schedule: { kind: 'constant', warmup: 0 },
      train: { batch: 1024, steps: 300, every: 10, telemetry: false, divergence: 1e6 },
      transferSamples: 0,
    });
  });

  it('is idempotent', () => {
    const once = parseConfig({ optimizer: { name: 'adam' }, schedule: { kind: 'cosine' } });
    expect(parseConfig(once)).toEqual(once);
  });

  it.each([
    [
      { experiment: 'nope' },
      /experiment: must be one of linear-representation, image-classification, alignment, one-step, spectrum, index-learning; got "nope"/,
    ],
    [{ optimiser: {} }, /optimiser: unknown key/],
    [
      { optimizer: { name: 'sgdd' } },
      /optimizer.name: unknown value "sgdd"; allowed: sgd, adam, adamw, layerwise, kfac, ekfac, foof, shampoo, soap, muon, amgd, gaussNewton, naturalGradient, grafted, clipped, groups/,
    ],
    [{ optimizer: {} }, /optimizer.name: is missing; allowed: sgd/],
    [{ optimizer: { name: 'sgd', beta1: 0.9 } }, /optimizer.beta1: unknown key/],
    [{ task: { inputs: -3 } }, /task.inputs: must be at least 1; got -3/],
    [{ task: { inputs: '3' } }, /task.inputs: must be .*; got "3"/],
    [{ task: { rank: 200 } }, /task.rank: must be at most task.outputs = 15; got 200/],
    [{ network: { hidden: 101 } }, /network.hidden: must be at most task.inputs = 100; got 101/],
    [
      { optimizer: { name: 'kfac', damping: { kind: 'cosine' } } },
      /damping: must be a number, or must be a schedule \(of a program; in a file, /,
    ],
    [{ train: { steps: 1e12 } }, /train.steps: must be at most 2147483647/],
    [{ task: { noise: Infinity } }, /task.noise: must be a finite number; got Infinity/],
    [{ optimizer: { name: 'groups', groups: [{ optimizer: { name: 'sgd' } }] } }, /groups\[0\].layers: is missing; must be an array, or/],
    [{ train: { stps: 3 } }, /train.stps: unknown key; allowed: batch, steps, /],
    [[], /must be an object/],
    [null, /experiment|object/],
  ])('throws OptionsError for %j', (config, message) => {
    if (config === null) return expect(parseConfig(config)).toBeDefined();
    expect(() => parseConfig(config, 'file.yaml')).toThrow(OptionsError);
    expect(() => parseConfig(config, 'file.yaml')).toThrow(message);
    expect(() => parseConfig(config, 'file.yaml')).toThrow(/^file\.yaml/);
  });
});

it('parseConfig throws OptionsError for a schedule object: configurations are data', () => {
  const config = { optimizer: { name: 'sgd', learningRate: { at: () => 0.1 } } };
  expect(() => parseConfig(config)).toThrow(/optimizer\.learningRate: must be plain data/);
});

it('parseConfig throws OptionsError for an object within itself, and takes one that is there twice', () => {
  const optimizer: Record<string, unknown> = { name: 'clipped' };
  optimizer['optimizer'] = optimizer;
  expect(() => parseConfig({ optimizer })).toThrow(OptionsError);
  expect(() => parseConfig({ optimizer })).toThrow(/optimizer\.optimizer: must be plain data; it contains itself/);
  const covariance = { family: 'isotropic' };
  expect(parseConfig({ task: { covariance, transfer: { covariance } } }).seed).toBe(0);
});

it('startingPoint gives a whole configuration of each experiment', () => {
  expect(startingPoint('linear-representation')).toEqual(parseConfig({}));
  expect(startingPoint('image-classification')).toMatchObject({
    data: { directory: '/usr/share/datasets/fashion-mnist', standardise: true },
    train: { batch: 256, epochs: 3 },
  });
});

describe('check', () => {
  const sgd = { name: 'sgd' };
  const groups = (...layers: unknown[]) => ({ name: 'groups', groups: layers.map((l) => ({ layers: l, optimizer: sgd })) });
  it.each([
    [{ optimizer: { name: 'sgd', learningRate: [1, 1, 1] } }, ['optimizer', 'learningRate'], 'got 3 (in optimiser sgd)'],
    [{ optimizer: { name: 'kfac', outputDamping: 1, dampingKind: 'factored' } }, ['optimizer', 'outputDamping'], '(in optimiser kfac)'],
    [{ optimizer: groups([0], [0, 1]) }, ['optimizer', 'groups', 1, 'layers'], 'layer 0 is listed twice (in optimiser groups)'],
    [{ optimizer: groups([0]) }, ['optimizer', 'groups'], 'layers: layer 1 is in no group'],
    [
      {
        optimizer: {
          name: 'clipped',
          optimizer: { ...groups('rest'), groups: [{ layers: 'rest', optimizer: { ...sgd, learningRate: [1] } }] },
        },
      },
      ['optimizer', 'optimizer', 'groups', 0, 'optimizer', 'learningRate'],
      'one a layer (2 layers); got 1 (in optimiser sgd)',
    ],
    [{ optimizer: { name: 'amgd' }, train: { order: 'alternating' } }, ['train', 'order'], 'amgd is defined in order'],
  ])('throws OptionsError with the keys from the top of %j, and the optimiser', (config, keys, message) => {
    let found: unknown;
    try {
      check(parseConfig({ ...TINY, ...config }));
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(OptionsError);
    expect((found as OptionsError).issues).toMatchObject([{ keys, message: expect.stringContaining(message) }]);
  });
});

describe('runExperiment', () => {
  it('returns a record with its configuration and provenance', async () => {
    const record = await runExperiment(parseConfig({ ...TINY, transferSamples: 30 }));
    expect(record.status).toBe('done');
    expect(Object.keys(record.metrics)).toEqual(['loss', 'distance', 'transfer', 'population', 'finiteTransfer']);
    expect(record.config.seed).toBe(0);
    expect(record.provenance).toMatchObject({ node: process.version, threads: 1 });
    expect(record.provenance.blas).toMatch(/OpenBLAS/);
  });

  it('runs in float32, with batch-norm, and under each schedule', async () => {
    for (const extra of [
      { dtype: 'float32' },
      { network: { batchNorm: true } },
      { schedule: { kind: 'cosine', warmup: 3 } },
      { schedule: { kind: 'inverse-time', halfLife: 5 } },
    ])
      expect((await runExperiment(parseConfig({ ...TINY, optimizer: { name: 'sgd' }, ...extra }))).status).toBe('done');
  });

  it('applies the schedule to the learning rate', async () => {
    const at = async (schedule: object): Promise<number> =>
      (await runExperiment(parseConfig({ ...TINY, optimizer: { name: 'sgd', learningRate: [0.1, 0.05] }, schedule }))).metrics[
        'loss'
      ].values.at(-1)!;
    expect(await at({ kind: 'inverse-time', halfLife: 1e9 })).toBeCloseTo(await at({ kind: 'constant' }), 6);
    expect(await at({ kind: 'inverse-time', halfLife: 0.5 })).not.toBeCloseTo(await at({ kind: 'constant' }), 3);
  });

  it('decides task, initialisation and batches by its one seed', () => {
    const [a, b] = [1, 2].map((seed) => assemble(parseConfig({ ...TINY, seed })));
    expect(a.network.features.data).not.toEqual(b.network.features.data);
    expect(a.seed).toBe(1);
  });
});
