import { describe, expect, it } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { denseRows, Matrix } from '../../lib/linalg/index.js';
import { losses, type LossName } from '../../lib/losses/index.js';
import { denseCurvatureOf, sequential } from '../../lib/networks/index.js';
import { ekfac, type EkfacOptions } from '../../lib/optimizers/ekfac.js';
import { kfac } from '../../lib/optimizers/kfac.js';
import type { Batch, Loss, Network } from '../../lib/types.js';
import { build, combine, expectClose, expectOrthonormal, maxAbsDiff, multiply, transposed } from '../close.js';
import { evaluate, stepsOf } from '../fixtures.js';
import {
  batchFor,
  biasOf,
  blockOf,
  frobenius,
  gramOf,
  jointOf,
  kron,
  plusDiagonal,
  sceneOf,
  solveFor,
  times,
  weightsOf,
  withOnes,
} from './kroneckerByHand.js';

type Method = ReturnType<typeof ekfac>;
type State = ReturnType<Method['init']>;

/** A weight's Q_B, Q_A and Lambda (m x n), and the factors they are of. */
function heldOf(state: State, weight: number) {
  const { factors, preconditioner } = state.weights[weight]!;
  const { bases, scales } = preconditioner;
  const m = scales.value.rows;
  const identity = factors.outputIsIdentity === 1;
  return {
    qb: identity ? Matrix.identity(m) : bases.output.vectors.clone(),
    qa: bases.input.vectors.clone(),
    lambda: scales.value.clone(),
    b: identity ? Matrix.identity(m) : factors.output.value.clone(),
    a: factors.input.value.clone(),
  };
}

/** The m n x m n matrix Q diag(Lambda) Q', Q = Q_B (x) Q_A. */
function rescaled({ qb, qa, lambda }: Pick<ReturnType<typeof heldOf>, 'qb' | 'qa' | 'lambda'>): Matrix {
  const q = kron(qb, qa);
  return multiply(build(q.rows, q.cols, (i, j) => q.get(i, j) * lambda.data[j]), transposed(q)); // prettier-ignore
}

/** Mean over samples (and blocks) of vec(sum_t g_t a_t') vec(...)', by plain loops over what the layer reported. */
function blockOfRows(network: Network, weight: number): Matrix {
  const { outputRows, positions } = network.stats[weight]!;
  const inputs = denseRows(network.stats[weight]!.inputs);
  const a = biasOf(network, weight) < 0 ? inputs : withOnes(inputs);
  const [n, m, samples] = [a.cols, outputRows!.cols, a.rows / positions];
  const out = Matrix.zeros(m * n, m * n);
  for (let block = 0; block < outputRows!.rows / a.rows; block++)
    for (let i = 0; i < samples; i++) {
      const one = build(m, n, (r, c) => {
        let sum = 0;
        for (let t = i * positions; t < (i + 1) * positions; t++) sum += outputRows!.get(block * a.rows + t, r) * a.get(t, c);
        return sum;
      });
      for (let p = 0; p < m * n; p++) for (let q = 0; q < m * n; q++) out.data[p * m * n + q] += (one.data[p] * one.data[q]) / samples;
    }
  return out;
}

const gap = (x: Matrix, y: Matrix): number => frobenius(combine(1, x, -1, y));

interface Case {
  readonly title: string;
  readonly network: Network;
  readonly loss: Loss;
  readonly batch: Batch;
}

/** 4 x 3 images of 2 channels, through a convolution and then a dense layer. */
function convolutional(loss: LossName): Case {
  const network = sequential({
    inputs: { height: 4, width: 3, channels: 2 },
    layers: [
      { kind: 'convolution', channels: 3, kernel: 2, padding: 1, stride: 2 },
      { kind: 'activation', activation: 'tanh' },
      { kind: 'flatten' },
      { kind: 'dense', outputs: 3 },
    ],
    seed: 7,
  });
  return { title: `a convolution under ${loss}`, network, loss: losses[loss], batch: batchFor(network, loss, 9, 3) };
}

const cases: readonly Case[] = [
  ...(['squared', 'softmax-cross-entropy', 'logistic'] as const).flatMap((loss) =>
    [true, false].map((bias) => ({
      title: `dense layers ${bias ? 'with' : 'without'} biases under ${loss}`,
      ...sceneOf({ widths: [3, 4, 2, 3], loss, bias, samples: 12 }),
    })),
  ),
  convolutional('squared'),
  convolutional('softmax-cross-entropy'),
];

/** One step of ekfac. */
function stepped({ network, loss, batch }: Case, options: EkfacOptions): { steps: Matrix[]; state: State } {
  const optimizer = ekfac(options);
  const state = optimizer.init(network.params);
  evaluate(network, batch, optimizer.needs(1), loss);
  return { steps: stepsOf(optimizer, network, state), state };
}

