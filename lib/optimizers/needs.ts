/** What kinds of method ask of the network. */
import type { Needs, OutputFactor } from '../types.js';

const NOTHING: Needs = { inputs: false, outputFactor: 'none', outputRows: false, dense: 'none' };

/** Entry-wise methods, and those that precondition from gradients alone. */
export const gradientOnly = (): Needs => NOTHING;

/** Layer inputs and an output factor, each time or at every `period`th step from the first on. */
export function layerFactors(
  outputFactor: OutputFactor,
  { period = 1, outputRows = false, products = false }: { period?: number; outputRows?: boolean; products?: boolean } = {},
): (step: number) => Needs {
  const due: Needs = { inputs: true, outputFactor, outputRows, dense: 'none', products };
  const between: Needs = { ...NOTHING, products };
  return (step) => ((step - 1) % period === 0 ? due : between);
}

/** Products with the Gauss-Newton matrix. */
const PRODUCTS: Needs = { ...NOTHING, products: true };
export const curvatureProducts = (): Needs => PRODUCTS;

/** The dense curvature matrix. */
export function denseCurvature(dense: OutputFactor): () => Needs {
  const needs: Needs = { ...NOTHING, dense };
  return () => needs;
}
