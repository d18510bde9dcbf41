import { describe, expect, it } from 'vitest';
import { ArgumentError, NumericalError, OptionsError } from '../../lib/errors.js';
import { Matrix, solve, symmetricEigenvalues, syrk } from '../../lib/linalg/index.js';
import { denseCurvatureOf } from '../../lib/networks/index.js';
import { gaussNewton, type GaussNewtonOptions } from '../../lib/optimizers/gaussNewton.js';
import { Training } from '../../lib/train/index.js';
import type { Batch, Network } from '../../lib/types.js';
import { combine, expectClose, expectThrows, maxAbsDiff, multiply } from '../close.js';
import { contextOf, DENSE, batchOf, evaluate, smallNetwork, smallTask, stepsOf } from '../fixtures.js';
import { batchFor, frobenius, plusDiagonal, sceneOf, times, type Scene } from './kroneckerByHand.js';

/** mean_i J_i' J_i with every column of the Jacobian by central differences. */
function byDifferences(network: Network, { inputs }: Batch): Matrix {
  const columns: Float64Array[] = [];
  const h = 1e-5;
  for (const { value } of network.params)
    for (let i = 0; i < value.data.length; i++) {
      const at = value.data[i];
      const outputs = [h, -h].map((step) => {
        value.data[i] = at + step;
        return network.predict(inputs);
      });
      value.data[i] = at;
      columns.push(Float64Array.from(outputs[0].data, (x, k) => (x - outputs[1].data[k]) / (2 * h)));
    }
  const jacobian = Matrix.from(columns); // p x (n y)
  return syrk(jacobian, { alpha: 1 / inputs.rows });
}

describe('the dense Gauss-Newton matrix', () => {
  it.each(['identity', 'relu', 'tanh'] as const)("is mean J'J with the Jacobian of finite differences, for %s", (activation) => {
    const network = smallNetwork({ activation });
    const batch = batchOf(smallTask(), 12);
    evaluate(network, batch, DENSE);
    expectClose(network.dense!, byDifferences(network, batch), 1e-8);
  });

  it('has the layer-wise factors as its diagonal blocks for a linear network: P_G (x) Q_G exactly', () => {
    const network = smallNetwork();
    const batch = batchOf(smallTask(), 20);
    evaluate(network, batch, DENSE);
    const p = network.stats[0]!.outputFactor!;
    const q = syrk(batch.inputs, { transpose: true, alpha: 1 / 20 });
    const block = Matrix.zeros(27, 27);
    const kronecker = Matrix.zeros(27, 27);
    for (let i = 0; i < 27; i++)
      for (let j = 0; j < 27; j++) {
        block.data[i * 27 + j] = network.dense!.get(i, j);
        kronecker.data[i * 27 + j] = p.get(Math.floor(i / 9), Math.floor(j / 9)) * q.get(i % 9, j % 9);
      }
    expectClose(block, kronecker, 1e-13);
  });

  it('has the k^2 null directions F -> F A^-1, G -> A G', () => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 200), DENSE);
    const values = symmetricEigenvalues(network.dense!);
    expect(values[8]).toBeLessThan(1e-12 * values.at(-1)!);
    expect(values[9]).toBeGreaterThan(1e-6 * values.at(-1)!);
  });

  it('throws ArgumentError through batch-norm', () => {
    expect(() => evaluate(smallNetwork({ batchNorm: true }), batchOf(smallTask(), 12), DENSE)).toThrow(/not defined through batch-norm/);
  });
});