describe('Lambda of ekfac', () => {
  it.each(cases)('is the diagonal of the exact block in the eigenbases, $title', (c) => {
    for (const outputFactor of ['ggn', 'empirical'] as const) {
      const dense = denseCurvatureOf(c.network, c.loss, c.batch, outputFactor);
      const { state } = stepped(c, { outputFactor });
      for (const w of weightsOf(c.network)) {
        const { qb, qa, lambda } = heldOf(state, w);
        expectOrthonormal(qb, 1e-13);
        expectOrthonormal(qa, 1e-13);
        const q = kron(qb, qa);
        const turned = multiply(transposed(q), multiply(blockOf(dense, c.network, w), q));
        expectClose(lambda, build(lambda.rows, lambda.cols, (i, j) => turned.get(i * lambda.cols + j, i * lambda.cols + j)), 1e-12); // prettier-ignore
      }
    }
  });

  it.each(cases)("is the mean of [(Q_B' g a' Q_A)_ij]^2 over the samples and their drawn labels, $title", (c) => {
    const { state } = stepped(c, { outputFactor: 'mc' });
    for (const w of weightsOf(c.network)) {
      const { qb, qa, lambda } = heldOf(state, w);
      const q = kron(qb, qa);
      const turned = multiply(transposed(q), multiply(blockOfRows(c.network, w), q));
      expectClose(lambda, build(lambda.rows, lambda.cols, (i, j) => turned.get(i * lambda.cols + j, i * lambda.cols + j)), 1e-12); // prettier-ignore
    }
  });

  it.each(cases)('is that of A in every row without an output factor, $title', (c) => {
    const { state } = stepped(c, { outputFactor: 'none' });
    for (const w of weightsOf(c.network)) {
      const { positions } = c.network.stats[w]!;
      const inputs = denseRows(c.network.stats[w]!.inputs);
      const { qa, lambda } = heldOf(state, w);
      const a = gramOf(biasOf(c.network, w) < 0 ? inputs : withOnes(inputs), positions / inputs.rows);
      const turned = multiply(transposed(qa), multiply(a, qa));
      expectClose(
        lambda,
        build(lambda.rows, lambda.cols, (_, j) => turned.get(j, j)),
        1e-12,
      );
    }
  });

  it('is summed over the batch where the factors are', () => {
    for (const outputFactor of ['ggn', 'none'] as const)
      for (const c of [cases[2], cases[6]]) {
        const [sum, mean] = (['sum', 'mean'] as const).map((factorScale) => stepped(c, { factorScale, outputFactor }).state);
        const samples = c.batch.inputs.rows;
        // The bases may differ in signs: nothing of Lambda does.
        for (const w of weightsOf(c.network)) expectClose(heldOf(sum, w).lambda, times(samples, heldOf(mean, w).lambda), 1e-11);
      }
  });
});

describe('the matrix of ekfac', () => {
  it.each(cases)("gives the step -rate (Q Lambda Q' + lambda I)^-1 V, $title", (c) => {
    for (const outputFactor of ['ggn', 'mc', 'empirical', 'none'] as const) {
      const { state, steps } = stepped(c, { learningRate: 0.3, damping: 0.05, outputFactor });
      for (const w of weightsOf(c.network)) {
        const v = jointOf(c.network, c.network.gradients, w);
        const expected = times(-0.3, solveFor(plusDiagonal(rescaled(heldOf(state, w)), 0.05), v));
        expectClose(jointOf(c.network, steps, w), expected, 1e-11);
      }
    }
  });

  it('is no farther from the exact block than B (x) A in the Frobenius norm, and mostly nearer', () => {
    let nearer = 0;
    let compared = 0;
    const compare = (c: Case, options: EkfacOptions, exact: (w: number) => Matrix): void => {
      const { state } = stepped(c, options);
      for (const w of weightsOf(c.network)) {
        const held = heldOf(state, w);
        const block = exact(w);
        const [ours, kroneckers] = [gap(rescaled(held), block), gap(kron(held.b, held.a), block)];
        expect(ours).toBeLessThanOrEqual(kroneckers * (1 + 1e-12) + 1e-12 * frobenius(block));
        compared++;
        if (ours < 0.98 * kroneckers) nearer++;
      }
    };
    for (let seed = 1; seed <= 12; seed++)
      for (const loss of ['squared', 'softmax-cross-entropy', 'logistic'] as const) {
        const activation = seed % 2 === 0 ? 'relu' : 'tanh';
        const c = { title: '', ...sceneOf({ widths: [3, 4, 2, 3], activation, loss, samples: 4 + seed, seed, bias: seed % 3 !== 0 }) };
        for (const kind of ['ggn', 'empirical'] as const) {
          const dense = denseCurvatureOf(c.network, c.loss, c.batch, kind);
          compare(c, { outputFactor: kind }, (w) => blockOf(dense, c.network, w));
        }
        compare(c, { outputFactor: 'mc' }, (w) => blockOfRows(c.network, w));
      }
    for (const c of [cases[6], cases[7]]) {
      const dense = denseCurvatureOf(c.network, c.loss, c.batch, 'ggn');
      compare(c, {}, (w) => blockOf(dense, c.network, w));
    }
    expect(nearer / compared).toBeGreaterThan(0.5);
  });

  it('is that of kfac where the block is a Kronecker product: a deep linear network under the squared loss', () => {
    const { network, loss, batch } = sceneOf({ activation: 'identity' });
    const [ours, kroneckers] = [ekfac({ damping: 0.05 }), kfac({ damping: 0.05, dampingKind: 'exact' })].map((optimizer) => {
      evaluate(network, batch, optimizer.needs(1), loss);
      return stepsOf(optimizer as Method, network);
    });
    ours.forEach((step, i) => expectClose(step, kroneckers[i], 1e-11));
  });
});

