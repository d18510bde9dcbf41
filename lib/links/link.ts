/**
 * Scalar functions s: R -> R taken entry by entry: the activations of networks and the link functions of single-index teachers
 * y = s(beta'x) + e. One catalogue, so that a student and a teacher mean the same by one name.
 */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { activate, copy, Matrix, scale, type ActivationName } from '../linalg/index.js';

const numbers = z.array(z.number()).min(1);

const withNumbers = [
  /** x for x > 0, slope x below. */
  z.strictObject({ name: z.literal('leakyRelu'), slope: z.number().default(0.01) }),
  /** sum_k coefficients[k] x^k. */
  z.strictObject({ name: z.literal('polynomial'), coefficients: numbers }),
  /** sum_k coefficients[k] h_k(x), h_k = He_k / sqrt(k!) orthonormal under the standard normal. */
  z.strictObject({ name: z.literal('hermite'), coefficients: numbers }),
] as const;

const trainable = ['identity', 'relu', 'tanh', 'sigmoid', 'gelu', 'erf'] as const;
const all = [...trainable, 'sign'] as const;

/** What a network can be trained through: a name ('leakyRelu' alone has slope 0.01), or a name with its numbers. */
export const activationSchema = z.union([
  z.enum([...trainable, 'leakyRelu']),
  z.discriminatedUnion('name', [...withNumbers, z.strictObject({ name: z.enum(trainable) })]),
]);
export type ActivationOptions = z.output<typeof activationSchema>;

/** An activation or `sign`; `gain` makes s(gain x) of s(x). */
export const linkSchema = z.union([
  z.enum([...all, 'leakyRelu']),
  z.discriminatedUnion('name', [
    ...withNumbers,
    z.strictObject({
      name: z.enum(all),
      gain: z
        .number()
        .refine((g) => g !== 0, 'must not be 0')
        .default(1),
    }),
  ]),
]);
export type LinkOptions = z.output<typeof linkSchema>;

export const nameOf = (options: LinkOptions | ActivationOptions): LinkName => (typeof options === 'string' ? options : options.name);
type LinkName = Extract<LinkOptions, string> | 'polynomial' | 'hermite';

/** What the native pass takes; null for the identity. */
export interface Kernel {
  readonly kind: ActivationName;
  readonly numbers: Float64Array;
}

/** The native pass of a link without its gain. */
export function kernelOf(given: LinkOptions | ActivationOptions): Kernel | null {
  const options = given === 'leakyRelu' ? { name: given, slope: 0.01 } : typeof given === 'string' ? { name: given } : given;
  switch (options.name) {
    case 'identity':
      return null;
    case 'leakyRelu':
      return { kind: options.name, numbers: Float64Array.of(options.slope) };
    case 'polynomial':
      return { kind: 'polynomial', numbers: Float64Array.from(options.coefficients) };
    case 'hermite':
      return { kind: 'polynomial', numbers: hermiteToPowers(options.coefficients) };
    default:
      return { kind: options.name, numbers: new Float64Array(0) };
  }
}

/** Coefficients in powers of x of sum_k c_k h_k(x), h_k = He_k / sqrt(k!), by sqrt(k + 1) h_(k+1) = x h_k - sqrt(k) h_(k-1). */
export function hermiteToPowers(coefficients: readonly number[]): Float64Array {
  const size = coefficients.length;
  const powers = new Float64Array(size);
  let before = new Float64Array(size);
  let current = Float64Array.from({ length: size }, (_, j) => (j === 0 ? 1 : 0));
  for (let k = 0; k < size; k++) {
    for (let j = 0; j <= k; j++) powers[j] += coefficients[k] * current[j];
    const next = new Float64Array(size);
    for (let j = 0; j + 1 < size; j++) next[j + 1] = current[j];
    for (let j = 0; j < size; j++) next[j] = (next[j] - Math.sqrt(k) * before[j]) / Math.sqrt(k + 1);
    [before, current] = [current, next];
  }
  return powers;
}

/** A scalar function, as data and theory need it. */
export interface Link {
  readonly name: string;
  /** out = s(x), entry by entry. @param out  of x's shape and dtype, not x itself; @returns out */
  apply(x: Matrix, out: Matrix): Matrix;
}

/** A link from its options, or from a function of one number. Functions are called once an entry.
 *  @throws ArgumentError for anything else */
export function linkOf(options: LinkOptions | ActivationOptions | ((x: number) => number)): Link {
  if (typeof options === 'function') return { name: options.name || 'function', apply: (x, out) => mapped(options, x, out) };
  const name = nameOf(options);
  const gain = typeof options !== 'string' && 'gain' in options ? options.gain : 1;
  const kernel = kernelOf(options);
  let derivative = Matrix.zeros(0, 0);
  let scaled = Matrix.zeros(0, 0);
  const alike = (held: Matrix, x: Matrix): Matrix =>
    held.rows === x.rows && held.cols === x.cols && held.dtype === x.dtype ? held : Matrix.zeros(x.rows, x.cols, x.dtype);
  return {
    name: gain === 1 ? name : `${name}(${gain} t)`,
    apply(x, out) {
      if (kernel === null) return scale(gain, copy(x, out));
      derivative = alike(derivative, x);
      if (gain !== 1) scaled = scale(gain, copy(x, alike(scaled, x)));
      return activate(kernel.kind, gain === 1 ? x : scaled, out, derivative, kernel.numbers);
    },
  };
}

function mapped(f: (x: number) => number, x: Matrix, out: Matrix): Matrix {
  for (let i = 0; i < x.data.length; i++) {
    const value = f(x.data[i]);
    if (typeof value !== 'number')
      throw new ArgumentError(`a link must give a number for a number; for ${x.data[i]} it gave ${typeof value}`);
    out.data[i] = value;
  }
  return out;
}
