import { describe, expect, it } from 'vitest';
import { Matrix, axpby, gemm, leastSquares, scale, solve, syrk, transpose } from '../../lib/linalg/index.js';
import { layerwise } from '../../lib/optimizers/index.js';
import { subspaceDistance } from '../../lib/metrics/index.js';
import { train } from '../../lib/train/index.js';
import { linearRepresentation } from '../../lib/data/index.js';
import { twoLayer } from '../../lib/networks/index.js';
import type { Network } from '../../lib/types.js';
import { expectClose, multiply, random, transposed, combine } from '../close.js';
import { batchOf, contextOf, evaluate, smallNetwork, smallTask, stepsOf } from '../fixtures.js';

/** (P + lp I)^-1 V (Q + lq I)^-1 the slow way: the Kronecker matrix of the row-major weight, formed and solved. */
function kroneckerSolve(p: Matrix, q: Matrix, v: Matrix, lp: number, lq: number): Matrix {
  const [m, n] = [v.rows, v.cols];
  const k = Matrix.zeros(m * n, m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let a = 0; a < m; a++)
        for (let b = 0; b < n; b++)
          k.data[(i * n + j) * m * n + a * n + b] = (p.get(i, a) + (i === a ? lp : 0)) * (q.get(j, b) + (j === b ? lq : 0));
  return Matrix.wrap(solve(k, Matrix.wrap(Float64Array.from(v.data), m * n, 1)).data, m, n);
}

const gram = (x: Matrix): Matrix => syrk(x, { transpose: true, alpha: 1 / x.rows });
const headOf = (network: Network): Matrix => network.params.at(-1)!.value;

