/** A weight with its layer's bias as one more column: the m x n matrix that Kronecker-factored methods precondition, its inputs having a
 *  1 appended (Martens & Grosse 2015, section 2). */
import { copy, copyBlock, denseRows, Matrix, type Rows } from '../linalg/index.js';
import type { LayerStats, Params } from '../types.js';

export interface JointWeight {
  /** Index of the weight. */
  readonly weight: number;
  /** Index of the bias; null where there is none, or it goes its own way. */
  readonly bias: number | null;
  readonly name: string;
  readonly layer: number;
  readonly m: number;
  /** Columns, that of the bias included. */
  readonly n: number;
}

/** One a parameter: the joint weight that it is the weight of; null for all others. */
export function jointWeights(params: Params, withBias: boolean): readonly (JointWeight | null)[] {
  return params.map(({ name, value, layer, role }, weight) => {
    if (role !== 'weight') return null;
    const found = withBias ? params.findIndex((p) => p.layer === layer && p.role === 'bias') : -1;
    const bias = found < 0 ? null : found;
    return { weight, bias, name, layer, m: value.rows, n: value.cols + (bias === null ? 0 : 1) };
  });
}

/** One a parameter: whether no joint weight holds it. */
export function aloneIn(joint: readonly (JointWeight | null)[]): readonly boolean[] {
  const held = new Set(joint.flatMap((j) => (j === null ? [] : [j.weight, j.bias])));
  return joint.map((_, i) => !held.has(i));
}

/** Copies the weight's matrix and the bias's of a list into out, m x n. */
export function gather({ weight, bias, m, n }: JointWeight, from: readonly Matrix[], out: Matrix): Matrix {
  if (bias === null) return copy(from[weight], out);
  copyBlock(from[weight], 0, 0, m, n - 1, out, 0, 0);
  return copyBlock(asColumn(from[bias]), 0, 0, m, 1, out, 0, n - 1);
}

/** The reverse of gather. */
export function scatter({ weight, bias, m, n }: JointWeight, from: Matrix, to: readonly Matrix[]): void {
  if (bias === null) {
    copy(from, to[weight]);
    return;
  }
  copyBlock(from, 0, 0, m, n - 1, to[weight], 0, 0);
  copyBlock(from, 0, n - 1, m, 1, asColumn(to[bias]), 0, 0);
}

/** The layer's inputs, a 1 appended where the bias is part of the weight. @param held  used again where it fits; @returns N x n */
export function jointInputs({ bias, n }: JointWeight, { inputs }: LayerStats, held: Rows): Rows {
  if (bias === null) return inputs;
  const x = denseRows(inputs);
  let out = denseRows(held);
  if (out.rows !== x.rows || out.cols !== n) {
    out = Matrix.zeros(x.rows, n, x.dtype);
    out.data.fill(1);
  }
  return copyBlock(x, 0, 0, x.rows, n - 1, out, 0, 0);
}

const asColumn = (row: Matrix): Matrix => Matrix.wrap(row.data, row.cols, 1);