describe('gaussNewton', () => {
  it('steps by -learningRate (C + damping I)^-1 g over both layers jointly', () => {
    const network = smallNetwork({ activation: 'tanh' });
    evaluate(network, batchOf(smallTask(), 30), DENSE);
    const steps = stepsOf(gaussNewton({ learningRate: 0.5, damping: 0.01 }), network);
    const p = 27 + 15;
    const damped = network.dense!.clone();
    for (let i = 0; i < p; i++) damped.data[i * p + i] += 0.01;
    const g = Float64Array.from([...network.gradients[0].data, ...network.gradients[1].data]);
    const expected = solve(damped, Matrix.wrap(g, p, 1)).data.map((x) => -0.5 * x);
    expectClose([...steps[0].data, ...steps[1].data], expected, 1e-11);
  });

  it('with rates by layer and schedules scales the joint solution layer by layer', () => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 30), DENSE);
    const ramp = gaussNewton({ learningRate: [{ at: (t) => 0.6 / t }, 0.2] });
    const [g, f] = stepsOf(ramp, network, ramp.init(network.params), 3);
    const whole = stepsOf(gaussNewton({ learningRate: 1 }), network);
    expectClose(g, times(0.2, whole[0]), 1e-14);
    expectClose(f, times(0.2, whole[1]), 1e-14);
    expectClose(stepsOf(ramp, network, ramp.init(network.params), 1)[0], times(0.6, whole[0]), 1e-14);
  });

  it('throws ArgumentError where the dense matrix was not reported', () => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 30));
    expectThrows(() => stepsOf(gaussNewton(), network), ArgumentError, 'ERR_ARGUMENT', /gaussNewton: the network did not report its dense/);
  });

  it('notes for all parameters that the factorisation needed more damping, and counts it', () => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 30), DENSE);
    const optimizer = gaussNewton({ damping: 1e-18 });
    const state = optimizer.init(network.params);
    for (const step of [4, 5]) stepsOf(optimizer, network, state, step);
    expect(optimizer.inspect!(state, 0)).toMatchObject({ damping: 1e-18, clipped: 9, fallbacks: 2 });
    const [first] = contextOf(network, 5).events;
    expect(first.parameter).toBe('all parameters');
    expect(first.message).toBe('factorisation failed with damping 1e-18 and ten times that: eigen-decomposition, 9 eigenvalues clipped');
  });

  it('throws NumericalError NOT_FINITE, with either solver, rather than to step by NaN', () => {
    for (const solver of ['dense', 'cg'] as const) {
      const network = smallNetwork();
      const optimizer = gaussNewton({ solver });
      evaluate(network, batchOf(smallTask(), 30), optimizer.needs(1));
      network.gradients[0].data[4] = NaN;
      expectThrows(() => stepsOf(optimizer, network), NumericalError, 'NOT_FINITE', /NaN or infinity/);
    }
  });

  it('keeps no p x p matrix in a checkpoint: nothing of one step is needed in the next', () => {
    const training = new Training({ task: smallTask(), network: smallNetwork(), optimizer: gaussNewton(), batch: 20, steps: 2 });
    training.advance(1);
    const { arrays } = training.checkpoint();
    const own = Object.keys(arrays).filter((name) => name.startsWith('optimizer/'));
    expect(own).toEqual(['optimizer/damping', 'optimizer/clipped', 'optimizer/fallbacks']);
  });
});