describe('layerwise', () => {
  it.each(['identity', 'relu', 'tanh'] as const)('equals the dense Kronecker solve of both layers of a network with %s', (activation) => {
    const network = smallNetwork({ activation });
    const batch = batchOf(smallTask(), 40);
    evaluate(network, batch);
    const steps = stepsOf(layerwise({ learningRate: [0.3, 0.7], damping: [0.01, 0.02], outputDamping: 0.05 }), network);

    const h = multiply(batch.inputs, transposed(network.features));
    const slope = { identity: () => 1, relu: (x: number) => (x > 0 ? 1 : 0), tanh: (x: number) => 1 - Math.tanh(x) ** 2 }[activation];
    const f = headOf(network);
    // mean_i D_i F'F D_i, sample by sample
    const p = Matrix.zeros(3, 3);
    for (let i = 0; i < h.rows; i++) {
      const jacobian = f.clone();
      for (let r = 0; r < 5; r++) for (let c = 0; c < 3; c++) jacobian.data[r * 3 + c] *= slope(h.get(i, c));
      axpby(1 / h.rows, multiply(transposed(jacobian), jacobian), 1, p);
    }
    expectClose(steps[0], scale(-0.3, kroneckerSolve(p, gram(batch.inputs), network.gradients[0], 0.05, 0.01)), 1e-12);
    const active = h.clone();
    const s = { identity: (x: number) => x, relu: (x: number) => Math.max(0, x), tanh: Math.tanh }[activation];
    active.data.forEach((x, i) => (active.data[i] = s(x)));
    expectClose(steps[1], scale(-0.7, kroneckerSolve(Matrix.zeros(5, 5), gram(active), network.gradients[1], 1, 0.02)), 1e-12);
  });

  it("is (F'F)^-1 grad_G Q^-1 on the features of y = F G x", () => {
    const network = smallNetwork();
    const batch = batchOf(smallTask(), 50);
    evaluate(network, batch);
    const [step] = stepsOf(layerwise({ learningRate: 1, damping: 0 }), network);
    const left = solve(gram(scale(Math.sqrt(5), headOf(network).clone())), network.gradients[0]);
    expectClose(step, scale(-1, transpose(solve(gram(batch.inputs), transpose(left)))), 1e-11);
  });

  it('reaches the least-squares head in one step with rate 1 and no damping', () => {
    const network = smallNetwork();
    const batch = batchOf(smallTask(), 60);
    evaluate(network, batch);
    const steps = stepsOf(layerwise({ learningRate: 1, damping: 0 }), network);
    const z = gemm(batch.inputs, network.features, { transposeB: true });
    const best = transpose(leastSquares(z, batch.targets).solution);
    expectClose(combine(1, headOf(network), 1, steps[1]), best, 1e-11);
  });

  it('is equivariant: x -> M x with G -> G M^-1 leaves the trajectory of F G M the same', () => {
    const task = smallTask();
    const m = combine(1, Matrix.identity(9), 0.2, random(9, 9));
    const [plain, mapped] = [smallNetwork(), smallNetwork()];
    mapped.features.data.set(transpose(solve(transpose(m), transpose(plain.features))).data);
    const optimizer = layerwise({ learningRate: 0.4, damping: 0 });
    const states = [optimizer.init(plain.params), optimizer.init(mapped.params)];
    for (let t = 1; t <= 5; t++) {
      const batch = batchOf(task, 50, t);
      const turned = { inputs: multiply(batch.inputs, transposed(m)), targets: batch.targets };
      for (const [network, state, b] of [
        [plain, states[0], batch],
        [mapped, states[1], turned],
      ] as const) {
        evaluate(network, b);
        stepsOf(optimizer, network, state, t).forEach((s, i) => axpby(1, s, 1, network.params[i].value));
      }
      expectClose(multiply(mapped.features, m), plain.features, 1e-9);
      expectClose(headOf(mapped), headOf(plain), 1e-9);
    }
  });

  it('averages its factors with bias correction: w <- decay w + 1, F <- (1 - 1/w) F + F_batch / w', () => {
    const network = smallNetwork();
    const optimizer = layerwise({ learningRate: 1, damping: 0.1, outputFactor: 'none', factorDecay: 0.5 });
    const state = optimizer.init(network.params);
    const grams = [1, 2, 3].map((t) => {
      const batch = batchOf(smallTask(), 30, t);
      evaluate(network, batch, optimizer.needs(t));
      const [step] = stepsOf(optimizer, network, state, t);
      return { step, q: gram(batch.inputs), v: network.gradients[0].clone() };
    });
    // weights 1; then 1/3, 2/3; then 1/7, 2/7, 4/7
    const average = combine(1 / 7, grams[0].q, 1, combine(2 / 7, grams[1].q, 4 / 7, grams[2].q));
    expectClose(grams[2].step, scale(-1, kroneckerSolve(Matrix.zeros(3, 3), average, grams[2].v, 1, 0.1)), 1e-11);
  });

  it("takes plain gradient steps on batch-norm's parameters and decays weights decoupled", () => {
    const network = smallNetwork({ batchNorm: true });
    evaluate(network, batchOf(smallTask(), 30));
    const steps = stepsOf(layerwise({ learningRate: 0.1, weightDecay: 0.5 }), network);
    const bare = stepsOf(layerwise({ learningRate: 0.1 }), network);
    expectClose(bare[1], scale(-0.1, network.gradients[1].clone()), 1e-15);
    network.params.forEach(({ value }, i) => expectClose(steps[i], combine(1, bare[i], -0.05, value), 1e-14));
  });

  it('throws NumericalError when a factor is singular and undamped', () => {
    const network = smallNetwork();
    evaluate(network, batchOf(smallTask(), 4));
    const optimizer = layerwise({ damping: 0 });
    expect(() => {
      optimizer.update(contextOf(network), optimizer.init(network.params), [network.features.clone(), headOf(network).clone()], [0]);
    }).toThrow(/not positive definite; add damping/);
  });
});

describe('the paper: layer-wise preconditioning makes the rate free of conditioning', () => {
  const run = (condition: number, learningRate: number[], steps: number, every: number): number[] => {
    const task = linearRepresentation({ noise: 0, covariance: { family: 'log', condition } });
    const network = twoLayer({ inputs: 100, hidden: 8, outputs: 15, seed: 1 });
    const optimizer = layerwise({ learningRate, damping: 0 });
    const record = train({ task, network, optimizer, order: 'alternating', steps, every, metrics: { distance: subspaceDistance(task) } });
    expect(record.status).toBe('done');
    return record.metrics['distance'].values;
  };

  it('noiseless, kappa = 100, eta_G = 0.3, eta_F = 1: the subspace distance is below 1e-12 within 150 steps', () => {
    expect(run(100, [0.3, 1], 150, 150).at(-1)).toBeLessThan(1e-12);
  });

  it.each([0.1, 0.3, 0.5].flatMap((eta) => [1, 100, 1e4].map((condition) => ({ eta, condition }))))(
    'noiseless: the distance contracts by 1 - $eta a step at kappa = $condition, within 2%',
    ({ eta, condition }) => {
      const distances = run(condition, [eta, 1], 150, 1);
      const factors = distances.slice(1).flatMap((d, i) => (distances[i] < 0.1 && d > 1e-11 ? [d / distances[i]] : []));
      expect(factors.length).toBeGreaterThan(10);
      for (const factor of factors) expect(Math.abs(factor / (1 - eta) - 1)).toBeLessThan(0.02);
    },
  );
});
