import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { denseCurvatureOf, sequential } from '../../lib/networks/index.js';
import type { Network } from '../../lib/types.js';
import { build, expectClose, maxAbs, maxAbsDiff, multiply, transposed } from '../close.js';
import {
  CASES,
  LOSS_NAMES,
  PLAIN,
  PLAIN_LOSSES,
  activation,
  batchFor,
  batchNorm,
  convolution,
  dense,
  derivative,
  entriesOfLayer,
  every,
  expectMean,
  expectNear,
  factorOf,
  flatten,
  inputsOf,
  kronecker,
  labels,
  layerNorm,
  meanLoss,
  networkOf,
  pass,
  pool,
  rowOf,
  sandwich,
  secondMoment,
  selected,
  shapesOf,
  weightsOf,
  type Case,
} from './cases.js';

const SQUARED = PLAIN_LOSSES.squared.loss;
const withLosses = <T extends object>(cases: readonly T[]) => cases.flatMap((row) => LOSS_NAMES.map((loss) => ({ ...row, loss })));

// ---- What comes after a layer, as a network of its own. ----

/** The layer that parameter `weight` belongs to cut off at its outputs: those, and the network that takes them for inputs. */
function cut(
  { inputs, layers }: Pick<Case, 'inputs' | 'layers'>,
  network: Network,
  weight: number,
  x: Matrix,
): { z: Matrix; tail: Network } {
  const place = shapesOf(inputs, layers).findIndex(({ parameters }) => parameters.includes(weight));
  const upTo = (end: number): Network => {
    const head = sequential({ inputs, layers: layers.slice(0, end) });
    head.params.forEach(({ value }, i) => value.data.set(network.params[i].value.data));
    return head;
  };
  // An identity at the end: a network has a weight.
  const after = sequential({
    inputs: shapesOf(inputs, layers)[place].shape,
    layers: [...layers.slice(place + 1), flatten, dense(network.outputs, false)],
  });
  const first = network.params.length - after.params.length + 1;
  after.params.forEach(({ value }, i) => {
    if (i < after.params.length - 1) value.data.set(network.params[first + i].value.data);
    else value.data.set(Matrix.identity(network.outputs).data);
  });
  // Batch-norm in evaluation mode is batch-norm with its statistics fixed: at those of the batch.
  layers.forEach((spec, at) => {
    if (spec.kind !== 'batchNorm' || at <= place) return;
    const into = upTo(at).forward(x, false);
    const running = after.state[`running${at - place - 1}`];
    const h = running.cols;
    const pixels = into.data.length / h;
    for (let j = 0; j < h; j++) {
      const entries = Array.from({ length: pixels }, (_, p) => into.data[p * h + j]);
      const mean = entries.reduce((a, b) => a + b) / pixels;
      running.data[j] = mean;
      running.data[h + j] = entries.reduce((a, b) => a + (b - mean) ** 2, 0) / pixels;
    }
  });
  return {
    z: upTo(place + 1)
      .forward(x, false)
      .clone(),
    tail: after,
  };
}

/** mean_i J_i' H_i J_i in the m outputs of a layer, J_i by differences, positions taken one by one; also the mean of all of n x width. */
function factorByDifferences(
  row: Pick<Case, 'inputs' | 'layers'>,
  network: Network,
  weight: number,
  x: Matrix,
  loss: (typeof LOSS_NAMES)[number],
): Matrix {
  const { z, tail } = cut(row, network, weight, x);
  const m = network.params[weight].value.rows;
  const outputs = tail.predict(z);
  const middles = Array.from({ length: z.rows }, (_, i) => PLAIN_LOSSES[loss].hessian(rowOf(outputs, i)));
  const c = outputs.cols;
  const out = Matrix.zeros(m, m);
  const positions = z.cols / m;
  for (let t = 0; t < positions; t++) {
    // Samples do not mix: one change moves entry (t m + j) of all.
    const columns = Array.from({ length: m }, (_, j) => {
      const shift = Float64Array.of(0);
      return derivative(shift, 0, () => tail.predict(build(z.rows, z.cols, (i, k) => z.get(i, k) + (k === t * m + j ? shift[0] : 0))).data);
    });
    const j = build(z.rows * c, m, (r, k) => columns[k][r]);
    const part = sandwich(j, middles, 1 / (z.rows * positions));
    part.data.forEach((value, k) => (out.data[k] += value));
  }
  return out;
}

