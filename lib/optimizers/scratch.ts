/** Scratch memory of optimisers. */
import { Matrix, type Dtype } from '../linalg/index.js';
import type { Parameter, Params } from '../types.js';

/** Matrices that lie over one another in the memory of the largest: contents last until another of them is written. */
export function overlaid(shapes: readonly (readonly [rows: number, cols: number])[], dtype: Dtype): Matrix[] {
  const most = shapes.reduce((length, [rows, cols]) => Math.max(length, rows * cols), 0);
  const { data } = Matrix.zeros(1, most, dtype);
  return shapes.map(([rows, cols]) => Matrix.wrap(data.subarray(0, rows * cols), rows, cols));
}

/** The same list with 0 x 0 values for the parameters that are not kept: state made from it holds nothing for them. */
export const emptied = (params: Params, keeps: (p: Parameter, i: number) => boolean): Params =>
  params.map((p, i) => (keeps(p, i) ? p : { ...p, value: Matrix.zeros(0, 0, p.value.dtype) }));
