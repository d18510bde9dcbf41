import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { denseCurvatureOf, jacobian } from '../../lib/networks/index.js';
import type { Network } from '../../lib/types.js';
import { expectClose, expectThrows, multiply, random, transposed } from '../close.js';
import {
  CASES,
  LOSS_NAMES,
  MIXING,
  NEEDS,
  PLAIN,
  PLAIN_LOSSES,
  activation,
  batchFor,
  convolution,
  dense,
  every,
  expectMean,
  expectNear,
  flatten,
  jacobianByDifferences,
  labels,
  layerNorm,
  networkOf,
  pass,
  rowOf,
  sandwich,
} from './cases.js';

const withLosses = <T extends object>(cases: readonly T[]) => cases.flatMap((row) => LOSS_NAMES.map((loss) => ({ ...row, loss })));

describe('jacobian', () => {
  it.each(CASES)('is that of finite differences, a row an output of a sample, in training mode: $title', (row) => {
    const network = networkOf(row);
    const inputs = random(3, network.inputs);
    expectNear(jacobian(network, inputs), jacobianByDifferences(network, inputs), 1e-9);
  });

  it('leaves running statistics alone', () => {
    const network = networkOf(MIXING[0]);
    const [[name, running]] = Object.entries(network.state);
    network.forward(random(5, 4));
    const before = running.clone();
    jacobian(network, random(5, 4, 'float64', 2));
    denseCurvatureOf(network, PLAIN_LOSSES.squared.loss, batchFor(network, 'squared', 5), 'ggn');
    expectClose(network.state[name], before, 0);
  });
});

describe('denseCurvatureOf', () => {
  it.each(withLosses(CASES))("is mean J'HJ or mean (J'r)(J'r)', all from differences and formulas: $title, $loss", ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 3);
    const outputs = network.forward(batch.inputs, false).clone();
    const j = jacobianByDifferences(network, batch.inputs);
    const of = PLAIN_LOSSES[loss];
    const hessians = [0, 1, 2].map((i) => of.hessian(rowOf(outputs, i)));
    const squares = [0, 1, 2].map((i) => {
      const r = Matrix.from([of.gradient(rowOf(outputs, i), rowOf(batch.targets, i))]);
      return multiply(transposed(r), r);
    });
    expectNear(denseCurvatureOf(network, of.loss, batch, 'ggn'), sandwich(j, hessians), 1e-9);
    expectNear(denseCurvatureOf(network, of.loss, batch, 'empirical'), sandwich(j, squares), 1e-9);
  });

  it('throws ArgumentError for another kind', () => {
    const network = networkOf(PLAIN[0]);
    const call = (): unknown => denseCurvatureOf(network, PLAIN_LOSSES.squared.loss, batchFor(network, 'squared', 2), 'mc' as 'ggn');
    expectThrows(call, ArgumentError, 'ERR_ARGUMENT', /kind must be one of ggn, empirical; got mc/);
  });
});

