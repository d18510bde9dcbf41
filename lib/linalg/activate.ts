import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { type Matrix, requireAlike } from './matrix.js';

export type ActivationName = 'relu' | 'leakyRelu' | 'tanh' | 'sigmoid' | 'gelu' | 'polynomial' | 'erf' | 'sign';

/** The native kind of an activation, and the parameters it takes: how many, and what to call them. */
interface Activation {
  readonly kind: Int32Array;
  readonly takes: (parameters: Float64Array) => boolean;
  readonly wants: string;
}

const none = { takes: (p: Float64Array): boolean => p.length === 0, wants: 'no parameters' };

const ACTIVATIONS: Readonly<Record<ActivationName, Activation>> = {
  relu: { kind: Int32Array.of(0), ...none },
  tanh: { kind: Int32Array.of(1), ...none },
  leakyRelu: { kind: Int32Array.of(2), takes: (p) => p.length === 1, wants: 'one parameter, its slope below 0' },
  sigmoid: { kind: Int32Array.of(3), ...none },
  gelu: { kind: Int32Array.of(4), ...none },
  polynomial: { kind: Int32Array.of(5), takes: (p) => p.length > 0, wants: 'its coefficients, lowest power first' },
  erf: { kind: Int32Array.of(6), ...none },
  sign: { kind: Int32Array.of(7), ...none },
};

const NO_PARAMETERS: Float64Array = new Float64Array(0);

/** out = s(x) and derivative = s'(x), entry by entry; NaN gives NaN.
 *
 *  relu: max(x, 0), its derivative at 0 being 0. leakyRelu [a]: x above 0, a x below (derivative a at 0). sigmoid: 1 / (1 + exp(-x)).
 *  gelu: x Phi(x), Phi the normal distribution function. polynomial [c0, c1, ...]: sum_k c_k x^k. erf: the error function. sign: -1, 0 or 1,
 *  with derivative 0.
 *  @param parameters  of leakyRelu and polynomial; the others take none
 *  @returns out
 *  @throws ArgumentError when shapes or dtypes differ, for an unknown name, or parameters that do not belong to it
 *  Source: Hendrycks & Gimpel 2016, section 2 (GELU, exact); Horner's rule for polynomials */
export function activate(
  name: ActivationName,
  x: Matrix,
  out: Matrix,
  derivative: Matrix,
  parameters: Float64Array = NO_PARAMETERS,
): Matrix {
  requireAlike('activate', x, out);
  requireAlike('activate', x, derivative);
  if (!Object.hasOwn(ACTIVATIONS, name))
    throw new ArgumentError(`activate: name must be one of ${Object.keys(ACTIVATIONS).join(', ')}; got ${JSON.stringify(name)}`);
  const { kind, takes, wants } = ACTIVATIONS[name];
  if (!takes(parameters)) throw new ArgumentError(`activate: ${name} takes ${wants}; got ${parameters.length}`);
  native.activation(kind, parameters, x.data, out.data, derivative.data);
  return out;
}
