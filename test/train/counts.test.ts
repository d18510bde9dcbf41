/**
 * What a step of training costs, counted and not timed: calls of the native layer, matrices made, bytes copied by JavaScript, and the
 * operations asked of BLAS and of the sign kernels, against the formulas of the algorithm. A change that costs more has to say so here.
 */
import { expect, it } from 'vitest';
import { linearRepresentation } from '../../lib/data/index.js';
import { Matrix } from '../../lib/linalg/index.js';
import { subspaceDistance } from '../../lib/metrics/index.js';
import { native, type Native } from '../../lib/native/index.js';
import { twoLayer } from '../../lib/networks/index.js';
import { adam, kfac, layerwise, sgd } from '../../lib/optimizers/index.js';
import { Training } from '../../lib/train/index.js';
import type { Optimizer, Order } from '../../lib/types.js';
import { matricesMadeBy } from '../optimizers/byHand.js';

const [D, M, K, N] = [100, 15, 8, 1024];

interface Cost {
  /** Calls by operation. */
  readonly calls: Readonly<Record<string, number>>;
  readonly matrices: number;
  readonly bytesCopied: number;
  /** Multiply-adds of gemm and syrk, and the n^3/3 of Cholesky factorisations. */
  readonly multiplyAdds: number;
  /** Additions of products with signs, tables apart. */
  readonly additions: number;
  /** Pairs of bits compared. */
  readonly bits: number;
}

const third = (n: number): number => Math.round(n ** 3 / 3);

/** Operations of one call, by its shapes. */
function operations(op: string, shape: readonly number[]): Partial<Record<'multiplyAdds' | 'additions' | 'bits', number>> {
  switch (op) {
    case 'gemm':
      return { multiplyAdds: shape[2] * shape[3] * shape[4] };
    case 'syrk':
      return { multiplyAdds: (shape[1] ** 2 * shape[2]) / 2 };
    case 'potrf':
      return { multiplyAdds: third(shape[0]) };
    case 'dampedSolve':
      return { multiplyAdds: third(shape[1]) + shape[1] ** 2 * shape[2] };
    case 'potrs':
      return { multiplyAdds: shape[2] ** 2 * shape[3] };
    case 'signProduct':
      return { additions: shape[0] * Math.ceil(shape[1] / 5) * shape[2] };
    case 'signGram':
      return { bits: (shape[0] ** 2 * shape[1]) / 2 };
    default:
      return {};
  }
}

function costOf(call: () => void): Cost {
  const cost = { calls: {} as Record<string, number>, matrices: 0, bytesCopied: 0, multiplyAdds: 0, additions: 0, bits: 0 };
  const table = native as unknown as Record<string, (...args: unknown[]) => unknown>;
  const plain = { ...table };
  const arrays = Object.getPrototypeOf(Float64Array.prototype) as Float64Array;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own receiver below
  const { set } = arrays;
  for (const [op, run] of Object.entries(plain))
    table[op] = (...args) => {
      cost.calls[op] = (cost.calls[op] ?? 0) + 1;
      for (const [what, count] of Object.entries(operations(op, args[0] instanceof Int32Array ? Array.from(args[0]) : [])))
        cost[what as 'bits'] += count;
      return run(...args);
    };
  arrays.set = function (this: Float64Array, source: ArrayLike<number>, at?: number): void {
    cost.bytesCopied += source.length * this.BYTES_PER_ELEMENT;
    set.call(this, source, at);
  };
  try {
    cost.matrices = matricesMadeBy(call);
  } finally {
    Object.assign(table, plain);
    arrays.set = set;
  }
  return cost;
}

function stepCost(optimizer: Optimizer, order: Order): Cost {
  const task = linearRepresentation({ inputs: D, outputs: M, rank: K });
  const network = twoLayer({ inputs: D, hidden: K, outputs: M });
  const training = new Training({
    task,
    network,
    optimizer,
    order,
    batch: N,
    steps: 1000,
    every: 1000,
    metrics: { d: subspaceDistance(task) },
  });
  training.advance(3);
  return costOf(() => training.advance(1));
}

/** The parts of a step. */
const colour = D * D * K; // of a weight's rows, or its gradient's
const head = N * M * K; // outputs, their targets, the head's gradient, or what comes down to the features
const signs = N * Math.ceil(D / 5) * K; // features of the teacher, or of the student
const signsBack = D * Math.ceil(N / 5) * K; // the features' gradient
const parameters = 8 * (K * D + M * K);
/** Of a sample and the passes of one turn: both gradients. */
const both = { signs: 1, normal: 1, transposeSigns: 1, signProduct: 3, squaredLoss: 1 } satisfies Partial<Record<keyof Native, number>>;

it.each([
  ['SGD', sgd(), { axpby: 6 }],
  ['Adam', adam(), { adam: 2, axpby: 2 }],
] as const)('a step of %s costs its products with weights, and nothing of order n d^2', (_, optimizer, own) => {
  expect(stepCost(optimizer, 'simultaneous')).toEqual({
    calls: { ...both, gemm: 6, ...own },
    matrices: 0,
    bytesCopied: 8 * K * D, // the features' gradient, kept to see whether it stays as it was
    multiplyAdds: 4 * head + 2 * colour,
    additions: 2 * signs + signsBack,
    bits: 0,
  });
});

it('a layer-wise step takes a second pass, counts its Gram matrix, and solves', () => {
  expect(stepCost(layerwise({ outputFactor: 'ggn' }), 'alternating')).toEqual({
    calls: { ...both, signProduct: 4, squaredLoss: 2, gemm: 10, syrk: 2, signGram: 1, dampedSolve: 3, axpby: 3, scale: 2 },
    matrices: 0,
    bytesCopied: parameters,
    multiplyAdds:
      5 * head + // targets; outputs twice; down to the features; the head's gradient
      4 * colour + // W twice, its gradient, the step out of white coordinates
      M * M * K + // what comes down from the identity
      ((M + N) * K * K) / 2 + // both output sides
      (third(D) + D * D * K) +
      (third(K) + K * K * D) +
      (third(K) + K * K * M),
    additions: 3 * signs + signsBack,
    bits: (N * D * D) / 2,
  });
});

it('a step of KFAC makes its Gram matrix from the counted one: two products of d^3 and none of n d^2', () => {
  const { multiplyAdds, bits, matrices } = stepCost(kfac({ outputFactor: 'ggn' }), 'simultaneous');
  expect(bits).toBe((N * D * D) / 2);
  expect(matrices).toBe(0);
  expect(multiplyAdds).toBeGreaterThan(2 * D ** 3);
  expect(multiplyAdds).toBeLessThan(4 * head + 6 * colour + 3 * D ** 3);
  expect(3 * D ** 3).toBeLessThan((N * D * D) / 2); // what X'X would have cost
});

it('inputs along the axes take no matrix of d x d', () => {
  const d = 3000;
  const zeros = Matrix.zeros.bind(Matrix);
  let largest = 0;
  Matrix.zeros = (rows, cols, dtype) => {
    largest = Math.max(largest, rows * cols);
    return zeros(rows, cols, dtype);
  };
  try {
    const task = linearRepresentation({ inputs: d, outputs: 2, rank: 1, covariance: { family: 'log', condition: 10, basis: 'identity' } });
    const network = twoLayer({ inputs: d, hidden: 1, outputs: 2 });
    new Training({ task, network, optimizer: sgd(), batch: 64 }).advance(2);
  } finally {
    Matrix.zeros = zeros;
  }
  expect(largest).toBeLessThan(d * d);
});