describe('gaussNewton with conjugate gradients', () => {
  const flat = (list: readonly Matrix[]): Matrix => Matrix.from(list.flatMap((m) => Array.from(m.data, (x) => [x])));

  function run({ network, batch, loss }: Scene, options: GaussNewtonOptions): { step: Matrix; report: Readonly<Record<string, number>> } {
    const optimizer = gaussNewton(options);
    const state = optimizer.init(network.params);
    evaluate(network, batch, optimizer.needs(1), loss);
    const step = flat(stepsOf(optimizer, network, state));
    return { step, report: optimizer.inspect!(state, 0) };
  }

  const scenes = (['squared', 'softmax-cross-entropy', 'logistic'] as const).flatMap((loss) =>
    (['identity', 'relu', 'tanh'] as const).map((activation) => ({ loss, activation })),
  );

  it.each(scenes)('takes the step of the dense solver, which never forms the matrix, for $activation under $loss', (options) => {
    const scene = sceneOf({ widths: [3, 4, 3], ...options });
    const common = { learningRate: 0.3, damping: 0.05 };
    const exact = run(scene, common).step;
    const { step, report } = run(scene, { ...common, solver: 'cg', iterations: 200, tolerance: 1e-13 });
    expectClose(step, exact, 1e-11);
    expect(report['residual']).toBeLessThanOrEqual(1e-13);
  });

  it('asks for products and not for the matrix', () => {
    const needs = gaussNewton({ solver: 'cg' }).needs(1);
    expect(needs).toMatchObject({ dense: 'none', inputs: false, outputFactor: 'none' });
    expect(gaussNewton({ solver: 'cg' }).order).toBe('simultaneous');
  });

  it('cut short tells the residual |g - (C + damping I) x| / |g| of the step it takes', () => {
    const scene = sceneOf({ widths: [3, 4, 3] });
    const dense = plusDiagonal(denseCurvatureOf(scene.network, scene.loss, scene.batch, 'ggn'), 0.05);
    const { step, report } = run(scene, { learningRate: 1, damping: 0.05, solver: 'cg', iterations: 4, tolerance: 1e-13 });
    const g = flat(scene.network.gradients);
    const residual = combine(1, g, 1, multiply(dense, step));
    expect(report['iterations']).toBe(4);
    expect(report['residual']).toBeCloseTo(frobenius(residual) / frobenius(g), 12);
    expect(report['residual']).toBeGreaterThan(1e-3);
  });

  it('starts at warmStart times the last solution: one iteration on from there is the textbook one', () => {
    const scene = sceneOf({ widths: [3, 4, 3] });
    const { network, loss } = scene;
    for (const warmStart of [0, 0.7, 1]) {
      const optimizer = gaussNewton({ learningRate: 1, damping: 0.05, solver: 'cg', iterations: 1, tolerance: 1e-13, warmStart });
      const state = optimizer.init(network.params);
      let x = times(0, flat(network.gradients));
      for (let t = 1; t <= 3; t++) {
        const batch = batchFor(network, 'squared', 20, t);
        const dense = plusDiagonal(denseCurvatureOf(network, loss, batch, 'ggn'), 0.05);
        evaluate(network, batch, optimizer.needs(t), loss);
        const step = flat(stepsOf(optimizer, network, state, t));
        x = times(warmStart, x);
        const r = combine(1, flat(network.gradients), -1, multiply(dense, x));
        const curved = multiply(dense, r);
        let [square, curvature] = [0, 0];
        r.data.forEach((value, i) => {
          square += value * value;
          curvature += value * curved.data[i];
        });
        x = combine(1, x, square / curvature, r);
        expectClose(step, times(-1, x), 1e-12);
      }
    }
  });

  it('from a warm start on the same batch is done at once', () => {
    const scene = sceneOf({ widths: [3, 4, 3] });
    const { network, batch, loss } = scene;
    const optimizer = gaussNewton({ solver: 'cg', warmStart: 1, damping: 0.05, iterations: 200 });
    const state = optimizer.init(network.params);
    evaluate(network, batch, optimizer.needs(1), loss);
    const first = stepsOf(optimizer, network, state);
    expect(optimizer.inspect!(state, 0)['iterations']).toBeGreaterThan(5);
    const second = stepsOf(optimizer, network, state, 2);
    expect(optimizer.inspect!(state, 0)['iterations']).toBe(0);
    first.forEach((step, i) => expect(maxAbsDiff(step, second[i])).toBe(0));
  });

  it('throws ArgumentError through batch-norm', () => {
    const network = smallNetwork({ batchNorm: true });
    const optimizer = gaussNewton({ solver: 'cg' });
    const call = (): unknown => {
      evaluate(network, batchOf(smallTask(), 30), optimizer.needs(1));
      return stepsOf(optimizer, network);
    };
    expectThrows(call, ArgumentError, 'ERR_ARGUMENT', /not defined through batch-norm/);
  });

  it.each([
    [{ damping: 0 }, /gaussNewton: damping: must be greater than 0; got 0/],
    [{ warmStart: 1.5 }, /gaussNewton: warmStart: must be at most 1; got 1.5/],
    [{ solver: 'lu' }, /gaussNewton: solver: must be one of dense, cg; got "lu"/],
    [{ iterations: 0 }, /gaussNewton: iterations: must be at least 1; got 0/],
    [{ tolerance: 0 }, /gaussNewton: tolerance: must be greater than 0/],
  ])('throws OptionsError for %j', (options, message) => {
    const call = (): unknown => gaussNewton(options as GaussNewtonOptions);
    expect(call).toThrow(OptionsError);
    expect(call).toThrow(message);
  });
});