const tanh = activation('tanh');
const deep = [dense(4), dense(3), dense(5), dense(2)];
const INTERRUPTED: readonly Case[] = [
  ...[1, 2, 3, 4].map((depth) => ({
    title: `an activation after layer ${depth} of 4`,
    inputs: 3,
    layers: [...deep.slice(0, depth), tanh, ...deep.slice(depth)],
  })),
  { title: 'an activation, batch-norm and an activation', inputs: 3, layers: [dense(4), dense(3), tanh, batchNorm, tanh, dense(2)] },
  { title: 'an activation, then layer-norm', inputs: 3, layers: [dense(4), layerNorm, dense(3), tanh, dense(2), dense(2)] },
  {
    title: 'linear layers over pooled convolutions',
    inputs: { height: 4, width: 5, channels: 1 },
    layers: [convolution(2, 2), convolution(2, 1), pool('averagePool', 2, 1), convolution(3, 1), flatten, dense(3), dense(2)],
  },
  {
    title: 'batch-norm and an activation over a convolution',
    inputs: { height: 3, width: 3, channels: 1 },
    layers: [convolution(2, 2), batchNorm, tanh, flatten, dense(3), dense(2)],
  },
];

describe('the exact output factor', () => {
  it.each(withLosses([...CASES, ...INTERRUPTED]))(
    "is mean J'HJ in the layer's outputs, J by differences with batch-norm's statistics fixed: $title, $loss",
    ({ loss, ...row }) => {
      const network = networkOf(row);
      const batch = batchFor(network, loss, 6);
      pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor: 'ggn' });
      for (const i of weightsOf(network)) expectNear(factorOf(network, i), factorByDifferences(row, network, i, batch.inputs, loss), 1e-9);
    },
  );

  it('is null where it is the identity: of the last layer under the squared loss', () => {
    for (const layers of [
      [dense(3), tanh, dense(2)],
      [dense(3), dense(2), flatten],
    ]) {
      const network = networkOf({ inputs: 2, layers });
      pass(network, SQUARED, batchFor(network, 'squared', 4), { outputFactor: 'ggn', outputRows: true });
      expect(network.stats[2]).toMatchObject({ outputFactor: null, outputRows: null });
      expect(network.stats[0]!.outputFactor).not.toBeNull();
    }
  });
});

describe('the empirical output factor', () => {
  it.each(withLosses(CASES))("is the mean of g g', g = n dL/dz of the mean loss as it is: $title, $loss", ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 6);
    pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor: 'empirical' });
    for (const i of weightsOf(network)) {
      const { z, tail } = cut(row, network, i, batch.inputs);
      const lossOf = (): ArrayLike<number> => [meanLoss(loss, tail.forward(z, false), batch.targets)];
      const g = Float64Array.from(z.data, (_, k) => 6 * derivative(z.data, k, lossOf)[0]);
      const m = network.params[i].value.rows;
      expectNear(factorOf(network, i), secondMoment(Matrix.wrap(g, g.length / m, m)), 1e-9);
    }
  });
});

describe('the sampled output factor', () => {
  const SAMPLED: readonly Case[] = [
    { title: 'a net with layer-norm', inputs: 3, layers: [dense(3), layerNorm, tanh, dense(2)] },
    { title: 'a net with batch-norm', inputs: 3, layers: [dense(3), batchNorm, tanh, dense(2)] },
    {
      title: 'a convolution',
      inputs: { height: 3, width: 3, channels: 1 },
      layers: [convolution(2, 2), tanh, flatten, dense(3)],
    },
  ];

  it.each(withLosses(SAMPLED))('is the exact one in the mean of 2000 draws: $title, $loss', ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 3);
    pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor: 'ggn' });
    const exact = weightsOf(network).map((i) => factorOf(network, i).clone());
    const stream = labels();
    const request = {
      needs: { inputs: true, outputFactor: 'mc', outputRows: false, dense: 'none' },
      loss: PLAIN_LOSSES[loss].loss,
      stream,
    } as const;
    const draws = Array.from({ length: 2000 }, () => {
      network.report(request, every(network));
      return weightsOf(network).map((i) => network.stats[i]!.outputFactor!.data.slice());
    });
    exact.forEach(({ data }, w) =>
      expectMean(
        draws.map((d) => d[w]),
        data,
        0.05,
      ),
    );
  });

  it('is the same for the same stream, and another for another', () => {
    const network = networkOf(SAMPLED[0]);
    const batch = batchFor(network, 'squared', 3);
    const drawn = (stream = labels()): number[] => {
      pass(network, SQUARED, batch, { outputFactor: 'mc' }, every(network), stream);
      return Array.from(network.stats[0]!.outputFactor!.data);
    };
    expect(drawn()).toEqual(drawn());
    expect(drawn(labels().substream('other'))).not.toEqual(drawn());
  });
});

