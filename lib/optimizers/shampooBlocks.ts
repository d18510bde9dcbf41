/** Blocks of parameters with their Shampoo factors and inverse roots. */
import { gemmInto, Matrix, syrkInto } from '../linalg/index.js';
import type { Params } from '../types.js';
import { blocksOf, blockTarget, putBlock, takeBlock, type Block } from './blocks.js';
import { naming } from './guards.js';
import { inverseRoot, rootWorks, type RootOptions, type RootWork } from './roots.js';
import { overlaid } from './scratch.js';

/** One side of a block. */
export interface Side {
  factor: Matrix; // k x k: L or R
  root: Matrix; // k x k: the last (L^ + epsilon I)^-e
  work: { exponent: number; root: RootWork };
}
export interface BlockState {
  left: Side | null;
  right: Side | null;
  work: { block: Block; input: Matrix; product: Matrix; output: Matrix }; // matrices of the block's shape
}
/** Exponents of L^-1 and R^-1; null for a side that is not preconditioned. */
export type Exponents = readonly [left: number | null, right: number | null];

/** The blocks of each parameter, in its order. @param exponents  of each parameter */
export function initBlocks(
  params: Params,
  exponents: readonly Exponents[],
  blockSize: number,
  newton: boolean,
  doubleRoots: boolean,
): BlockState[][] {
  const { dtype } = params[0].value;
  const all = params.flatMap(({ value: p }, i) => blocksOf(p.rows, p.cols, blockSize).map((block) => ({ block, i })));
  const shapes = all.map(({ block }) => [block.rows, block.cols] as const);
  const [input, product, output] = [overlaid(shapes, dtype), overlaid(shapes, dtype), overlaid(shapes, dtype)];
  // A side that is not preconditioned needs no scratch.
  const sizes = all.flatMap(({ i }, k) => shapes[k].map((n, side) => (exponents[i][side] === null ? 0 : n)));
  const roots = rootWorks(sizes, dtype, newton, doubleRoots ? 'float64' : dtype);
  const sideOf = (k: number, side: 0 | 1): Side | null => {
    const exponent = exponents[all[k].i][side];
    if (exponent === null) return null;
    const n = shapes[k][side];
    const work = { exponent, root: roots[2 * k + side] };
    return { factor: Matrix.zeros(n, n, dtype), root: Matrix.identity(n, dtype), work };
  };
  const blocks: BlockState[][] = params.map(() => []);
  for (const [k, { block, i }] of all.entries()) {
    const work = { block, input: input[k], product: product[k], output: output[k] };
    blocks[i].push({ left: sideOf(k, 0), right: sideOf(k, 1), work });
  }
  return blocks;
}

/** L <- beta2 L + w G G', R <- beta2 R + w G'G on a block. */
export function accumulate({ left, right, work }: BlockState, gradient: Matrix, beta2: number): void {
  const g = takeBlock(gradient, work.block, work.input);
  const w = beta2 === 1 ? 1 : 1 - beta2;
  if (left !== null) syrkInto(left.factor, g, false, w, beta2);
  if (right !== null) syrkInto(right.factor, g, true, w, beta2);
}

/** Renews the roots of a parameter's blocks. @param note  told of fallbacks */
export function renewRoots(
  blocks: readonly BlockState[],
  options: Omit<RootOptions, 'exponent'>,
  parameter: string,
  note: (message: string) => void,
): void {
  for (const block of blocks)
    for (const which of ['left', 'right'] as const) {
      const side = block[which];
      if (side === null) continue;
      const { row, col } = block.work.block;
      const where = blocks.length === 1 ? which : `${which} of the block at (${row}, ${col})`;
      const { exponent, root } = side.work;
      const event = naming(`shampoo: ${parameter}, ${where}`, () => inverseRoot(side.root, side.factor, { ...options, exponent }, root));
      if (event !== null) note(`shampoo, ${where}: ${event}`);
    }
}

/** The block of `to` = left root times the block of `from` times right root. */
export function precondition({ left, right, work: { block, input, product, output } }: BlockState, from: Matrix, to: Matrix): void {
  const x = takeBlock(from, block, input);
  const y = blockTarget(to, block, output);
  if (left !== null && right !== null) gemmInto(y, gemmInto(product, left.root, x), right.root);
  else if (left !== null) gemmInto(y, left.root, x);
  else if (right !== null) gemmInto(y, x, right.root);
  putBlock(to, block, y);
}
