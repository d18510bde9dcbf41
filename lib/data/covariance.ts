/**
 * The covariance families of the experiments, each with mean eigenvalue 1: isotropic, log-spaced, power law, two-level, spiked, AR(1).
 */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { Matrix, fromEigen, symmetricEigen, symmetricFunction } from '../linalg/index.js';
import { fraction, nonNegative, positive } from '../options.js';
import { haar, type Stream } from '../random/index.js';
import type { Covariance } from '../types.js';

/** Eigenbasis: Haar-random, or the coordinate axes (entry-wise methods depend on it). */
const basis = { basis: z.enum(['haar', 'identity']).default('haar') };

export const covarianceSchema = z.discriminatedUnion('family', [
  /** Sigma = I. */
  z.strictObject({ family: z.literal('isotropic') }),
  /** Eigenvalues log-spaced between 1 and 1/condition, then scaled. */
  z.strictObject({ family: z.literal('log'), condition: z.number().min(1).default(100), ...basis }),
  /** Eigenvalue i proportional to i^-exponent. */
  z.strictObject({ family: z.literal('power'), exponent: nonNegative().default(1), ...basis }),
  /** The first half of the eigenvalues 1, the rest `low`, then scaled. */
  z.strictObject({ family: z.literal('two-level'), low: positive().max(1).default(0.01), ...basis }),
  /** All 1 but for the leading ones, 1 + spike, then scaled. */
  z.strictObject({ family: z.literal('spiked'), spikes: z.array(nonNegative()).min(1).default([10]), ...basis }),
  /** Toeplitz, correlation^|i - j|, with its own eigenbasis. */
  z.strictObject({ family: z.literal('ar1'), correlation: fraction().default(0.9) }),
]);
export type CovarianceOptions = z.input<typeof covarianceSchema>;
type Parsed = z.output<typeof covarianceSchema>;

/** A covariance of dimension d from a family; `stream` decides a Haar basis.
 *  @throws ArgumentError when the family does not fit d */
export function covariance(options: Parsed, d: number, stream: Stream): Covariance {
  if (options.family === 'ar1') return toeplitz(options.correlation, d);
  const eigenvalues = spectrum(options, d);
  if (options.family === 'isotropic' || options.basis === 'identity')
    return { eigenvalues, matrix: Matrix.diagonal(eigenvalues), root: Matrix.diagonal(eigenvalues.map(Math.sqrt)), diagonal: true };
  const vectors = haar(d, stream);
  return { eigenvalues, matrix: fromEigen(eigenvalues, vectors), root: fromEigen(eigenvalues.map(Math.sqrt), vectors), diagonal: false };
}

/** Eigenvalues of a family in dimension d, descending, mean 1. */
export function spectrum(options: Exclude<Parsed, { family: 'ar1' }>, d: number): Float64Array {
  return normalised(Float64Array.from({ length: d }, (_, i) => unscaled(options, i, d)));
}

function unscaled(options: Exclude<Parsed, { family: 'ar1' }>, i: number, d: number): number {
  switch (options.family) {
    case 'isotropic':
      return 1;
    case 'log':
      return d === 1 ? 1 : options.condition ** (-i / (d - 1));
    case 'power':
      return (i + 1) ** -options.exponent;
    case 'two-level':
      return i < Math.ceil(d / 2) ? 1 : options.low;
    case 'spiked':
      if (options.spikes.length > d) throw new ArgumentError(`covariance: ${options.spikes.length} spikes do not fit in dimension ${d}`);
      return 1 + (i < options.spikes.length ? options.spikes.toSorted((a, b) => b - a)[i] : 0);
  }
}

function normalised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return values.map((v) => v / mean);
}

function toeplitz(correlation: number, d: number): Covariance {
  const matrix = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) matrix.data[i * d + j] = correlation ** Math.abs(i - j);
  const positive = (x: number): number => Math.max(0, x); // rounding leaves the smallest a little below 0 as the correlation nears 1
  const eigenvalues = Float64Array.from(symmetricEigen(matrix).values, positive).reverse();
  return { eigenvalues, matrix, root: symmetricFunction(matrix, (x) => Math.sqrt(positive(x))), diagonal: correlation === 0 };
}
