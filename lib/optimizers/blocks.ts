/** Matrices cut into rectangles no longer than a given size on either side. */
import { copyBlock, type Matrix } from '../linalg/index.js';

export interface Block {
  readonly row: number;
  readonly col: number;
  readonly rows: number;
  readonly cols: number;
}

/** The blocks of a rows x cols matrix, row by row; the last ones are smaller where `size` does not divide. */
export const blocksOf = (rows: number, cols: number, size: number): Block[] =>
  cuts(rows, size).flatMap((row) =>
    cuts(cols, size).map((col) => ({ row, col, rows: Math.min(size, rows - row), cols: Math.min(size, cols - col) })),
  );

const cuts = (length: number, size: number): number[] => Array.from({ length: Math.ceil(length / size) }, (_, k) => k * size);

const covers = ({ rows, cols }: Block, m: Matrix): boolean => rows === m.rows && cols === m.cols;

/** The block of m: m itself where it is the whole, else a copy in `buffer`. */
export const takeBlock = (m: Matrix, block: Block, buffer: Matrix): Matrix =>
  covers(block, m) ? m : copyBlock(m, block.row, block.col, block.rows, block.cols, buffer, 0, 0);

/** Where to write the block of m: m itself where it is the whole, else `buffer`, for putBlock to move. */
export const blockTarget = (m: Matrix, block: Block, buffer: Matrix): Matrix => (covers(block, m) ? m : buffer);

/** Moves what was written to a blockTarget into its place. */
export function putBlock(m: Matrix, block: Block, written: Matrix): void {
  if (written !== m) copyBlock(written, 0, 0, block.rows, block.cols, m, block.row, block.col);
}