describe("Lambda's average", () => {
  const { network, loss } = sceneOf({ widths: [3, 4, 2], loss: 'logistic' });

  /** Q_B, Q_A, Lambda of the first weight after each of `count` steps, and each batch's moments in the bases of that step. */
  function run(options: EkfacOptions, count: number) {
    const optimizer = ekfac(options);
    const state = optimizer.init(network.params);
    return Array.from({ length: count }, (_, k) => {
      const batch = batchFor(network, 'logistic', 10, k + 1);
      const dense = denseCurvatureOf(network, loss, batch, 'ggn');
      evaluate(network, batch, optimizer.needs(k + 1), loss);
      stepsOf(optimizer, network, state, k + 1);
      const held = heldOf(state, 0);
      const q = kron(held.qb, held.qa);
      const turned = multiply(transposed(q), multiply(blockOf(dense, network, 0), q));
      const { rows, cols } = held.lambda;
      return { ...held, moments: build(rows, cols, (i, j) => turned.get(i * cols + j, i * cols + j)) };
    });
  }

  it('is bias-corrected, with a decay of its own, and begins anew with each new basis', () => {
    const seen = run({ factorDecay: 0.9, scaleDecay: 0.5, inversePeriod: 3 }, 6);
    for (const first of [0, 3]) {
      const [one, two, three] = seen.slice(first, first + 3);
      expectClose(one.lambda, one.moments, 1e-12);
      expectClose(two.lambda, combine(1 / 3, one.moments, 2 / 3, two.moments), 1e-12);
      expectClose(three.lambda, combine(1 / 7, one.moments, 1, combine(2 / 7, two.moments, 4 / 7, three.moments)), 1e-12);
      expect(maxAbsDiff(one.qa, three.qa)).toBe(0);
    }
    expect(maxAbsDiff(seen[0].qa, seen[3].qa)).toBeGreaterThan(1e-3);
  });

  it("decays as the factors' where not given", () => {
    const [one, two] = run({ factorDecay: 0.25, inversePeriod: 2 }, 2);
    expectClose(two.lambda, combine(0.2, one.moments, 0.8, two.moments), 1e-12);
  });

  it("is kfac's l_B l_A' from a new basis until the next batch is looked at", () => {
    const seen = run({ factorPeriod: 3, inversePeriod: 2 }, 7);
    // Step 3 has a renewal due, but the factors are those of step 1.
    expect(maxAbsDiff(seen[2].lambda, seen[0].lambda)).toBe(0);
    const { qb, qa, lambda, a, b } = seen[4];
    const [la, lb] = [multiply(transposed(qa), multiply(a, qa)), multiply(transposed(qb), multiply(b, qb))];
    expectClose(lambda, build(lambda.rows, lambda.cols, (i, j) => lb.get(i, i) * la.get(j, j)), 1e-12); // prettier-ignore
    expectClose(seen[6].lambda, seen[6].moments, 1e-12);
  });
});

describe('ekfac throws OptionsError', () => {
  it.each([
    [{ scaleDecay: 1 }, /ekfac: scaleDecay: must be less than 1; got 1/],
    [{ dampingKind: 'exact' }, /ekfac: dampingKind: unknown key/],
    [{ outputFactor: 'fisher' }, /ekfac: outputFactor: must be one of ggn, mc, empirical, none/],
  ])('for %j', (options, message) => {
    const call = (): unknown => ekfac(options as EkfacOptions);
    expect(call).toThrow(OptionsError);
    expect(call).toThrow(message);
  });
});