describe('output rows', () => {
  it.each(withLosses([...CASES, ...INTERRUPTED]))("give the factor, rows'rows / (n positions): $title, $loss", ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 4);
    for (const outputFactor of ['ggn', 'mc', 'empirical'] as const) {
      pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor });
      const alone = weightsOf(network).map((i) => factorOf(network, i).clone());
      pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor, outputRows: true });
      weightsOf(network).forEach((i, w) => {
        const { outputFactor: factor, outputRows: rows, positions, inputs } = network.stats[i]!;
        expect(inputs.rows).toBe(4 * positions);
        expectNear(factorOf(network, i), alone[w], 1e-13);
        expect(rows === null).toBe(factor === null);
        if (rows !== null)
          expectNear(
            multiply(transposed(rows), rows),
            build(factor!.rows, factor!.cols, (r, c) => factor!.get(r, c) * 4 * positions),
            1e-13,
          );
        if (rows !== null && outputFactor !== 'ggn') expect(rows.rows).toBe(4 * positions);
      });
    }
  });

  it.each(withLosses(PLAIN))(
    "and inputs give the layer's block, mean_i sum_b G_bi G_bi' with G_bi = sum_t g a' in the same order: $title, $loss",
    ({ loss, ...row }) => {
      const network = networkOf(row);
      const batch = batchFor(network, loss, 4);
      const exact = denseCurvatureOf(network, PLAIN_LOSSES[loss].loss, batch, 'ggn');
      pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor: 'ggn', outputRows: true });
      for (const i of weightsOf(network)) {
        const { positions, outputRows } = network.stats[i]!;
        const a = inputsOf(network, i);
        const m = network.params[i].value.rows;
        // Where it is the identity: one block for every output of every position.
        const g =
          outputRows ??
          build(4 * positions * m * positions, m, (r, j) => {
            const [block, of] = [Math.floor(r / (4 * positions)), r % positions];
            return block === of * m + j ? 1 : 0;
          });
        const blocks = g.rows / (4 * positions);
        const gradients = build(blocks * 4, m * a.cols, (r, k) => {
          let sum = 0;
          for (let t = 0; t < positions; t++)
            sum += g.get(r * positions + t, Math.floor(k / a.cols)) * a.get((r % 4) * positions + t, k % a.cols);
          return sum;
        });
        expectNear(secondMoment(gradients, 4), selected(exact, entriesOfLayer(network, i)), 1e-12);
      }
    },
  );
});

describe('statistics of the parameters asked for alone', () => {
  it.each(withLosses(CASES))('are those of a report on all, and the others are cleared: $title, $loss', ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 4);
    for (const outputFactor of ['ggn', 'empirical'] as const) {
      pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor });
      const all = network.stats.map((s) => s?.outputFactor?.clone() ?? null);
      for (const one of weightsOf(network)) {
        pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor }, [one]);
        network.stats.forEach((s, i) => {
          const factor = s?.outputFactor ?? null;
          if (i !== one || all[i] === null) expect(factor, `factor of parameter ${i}`).toBeNull();
          else expectClose(factor!, all[i], 1e-15);
        });
      }
    }
    pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor: 'none' });
    expect(network.stats.every((s) => (s?.outputFactor ?? null) === null)).toBe(true);
  });

  it('are one a parameter, null for biases and vectors', () => {
    const network = networkOf({ inputs: 3, layers: [dense(2), layerNorm, tanh, dense(2, false)] });
    pass(network, SQUARED, batchFor(network, 'squared', 4), { outputFactor: 'ggn' });
    expect(network.stats.map((s) => s !== null)).toEqual([true, false, false, false, true]);
  });
});

