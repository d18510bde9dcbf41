import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { expectClose } from '../close.js';
import {
  CASES,
  LOSS_NAMES,
  PLAIN_LOSSES,
  activation,
  batchFor,
  batchNorm,
  dense,
  derivative,
  every,
  expectNear,
  labels,
  layerNorm,
  meanLoss,
  networkOf,
  pass,
  shapesOf,
} from './cases.js';

const BOTH = CASES.flatMap((row) => LOSS_NAMES.map((loss) => ({ ...row, loss })));

describe('gradients', () => {
  it.each(BOTH)('are those of finite differences to 1e-9: $title, $loss', ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 6);
    const value = pass(network, PLAIN_LOSSES[loss].loss, batch);
    const gradients = network.gradients.map((g) => g.clone());
    const plain = (): number => meanLoss(loss, network.forward(batch.inputs, false), batch.targets);
    expect(value).toBeCloseTo(plain(), 12);
    network.params.forEach(({ value: { data } }, p) => {
      const differences = Float64Array.from(data, (_, i) => derivative(data, i, () => [plain()])[0]);
      expectNear(gradients[p].data, differences, 1e-9);
    });
  });

  it.each(BOTH)('in float32 are those of float64 to its precision: $title, $loss', ({ loss, ...row }) => {
    const [double, single] = [networkOf(row), networkOf(row, 'float32')];
    const batch = batchFor(double, loss, 6);
    const rounded = { inputs: batch.inputs.clone('float32'), targets: batch.targets.clone('float32') };
    double.params.forEach(({ value }, i) => single.params[i].value.data.set(value.data));
    pass(double, PLAIN_LOSSES[loss].loss, batch);
    pass(single, PLAIN_LOSSES[loss].loss, rounded);
    single.gradients.forEach((g, i) => {
      expect(g.dtype).toBe('float32');
      expectClose(g, double.gradients[i], 3e-5);
    });
  });

  it.each(CASES)('of one sample, and of batches whose size changes, are those of a network that saw nothing else: $title', (row) => {
    const network = networkOf(row);
    for (const n of [1, 4, 2, 7, 1]) {
      const fresh = networkOf(row);
      const batch = batchFor(network, 'squared', n);
      for (const each of [network, fresh]) pass(each, PLAIN_LOSSES.squared.loss, batch, { outputFactor: 'ggn', outputRows: true });
      network.gradients.forEach((g, i) => expectClose(g, fresh.gradients[i], 0));
      network.stats.forEach((s, i) => {
        if (s?.outputFactor) expectClose(s.outputFactor, fresh.stats[i]!.outputFactor!, 0);
        if (s?.outputRows) expectClose(s.outputRows, fresh.stats[i]!.outputRows!, 0);
      });
    }
  });

  it.each(CASES)('stay as they are under reports, and leave the gradient they came from as it was: $title', (row) => {
    const network = networkOf(row);
    const { inputs } = batchFor(network, 'squared', 5);
    const outputs = network.forward(inputs);
    const given = Matrix.zeros(5, network.outputs);
    given.data.forEach((_, i) => (given.data[i] = Math.sin(i)));
    const before = given.clone();
    network.backward(given, every(network));
    const gradients = network.gradients.map((g) => g.clone());
    const seen = outputs.clone();
    for (const { loss } of Object.values(PLAIN_LOSSES))
      for (const outputFactor of ['ggn', 'mc', 'empirical', 'none'] as const)
        network.report({ needs: { inputs: true, outputFactor, outputRows: true, dense: 'none' }, loss, stream: labels() }, every(network));
    network.gradients.forEach((g, i) => expectClose(g, gradients[i], 0));
    expectClose(given, before, 0);
    expectClose(outputs, seen, 0);
  });

  it.each(CASES)('are computed for the layers of the parameters asked for alone, and are the same: $title', (row) => {
    const network = networkOf(row);
    const batch = batchFor(network, 'squared', 5);
    pass(network, PLAIN_LOSSES.squared.loss, batch);
    const all = network.gradients.map((g) => g.clone());
    const layers = shapesOf(row.inputs, row.layers);
    const home = every(network).map((i) => layers.findIndex(({ parameters }) => parameters.includes(i)));
    for (const one of every(network)) {
      network.gradients.forEach((g) => g.data.fill(NaN));
      pass(network, PLAIN_LOSSES.squared.loss, batch, {}, [one]);
      network.gradients.forEach((g, i) =>
        home[i] === home[one] ? expectClose(g, all[i], 0) : expect(g.data.every(Number.isNaN), `gradient ${i}`).toBe(true),
      );
    }
  });

  it.each([
    ['layer-norm', [dense(1), layerNorm, dense(2)], [0, 1, 2]],
    ['batch-norm of one sample', [dense(3), batchNorm, dense(2)], [0, 1, 2]],
  ] as const)('are 0 below %s where it sees one number, and of its scale', (_title, layers, zero) => {
    const network = networkOf({ inputs: 3, layers: [...layers] });
    const batch = batchFor(network, 'squared', 1);
    pass(network, PLAIN_LOSSES.squared.loss, batch);
    for (const i of zero) expect(network.gradients[i].data.every((x) => Math.abs(x) < 1e-12)).toBe(true);
    expect(network.gradients[3].data.some((x) => x !== 0)).toBe(true); // the shift
  });

  it('of rectifiers take 0 as the derivative at 0, and the slope for leakyRelu', () => {
    for (const [name, slope] of [
      ['relu', 0],
      ['leakyRelu', 0.01],
    ] as const) {
      const network = networkOf({ inputs: 1, layers: [dense(1, false), activation(name)] });
      network.params[0].value.data[0] = 0;
      network.forward(Matrix.from([[2]]));
      network.backward(Matrix.from([[1]]), [0]);
      expect(network.gradients[0].data[0]).toBe(2 * slope);
    }
  });
});
