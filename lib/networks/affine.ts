import { type Matrix, transpose } from '../linalg/index.js';
import type { AffineMap } from '../types.js';

/** The map x -> weight x + bias, read off its values.
 *  @param atZero  1 x m; @param atAxes  d x m, a row a coordinate axis */
export function affineFrom(atZero: Matrix, atAxes: Matrix): AffineMap {
  const bias = transpose(atZero);
  const weight = transpose(atAxes);
  const inputs = atAxes.rows;
  for (let i = 0; i < weight.rows; i++) for (let j = 0; j < inputs; j++) weight.data[i * inputs + j] -= bias.data[i];
  return { weight, bias };
}
