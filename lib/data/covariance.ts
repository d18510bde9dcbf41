/**
 * The covariance families of the experiments, each with mean eigenvalue 1: isotropic, log-spaced, power law, two-level, spiked, AR(1).
 */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import { Matrix, fromEigen, symmetricEigen, symmetricEigenvalues, symmetricFunction, type Dtype } from '../linalg/index.js';
import { fraction, nonNegative, positive } from '../options.js';
import { haar, type Stream } from '../random/index.js';
import type { Covariance } from '../types.js';

/** What the families are, by their eigenvalues. */
const families = {
  /** Sigma = I. */
  isotropic: z.strictObject({ family: z.literal('isotropic') }),
  /** Eigenvalues log-spaced between 1 and 1/condition, then scaled. */
  log: z.strictObject({ family: z.literal('log'), condition: z.number().min(1).default(100) }),
  /** Eigenvalue i proportional to i^-exponent. */
  power: z.strictObject({ family: z.literal('power'), exponent: nonNegative().default(1) }),
  /** The first half of the eigenvalues 1, the rest `low`, then scaled. */
  twoLevel: z.strictObject({ family: z.literal('two-level'), low: positive().max(1).default(0.01) }),
  /** All 1 but for the leading ones, 1 + spike, then scaled. */
  spiked: z.strictObject({ family: z.literal('spiked'), spikes: z.array(nonNegative()).min(1).default([10]) }),
  /** Toeplitz, correlation^|i - j|, with its own eigenbasis. */
  ar1: z.strictObject({ family: z.literal('ar1'), correlation: fraction().default(0.9) }),
} as const;

/** Eigenbasis: Haar-random, or the coordinate axes (entry-wise methods depend on it). */
const basis = { basis: z.enum(['haar', 'identity']).default('haar') };

export const covarianceSchema = z.discriminatedUnion('family', [
  families.isotropic,
  families.log.extend(basis),
  families.power.extend(basis),
  families.twoLevel.extend(basis),
  families.spiked.extend(basis),
  families.ar1,
]);
/** The families by their eigenvalues alone, where the basis does not matter: it is that of the axes. */
export const spectrumSchema = z.discriminatedUnion('family', [
  families.isotropic,
  families.log,
  families.power,
  families.twoLevel,
  families.spiked,
  families.ar1,
]);
export type CovarianceOptions = z.input<typeof covarianceSchema>;
type Parsed = z.output<typeof covarianceSchema>;
export type SpectrumOptions = z.input<typeof spectrumSchema>;
type Family = z.output<typeof spectrumSchema>;
type Listed = Exclude<Family, { family: 'ar1' }>;

/** A covariance of dimension d from a family; `stream` decides a Haar basis.
 *  @throws ArgumentError when the family does not fit d */
export function covariance(options: Parsed, d: number, stream: Stream): Covariance {
  if (options.family === 'ar1') return toeplitz(options.correlation, d);
  const eigenvalues = spectrum(options, d);
  if (options.family === 'isotropic' || options.basis === 'identity') return diagonalCovariance(eigenvalues);
  return fromSpectrum(eigenvalues, haar(d, stream));
}

/** Its matrices are made when first asked for. @param vectors  in columns, in the order of the eigenvalues */
function fromSpectrum(eigenvalues: Float64Array, vectors: Matrix): Covariance {
  const power = (exponent: number, dtype?: Dtype): Matrix =>
    fromEigen(
      exponent === 1 ? eigenvalues : exponent === 1 / 2 ? eigenvalues.map(Math.sqrt) : eigenvalues.map((l) => l ** exponent),
      vectors,
      dtype,
    );
  let matrix: Matrix | undefined;
  let root: Matrix | undefined;
  return {
    eigenvalues,
    get matrix() {
      return (matrix ??= power(1));
    },
    get root() {
      return (root ??= power(1 / 2));
    },
    power,
    diagonal: false,
  };
}

/** The covariance with these eigenvalues along the axes. Its matrices, d x d, are made when first asked for: large dimensions do
 *  without them. */
export function diagonalCovariance(eigenvalues: Float64Array): Covariance {
  let matrix: Matrix | undefined;
  let root: Matrix | undefined;
  return {
    eigenvalues,
    get matrix() {
      return (matrix ??= Matrix.diagonal(eigenvalues));
    },
    get root() {
      return (root ??= Matrix.diagonal(eigenvalues.map(Math.sqrt)));
    },
    power: (exponent, dtype) =>
      Matrix.diagonal(
        eigenvalues.map((l) => l ** exponent),
        dtype,
      ),
    diagonal: true,
  };
}

/** Eigenvalues of a family in dimension d, descending, mean 1. Those of ar1 cost d^3. */
export function spectrum(options: Family, d: number): Float64Array {
  if (options.family === 'ar1')
    return Float64Array.from(symmetricEigenvalues(toeplitzMatrix(options.correlation, d)), (x) => Math.max(0, x)).reverse();
  return normalised(Float64Array.from({ length: d }, (_, i) => unscaled(options, i, d)));
}

function unscaled(options: Listed, i: number, d: number): number {
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
  const matrix = toeplitzMatrix(correlation, d);
  const positive = (x: number): number => Math.max(0, x); // rounding leaves the smallest a little below 0 as the correlation nears 1
  const eigenvalues = Float64Array.from(symmetricEigen(matrix).values, positive).reverse();
  const power = (exponent: number, dtype?: Dtype): Matrix => symmetricFunction(matrix, (x) => positive(x) ** exponent).clone(dtype);
  return { eigenvalues, matrix, root: symmetricFunction(matrix, (x) => Math.sqrt(positive(x))), power, diagonal: correlation === 0 };
}

function toeplitzMatrix(correlation: number, d: number): Matrix {
  const matrix = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) matrix.data[i * d + j] = correlation ** Math.abs(i - j);
  return matrix;
}