describe('the dense matrix a report gives', () => {
  it.each(withLosses(PLAIN))('is denseCurvatureOf, symmetric, also when asked for again: $title, $loss', ({ loss, ...row }) => {
    const network = networkOf(row);
    const of = PLAIN_LOSSES[loss].loss;
    for (const n of [5, 3])
      for (const kind of ['ggn', 'empirical'] as const) {
        const batch = batchFor(network, loss, n);
        const reference = denseCurvatureOf(network, of, batch, kind);
        // With and without factors, whose passes share buffers with those of the matrix.
        for (const outputFactor of ['none', 'ggn', 'mc'] as const) {
          pass(network, of, batch, { outputFactor, dense: kind });
          expectNear(network.dense!, reference, 1e-12);
          expectClose(network.dense!, transposed(network.dense!), 0);
        }
      }
    pass(network, of, batchFor(network, loss, 3));
    expect(network.dense).toBeNull();
  });

  it.each(withLosses(PLAIN))('covers all parameters, whichever were asked for: $title, $loss', ({ loss, ...row }) => {
    const network = networkOf(row);
    const batch = batchFor(network, loss, 3);
    const reference = denseCurvatureOf(network, PLAIN_LOSSES[loss].loss, batch, 'ggn');
    pass(network, PLAIN_LOSSES[loss].loss, batch, { dense: 'ggn' }, [network.params.length - 1]);
    expectNear(network.dense!, reference, 1e-12);
  });

  const SAMPLED = [
    { title: 'a linear net', inputs: 2, layers: [dense(2, false), dense(2, false)] },
    { title: 'a net with layer-norm', inputs: 2, layers: [dense(2), layerNorm, activation('tanh'), dense(2)] },
    {
      title: 'a convolution',
      inputs: { height: 3, width: 2, channels: 1 },
      layers: [convolution(2, 2), activation('tanh'), flatten, dense(2)],
    },
  ] as const;

  it.each(withLosses(SAMPLED))(
    'with sampled labels is the exact one in the mean of 2000 draws: $title, $loss',
    ({ loss, inputs, layers }) => {
      const network = networkOf({ inputs, layers: [...layers] });
      const of = PLAIN_LOSSES[loss].loss;
      const batch = batchFor(network, loss, 3);
      const reference = denseCurvatureOf(network, of, batch, 'ggn');
      pass(network, of, batch);
      const request = { needs: { ...NEEDS, dense: 'mc' }, loss: of, stream: labels() } as const;
      const draws = Array.from({ length: 2000 }, () => {
        network.report(request, every(network));
        return network.dense!.data.slice();
      });
      expectMean(draws, reference.data, 0.12);
    },
  );

  it.each(MIXING.flatMap((row) => (['ggn', 'mc', 'empirical'] as const).map((kind) => ({ ...row, kind }))))(
    'throws ArgumentError through batch-norm: $title, $kind',
    ({ kind, ...row }) => {
      const network = networkOf(row);
      const call = (): unknown => pass(network, PLAIN_LOSSES.squared.loss, batchFor(network, 'squared', 4), { dense: kind });
      expectThrows(
        call,
        ArgumentError,
        'ERR_ARGUMENT',
        /dense curvature matrix is not defined through batch-norm.*use a network without it/,
      );
    },
  );

  it.each(PLAIN)('in float32 is that of float64 to its precision: $title', (row) => {
    const [double, single] = [networkOf(row), networkOf(row, 'float32')];
    double.params.forEach(({ value }, i) => single.params[i].value.data.set(value.data));
    const { inputs, targets } = batchFor(double, 'squared', 4);
    const needs = { dense: 'ggn', outputFactor: 'ggn', outputRows: true } as const;
    pass(double, PLAIN_LOSSES.squared.loss, { inputs, targets }, needs);
    pass(single, PLAIN_LOSSES.squared.loss, { inputs: inputs.clone('float32'), targets: targets.clone('float32') }, needs);
    expect(single.dense!.dtype).toBe('float32');
    expectClose(single.dense!, double.dense!, 3e-5);
    single.stats.forEach((s, i) => {
      const factor = s?.outputFactor;
      if (factor) expectClose(factor, double.stats[i]!.outputFactor!, 3e-5);
    });
  });
});

describe('curvatureTimes', () => {
  const directionFor = (network: Network, seed: number): Matrix[] =>
    network.params.map(({ value: { rows, cols } }, i) => random(rows, cols, 'float64', seed + i));
  const likeParams = (network: Network): Matrix[] => network.params.map(({ value: { rows, cols } }) => Matrix.zeros(rows, cols));
  const joined = (parts: readonly Matrix[]): Matrix => {
    const data = Float64Array.from(parts.flatMap((m) => Array.from(m.data)));
    return Matrix.wrap(data, data.length, 1);
  };

  it.each(withLosses(PLAIN))('is the dense matrix times the direction, and leaves gradients alone: $title, $loss', ({ loss, ...row }) => {
    const network = networkOf(row);
    const of = PLAIN_LOSSES[loss].loss;
    const out = likeParams(network);
    for (const n of [4, 2]) {
      const batch = batchFor(network, loss, n);
      const matrix = denseCurvatureOf(network, of, batch, 'ggn');
      pass(network, of, batch, { outputFactor: 'ggn' });
      const gradients = network.gradients.map((g) => g.clone());
      for (const seed of [20, 40]) {
        const direction = directionFor(network, seed);
        const given = joined(direction);
        network.curvatureTimes(direction, of, out);
        expectNear(joined(out), multiply(matrix, given), 1e-12);
        expectClose(joined(direction), given, 0);
      }
      network.gradients.forEach((g, i) => expectClose(g, gradients[i], 0));
    }
  });

  it.each(PLAIN)('takes and gives all parameters, whichever the last pass was for: $title', (row) => {
    const network = networkOf(row);
    const of = PLAIN_LOSSES.squared.loss;
    const batch = batchFor(network, 'squared', 3);
    const matrix = denseCurvatureOf(network, of, batch, 'ggn');
    const [out, direction] = [likeParams(network), directionFor(network, 20)];
    for (const one of every(network)) {
      pass(network, of, batch, {}, [one]);
      out.forEach((m) => m.data.fill(NaN));
      network.curvatureTimes(direction, of, out);
      expectNear(joined(out), multiply(matrix, joined(direction)), 1e-12);
    }
  });

  it.each(MIXING)('throws ArgumentError through batch-norm: $title', (row) => {
    const network = networkOf(row);
    pass(network, PLAIN_LOSSES.squared.loss, batchFor(network, 'squared', 4));
    const call = (): unknown => network.curvatureTimes(directionFor(network, 1), PLAIN_LOSSES.squared.loss, likeParams(network));
    expectThrows(call, ArgumentError, 'ERR_ARGUMENT', /Gauss-Newton matrix are not defined through batch-norm.*use a network without it/);
  });
});
