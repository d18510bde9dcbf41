/** What kinds of method ask of the network. */
import { ArgumentError } from '../errors.js';
import type { LayerStats, Needs, OutputFactor } from '../types.js';

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

/** @throws ArgumentError when a layer reports another output factor than was asked for: it is of another optimiser's evaluation */
export function requireKind(name: string, { kind }: LayerStats, wanted: OutputFactor): void {
  if (kind !== wanted)
    throw new ArgumentError(
      `${name}: the evaluation reports output factors '${kind}' where '${wanted}' is needed; make it with this optimiser, and begin with step 1`,
    );
}

/** The dense curvature matrix. */
export function denseCurvature(dense: OutputFactor): () => Needs {
  const needs: Needs = { ...NOTHING, dense };
  return () => needs;
}
