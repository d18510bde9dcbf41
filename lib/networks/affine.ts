import { Matrix, transpose } from '../linalg/index.js';
import type { AffineMap, Network } from '../types.js';

/** The map x -> weight x + bias of an affine network, read off its values at 0 and at the coordinate axes. */
export function affineFrom(network: Network): AffineMap {
  const { inputs, dtype } = network;
  const bias = transpose(network.predict(Matrix.zeros(1, inputs, dtype)));
  const weight = transpose(network.predict(Matrix.identity(inputs, dtype)));
  for (let i = 0; i < weight.rows; i++) for (let j = 0; j < inputs; j++) weight.data[i * inputs + j] -= bias.data[i];
  return { weight, bias };
}
