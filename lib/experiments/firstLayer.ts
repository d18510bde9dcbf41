import { copy, Matrix } from '../linalg/index.js';
import type { ActivationOptions } from '../links/index.js';
import { squared } from '../losses/index.js';
import { twoLayer } from '../networks/index.js';

/** Gradient in G of the squared loss of f(x) = F s(G x) over samples. @param g  h x d; @param f  1 x h; @returns h x d, new */
export function firstLayerGradient(
  { activation, batchNorm }: { readonly activation: ActivationOptions; readonly batchNorm: boolean },
  { x, y }: { readonly x: Matrix; readonly y: Matrix },
  g: Matrix,
  f: Matrix,
): Matrix {
  const network = twoLayer({ inputs: g.cols, hidden: g.rows, outputs: 1, activation, batchNorm });
  copy(g, network.features);
  const head = network.params.find((p) => p.name === 'F')!;
  copy(f, head.value);
  const outputGradient = Matrix.zeros(x.rows, 1);
  squared.evaluate(network.forward(x), y, outputGradient);
  network.backward(outputGradient, [0]);
  return network.gradients[0].clone();
}
