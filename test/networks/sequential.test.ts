import { describe, expect, it } from 'vitest';
import { ArgumentError, OptionsError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { multilayerPerceptron, sequential, twoLayer, type MultilayerPerceptronOptions } from '../../lib/networks/index.js';
import type { Network } from '../../lib/types.js';
import { build, combine, expectClose, expectThrows, multiply, random, refuses, sumOver, transposed } from '../close.js';
import {
  CASES,
  LOSS_NAMES,
  MIXING,
  PLAIN,
  PLAIN_LOSSES,
  activation,
  batchFor,
  batchNorm,
  convolution,
  dense,
  every,
  expectNear,
  flatten,
  labels,
  layerNorm,
  networkOf,
  pass,
  pool,
  shapesOf,
  type Layers,
} from './cases.js';

const tanh = activation('tanh');
const SQUARED = PLAIN_LOSSES.squared.loss;
const summary = ({ params }: Network) => params.map(({ name, layer, role, value }) => [name, layer, role, value.rows, value.cols]);

describe('sequential', () => {
  it('names parameters by weight layer, and normalisations by their place, belonging to the weight before them', () => {
    const network = sequential({
      inputs: { height: 5, width: 4, channels: 2 },
      layers: [
        layerNorm,
        convolution(3, 2, 1, 1),
        batchNorm,
        tanh,
        pool('maxPool', 2),
        flatten,
        dense(6, false),
        layerNorm,
        layerNorm,
        activation('identity'),
        dense(2),
      ],
    });
    expect(summary(network)).toEqual([
      ['gamma0', 0, 'vector', 1, 40],
      ['beta0', 0, 'vector', 1, 40],
      ['weight0', 0, 'weight', 3, 8],
      ['bias0', 0, 'bias', 1, 3],
      ['gamma2', 0, 'vector', 1, 3],
      ['beta2', 0, 'vector', 1, 3],
      ['weight1', 1, 'weight', 6, 3 * 3 * 2],
      ['gamma7', 1, 'vector', 1, 6],
      ['beta7', 1, 'vector', 1, 6],
      ['gamma8', 1, 'vector', 1, 6],
      ['beta8', 1, 'vector', 1, 6],
      ['weight2', 2, 'weight', 2, 6],
      ['bias2', 2, 'bias', 1, 2],
    ]);
    expect(Object.keys(network.state)).toEqual(['running2']);
    expect(network).toMatchObject({ name: 'sequential', inputs: 40, outputs: 2, dtype: 'float64', dense: null, activation: 'nonlinear' });
    expect(network.features).toBe(network.params[2].value);
  });

  it('starts biases and shifts at 0, scales at 1, running means at 0 and variances at 1', () => {
    const { params, state } = sequential({ inputs: 3, layers: [dense(2), batchNorm, layerNorm] });
    const starts = { bias0: [0, 0], gamma1: [1, 1], beta1: [0, 0], gamma2: [1, 1], beta2: [0, 0] };
    for (const [name, values] of Object.entries(starts))
      expect(Array.from(params.find((p) => p.name === name)!.value.data)).toEqual(values);
    expect(state['running1'].toRows()).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it.each(CASES)('has outputs, gradients and weights of the shapes its layers say: $title', ({ inputs, layers }) => {
    const network = networkOf({ inputs, layers });
    const shapes = shapesOf(inputs, layers);
    const { shape } = shapes.at(-1)!;
    expect(network.outputs).toBe(typeof shape === 'number' ? shape : shape.height * shape.width * shape.channels!);
    const outputs = network.forward(random(3, network.inputs));
    expect([outputs.rows, outputs.cols]).toEqual([3, network.outputs]);
    expect(network.params.length).toBe(shapes.flatMap((s) => s.parameters).length);
    network.gradients.forEach((g, i) => expect([g.rows, g.cols]).toEqual([network.params[i].value.rows, network.params[i].value.cols]));
    expect(new Set(network.params.map((p) => p.name)).size).toBe(network.params.length);
  });

  it('takes a flat vector for an image of one pixel, and fills in defaults', () => {
    const network = sequential({
      inputs: { height: 4, width: 4 },
      layers: [{ kind: 'convolution', channels: 2 }, { kind: 'maxPool' }, { kind: 'dense', outputs: 3 }],
    });
    expect(summary(network)).toEqual([
      ['weight0', 0, 'weight', 2, 9],
      ['bias0', 0, 'bias', 1, 2],
      ['weight1', 1, 'weight', 3, 2],
      ['bias1', 1, 'bias', 1, 3],
    ]);
  });

  const specs = (...layers: unknown[]) => ({ inputs: { height: 4, width: 5, channels: 2 }, layers: layers as Layers });
  it.each([
    [
      'an unknown kind',
      { inputs: 3, layers: [{ kind: 'attention' }] },
      /sequential: layers\[0\]\.kind: unknown value "attention"; allowed: dense, convolution, .*flatten/,
    ],
    ['a missing kind', { inputs: 3, layers: [dense(2), {}] }, /sequential: layers\[1\]\.kind: is missing; allowed: dense/],
    ['an unknown key', { inputs: 3, layers: [{ kind: 'dense', outputs: 2, biases: true }] }, /layers\[0\]\.biases: unknown key/],
    ['an unknown activation', { inputs: 3, layers: [activation('swish' as 'relu')] }, /layers\[0\]\.activation: .*relu.*got "swish"/],
    ['an activation without its numbers', specs(activation({ name: 'polynomial' } as never)), /layers\[0\]\.activation/],
    ['no layers', { inputs: 3, layers: [] }, /sequential: layers: must be of length at least 1; got \[\]/],
    ['layers without a weight', { inputs: 3, layers: [tanh, layerNorm] }, /network: layers: must hold a dense or convolution layer/],
    ['no outputs', { inputs: 3, layers: [dense(0)] }, /layers\[0\]\.outputs: must be at least 1; got 0/],
    ['no inputs', { layers: [dense(1)] } as never, /sequential: inputs: /],
    [
      'half a dtype',
      { inputs: 3, layers: [dense(1)], dtype: 'float16' as 'float32' },
      /dtype: must be one of float64, float32; got "float16"/,
    ],
    [
      'dense on images',
      specs(convolution(2, 3), dense(2)),
      /network: layers\[1\]: dense: is given images of 2 x 3 x 2; put a flatten layer before it/,
    ],
    [
      'a large kernel',
      specs(convolution(2, 5)),
      /layers\[0\]: convolution: a window of 5 x 5 does not fit images of 4 x 5 x 2 with padding 0/,
    ],
    [
      'a large window',
      specs(convolution(2, 3), pool('averagePool', 3)),
      /layers\[1\]: averagePool: a window of 3 x 3 does not fit images of 2 x 3 x 2/,
    ],
    [
      'pooling of a vector',
      { inputs: 9, layers: [pool('maxPool', 2), dense(1)] },
      /maxPool: a window of 2 x 2 does not fit images of 1 x 1 x 9/,
    ],
  ] as const)('throws OptionsError, saying where and what is allowed, for %s', (_what, options, message) => {
    expectThrows(() => sequential(options as never), OptionsError, 'ERR_OPTIONS', message);
  });

  it('takes a kernel that fits with padding alone', () => {
    expect(sequential(specs(convolution(2, 5, 1, 1))).outputs).toBe(2 * 3 * 2);
  });
});

describe('multilayerPerceptron', () => {
  it('is dense, normalised and activated layers, then a dense one', () => {
    const network = multilayerPerceptron({
      inputs: 4,
      hidden: [5, 3],
      outputs: 2,
      normalisation: 'layerNorm',
      activation: 'gelu',
      seed: 3,
    });
    expect(summary(network).map(([name, layer]) => `${name} of ${layer}`)).toEqual([
      ...['weight0', 'bias0', 'gamma1', 'beta1'].map((name) => `${name} of 0`),
      ...['weight1', 'bias1', 'gamma4', 'beta4'].map((name) => `${name} of 1`),
      ...['weight2', 'bias2'].map((name) => `${name} of 2`),
    ]);
    const same = sequential({
      inputs: 4,
      layers: [dense(5), layerNorm, activation('gelu'), dense(3), layerNorm, activation('gelu'), dense(2)],
    });
    same.params.forEach(({ value }, i) => value.data.set(network.params[i].value.data));
    const x = random(6, 4);
    expectClose(network.predict(x), same.predict(x), 0);
  });

  it('is a linear model without hidden layers, and linear of any depth with the identity', () => {
    const options: MultilayerPerceptronOptions[] = [
      { inputs: 4, outputs: 2 },
      { inputs: 4, hidden: [3, 3, 3], outputs: 2, activation: 'identity', normalisation: 'batchNorm' },
    ];
    for (const o of options) {
      const network = multilayerPerceptron(o);
      expect(network.activation).toBe('identity');
      expect(network.affineMap()).not.toBeNull();
    }
  });

  it('has biases unless told otherwise, and draws the output layer as told', () => {
    const options = {
      inputs: 200,
      hidden: [300],
      outputs: 100,
      bias: false,
      init: 'lecun',
      outputInit: 'mean-field',
    } satisfies MultilayerPerceptronOptions;
    const [first, last] = multilayerPerceptron(options).params.map((p) => p.value);
    expect(multilayerPerceptron(options).params.length).toBe(2);
    const variance = (m: Matrix): number => sumOver(m.data, (x) => x * x) / m.data.length;
    expect(variance(first) * 200).toBeCloseTo(1, 1);
    expect(variance(last) * 300 * 300).toBeCloseTo(1, 1);
    expect(multilayerPerceptron({ inputs: 2, hidden: [2], outputs: 1 }).params.map((p) => p.role)).toEqual([
      'weight',
      'bias',
      'weight',
      'bias',
    ]);
  });

  it('throws OptionsError naming what is wrong', () => {
    const wrong = (options: object, message: RegExp) =>
      expectThrows(() => multilayerPerceptron(options as never), OptionsError, 'ERR_OPTIONS', message);
    wrong({ inputs: 3, hidden: [4, 0], outputs: 1 }, /multilayerPerceptron: hidden\[1\]: must be at least 1; got 0/);
    wrong({ inputs: 3, outputs: 1, normalisation: 'batch' }, /normalisation: must be one of none, batchNorm, layerNorm; got "batch"/);
    wrong({ inputs: 3, outputs: 1, init: 'xavier' }, /init: must be one of lecun, he, glorot, orthogonal, mean-field; got "xavier"/);
  });
});

describe('prediction', () => {
  it.each(PLAIN)('is the training forward pass where samples do not mix, row by row, for any number of rows: $title', (row) => {
    const network = networkOf(row);
    const x = random(5, network.inputs);
    const predicted = network.predict(x);
    expectNear(predicted, network.forward(x).clone(), 1e-14);
    for (let i = 0; i < 5; i++) {
      const alone = network.predict(Matrix.from([x.data.slice(i * x.cols, (i + 1) * x.cols)]));
      expectNear(alone.data, predicted.data.slice(i * network.outputs, (i + 1) * network.outputs), 1e-14);
    }
    expect(network.predict(Matrix.zeros(0, network.inputs)).toRows()).toEqual([]);
  });

  it.each(CASES)('between passes changes neither, and gives a new matrix: $title', (row) => {
    const [network, fresh] = [networkOf(row), networkOf(row)];
    const batch = batchFor(network, 'squared', 4);
    for (const each of [network, fresh]) {
      const outputs = each.forward(batch.inputs, false);
      const gradient = outputs.clone();
      SQUARED.evaluate(outputs, batch.targets, gradient);
      const first = each.predict(random(4, each.inputs, 'float64', 99));
      if (each === network) expect(each.predict(batch.inputs)).not.toBe(first);
      each.backward(gradient, every(each));
      each.report(
        { needs: { inputs: true, outputFactor: 'empirical', outputRows: false, dense: 'none' }, loss: SQUARED, stream: labels() },
        every(each),
      );
    }
    const before = pass(fresh, SQUARED, batch, { outputFactor: 'empirical' });
    expect(before).toBe(pass(networkOf(row), SQUARED, batch));
    network.gradients.forEach((g, i) => expectClose(g, fresh.gradients[i], 0));
    network.stats.forEach((s, i) => s && expectClose(s.outputFactor!, fresh.stats[i]!.outputFactor!, 0));
  });

  it.each(MIXING)('of training batches agrees with training in the end: $title', (row) => {
    const network = networkOf(row);
    const x = random(400, network.inputs);
    for (let step = 0; step < 300; step++) network.forward(x);
    expectNear(network.predict(x), network.forward(x).clone(), 1e-2); // the variances n / (n - 1) apart
  });

  it('moves running statistics of images by 0.1 a batch over samples and pixels, the variance unbiased', () => {
    const network = sequential({ inputs: { height: 2, width: 3, channels: 2 }, layers: [batchNorm, flatten, dense(1)] });
    const x = random(4, 12);
    network.forward(x);
    network.forward(x, false);
    for (const channel of [0, 1]) {
      const entries = x.data.filter((_, i) => i % 2 === channel);
      const mean = sumOver(entries, (x) => x) / 24;
      const variance = sumOver(entries, (x) => (x - mean) ** 2) / 23;
      expect(network.state['running0'].get(0, channel)).toBeCloseTo(0.1 * mean, 13);
      expect(network.state['running0'].get(1, channel)).toBeCloseTo(0.9 + 0.1 * variance, 13);
    }
  });

  it('keeps running variances finite after a batch of one', () => {
    const network = sequential({ inputs: 2, layers: [batchNorm, dense(1)] });
    network.forward(Matrix.from([[3, -5]]));
    expectClose(network.state['running0'], [0.3, -0.5, 0.9, 0.9], 1e-15);
  });
});

describe('the affine map', () => {
  const AFFINE: readonly { title: string; inputs: Parameters<typeof networkOf>[0]['inputs']; layers: Layers }[] = [
    { title: 'a linear model', inputs: 4, layers: [dense(3)] },
    { title: 'a deep net without biases', inputs: 4, layers: [dense(3, false), dense(6, false), dense(2, false)] },
    { title: 'a deep net with batch-norm', inputs: 4, layers: [batchNorm, dense(5), batchNorm, dense(3), batchNorm] },
    {
      title: 'convolutions, batch-norm and average pooling',
      inputs: { height: 5, width: 4, channels: 2 },
      layers: [convolution(3, 3, 1, 1), batchNorm, pool('averagePool', 2), convolution(2, 2), flatten, dense(3), activation('identity')],
    },
  ];

  it.each(AFFINE)('is what the network computes in evaluation mode: $title', (row) => {
    const network = networkOf(row);
    for (let step = 0; step < 3; step++) network.forward(random(10, network.inputs, 'float64', step));
    expect(network.activation).toBe('identity');
    const { weight, bias } = network.affineMap()!;
    expect([weight.rows, weight.cols, bias.rows, bias.cols]).toEqual([network.outputs, network.inputs, network.outputs, 1]);
    const x = random(6, network.inputs, 'float64', 50);
    const ones = build(1, 6, () => 1);
    expectNear(network.predict(x), transposed(combine(1, multiply(weight, transposed(x)), 1, multiply(bias, ones))), 1e-13);
  });

  it.each([
    ['an activation', [dense(3), tanh, dense(2)]],
    ['layer-norm', [dense(3), layerNorm, dense(2)]],
    ['max-pooling', [pool('maxPool', 1), dense(2)]],
  ] as const)('is null through %s', (_what, layers) => {
    const network = networkOf({ inputs: 4, layers: [...layers] });
    expect(network.affineMap()).toBeNull();
    expect(network.activation).toBe('nonlinear');
  });
});

describe('what networks refuse and survive', () => {
  const network = networkOf({ inputs: 3, layers: [dense(4), layerNorm, tanh, dense(2)] });
  const ready = (rows = 4): Network => {
    network.forward(random(rows, 3));
    return network;
  };
  const request = {
    needs: { inputs: true, outputFactor: 'ggn', outputRows: true, dense: 'none' },
    loss: SQUARED,
    stream: labels(),
  } as const;

  refuses('forward', [
    ['inputs have another width', () => network.forward(random(4, 5)), /sequential: inputs must have 3 columns, got 4 x 5/],
    ['there are no samples', () => network.forward(random(0, 3)), /sequential: a batch needs at least one sample/],
    ['dtypes differ', () => network.forward(random(4, 3, 'float32')), /dtypes/],
  ]);
  refuses('backward', [
    ['the gradient has rows of another batch', () => ready().backward(random(3, 2), [0]), /outputs, 4 x 2; got 3 x 2/],
    ['the gradient has another width', () => ready().backward(random(4, 3), [0]), /outputs, 4 x 2; got 4 x 3/],
    ['no pass went before', () => networkOf(PLAIN[0]).backward(random(4, 3), [0]), /outputs, 0 x 0; got 4 x 3/],
    ['there are no parameters', () => ready().backward(random(4, 2), []), /sequential: no parameters to differentiate/],
    ...[6, -1, 0.5, NaN].map(
      (p) => [`there is no parameter ${p}`, () => ready().backward(random(4, 2), [0, p]), new RegExp(`no parameter ${p}, only 6`)] as const,
    ),
  ]);
  refuses('report', [
    ['there are no parameters', () => ready().report(request, []), /no parameters to differentiate/],
    ['there is no such parameter', () => ready().report(request, [7]), /no parameter 7, only 6/],
  ]);

  it.each(CASES)('predict throws ArgumentError when inputs have another width: $title', (row) => {
    const it = networkOf(row);
    expectThrows(() => it.predict(random(2, it.inputs + 1)), ArgumentError, 'ERR_ARGUMENT', /./);
  });

  it.each(CASES.flatMap((row) => LOSS_NAMES.map((loss) => ({ ...row, loss }))))(
    'NaN and infinity go through without a crash: $title, $loss',
    ({ loss, ...row }) => {
      const it = networkOf(row);
      const of = PLAIN_LOSSES[loss].loss;
      const mixes = MIXING.some(({ title }) => title === row.title);
      const batch = batchFor(it, loss, 3);
      for (const value of [NaN, Infinity, 1e200]) {
        batch.inputs.data.fill(value, 0, batch.inputs.cols);
        for (const outputFactor of ['ggn', 'mc', 'empirical'] as const)
          expect(typeof pass(it, of, batch, { outputFactor, outputRows: true, dense: mixes ? 'none' : outputFactor })).toBe('number');
        if (!mixes)
          it.curvatureTimes(
            it.gradients,
            of,
            it.gradients.map((g) => g.clone()),
          );
        if (Number.isNaN(value)) expect(it.predict(batch.inputs).data.subarray(0, it.outputs).some(Number.isNaN)).toBe(true);
      }
      // What was not finite leaves nothing behind, but for running statistics that were asked to move.
      const good = batchFor(it, loss, 3);
      pass(it, of, good, { outputFactor: 'ggn', outputRows: true });
      const fresh = networkOf(row);
      pass(fresh, of, good, { outputFactor: 'ggn', outputRows: true });
      it.gradients.forEach((g, i) => expectClose(g, fresh.gradients[i], 0));
      it.stats.forEach((s, i) => s?.outputFactor && expectClose(s.outputFactor, fresh.stats[i]!.outputFactor!, 0));
    },
  );

  it('a two-layer network is the sequential one of its layers', () => {
    const [two, same] = [
      twoLayer({ inputs: 4, hidden: 3, outputs: 2, activation: 'tanh', batchNorm: true }),
      sequential({ inputs: 4, layers: [dense(3, false), batchNorm, tanh, dense(2, false)] }),
    ];
    same.params.forEach(({ value }, i) => value.data.set(two.params[i].value.data));
    const batch = batchFor(two, 'squared', 5);
    for (const each of [two, same]) pass(each, SQUARED, batch, { outputFactor: 'ggn' });
    two.gradients.forEach((g, i) => expectClose(g, same.gradients[i], 0));
    expect(two.params.map(({ name, layer }) => `${name} of ${layer}`)).toEqual(['G of 0', 'gamma of 0', 'beta of 0', 'F of 1']);
  });
});