describe('Kronecker factors B (x) A', () => {
  const LINEAR = [
    { title: 'tall', inputs: 2, widths: [3, 5, 6] },
    { title: 'wide', inputs: 6, widths: [5, 3, 2] },
    { title: 'square', inputs: 4, widths: [4, 4, 4] },
    { title: 'four layers with a bottleneck', inputs: 5, widths: [3, 1, 4, 3] },
  ].flatMap(({ title, inputs, widths }) =>
    [false, true].map((bias) => ({ title, bias, inputs, layers: widths.map((w) => dense(w, bias)) })),
  );

  it.each(LINEAR)(
    'are the Gauss-Newton blocks of a deep linear net for any batch, and empirical ones are not: $title, biases $bias',
    (row) => {
      const network = networkOf(row);
      const batch = batchFor(network, 'squared', 9);
      const exact = denseCurvatureOf(network, SQUARED, batch, 'ggn');
      const blocks = weightsOf(network).map((i) => selected(exact, entriesOfLayer(network, i)));
      for (const outputFactor of ['ggn', 'empirical'] as const) {
        pass(network, SQUARED, batch, { outputFactor });
        weightsOf(network).forEach((i, w) => {
          const product = kronecker(factorOf(network, i), secondMoment(inputsOf(network, i)));
          if (outputFactor === 'ggn') expectNear(product, blocks[w], 1e-13);
          else expect(maxAbsDiff(product, blocks[w]) / maxAbs(blocks[w])).toBeGreaterThan(0.1);
        });
      }
    },
  );

  const ONE_POSITION = PLAIN.filter(({ inputs, layers }) =>
    shapesOf(inputs, layers).every(
      ({ parameters, shape }) => parameters.length === 0 || typeof shape === 'number' || shape.height * shape.width === 1,
    ),
  );

  it.each(withLosses(ONE_POSITION))('are the blocks of any net for one datum, biases included: $title, $loss', ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 1);
    for (const kind of ['ggn', 'empirical'] as const) {
      const exact = denseCurvatureOf(network, PLAIN_LOSSES[loss].loss, batch, kind);
      pass(network, PLAIN_LOSSES[loss].loss, batch, { outputFactor: kind });
      for (const i of weightsOf(network))
        expectNear(kronecker(factorOf(network, i), secondMoment(inputsOf(network, i))), selected(exact, entriesOfLayer(network, i)), 1e-12);
    }
  });

  it('with B a mean over positions and A a sum over them are the blocks of linear 1 x 1 convolutions, each pixel a datum', () => {
    const network = networkOf({
      inputs: { height: 2, width: 3, channels: 4 },
      layers: [convolution(3, 1), convolution(2, 1), convolution(3, 1)],
    });
    const batch = batchFor(network, 'squared', 5);
    const exact = denseCurvatureOf(network, SQUARED, batch, 'ggn');
    pass(network, SQUARED, batch, { outputFactor: 'ggn' });
    for (const i of weightsOf(network)) {
      expect(network.stats[i]!.positions).toBe(6);
      expectNear(
        kronecker(factorOf(network, i), secondMoment(inputsOf(network, i), 5)),
        selected(exact, entriesOfLayer(network, i)),
        1e-12,
      );
    }
  });
});

describe('copies of one datum', () => {
  it.each(withLosses(PLAIN))('have the loss, gradients, factors and dense matrices of the one: $title, $loss', ({ loss, ...row }) => {
    const { loss: of } = PLAIN_LOSSES[loss];
    const measured = (copies: number) => {
      const network = networkOf(row);
      const one = batchFor(network, loss, 1);
      const batch = {
        inputs: build(copies, one.inputs.cols, (_, j) => one.inputs.data[j]),
        targets: build(copies, one.targets.cols, (_, j) => one.targets.data[j]),
      };
      return (['ggn', 'empirical'] as const).map((kind) => {
        const value = pass(network, of, batch, { outputFactor: kind, dense: kind });
        const { gradients, dense: matrix, stats } = network;
        return [
          Matrix.from([[value]]),
          matrix!.clone(),
          ...gradients.map((g) => g.clone()),
          ...stats.flatMap((s) => s?.outputFactor?.clone() ?? []),
        ];
      });
    };
    const [single, many] = [measured(1), measured(5)];
    single.forEach((matrices, kind) => matrices.forEach((m, k) => expectNear(many[kind][k], m, 1e-12)));
  });
});
