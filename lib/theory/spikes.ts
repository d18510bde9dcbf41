/**
 * Where outliers lie, and what they know of the direction that made them (the transition of Baik, Ben Arous & Péché 2005): below a
 * threshold an outlier is lost in the bulk, and its vector is asymptotically orthogonal to the truth. Limits of large dimensions at a fixed
 * ratio, for finitely many outliers that are apart.
 */
import { z } from 'zod';
import { nonNegative, parseOptions, positive } from '../options.js';
import { SupportCurve } from './marchenkoPastur.js';
import { populationOf } from './population.js';
import { numbers } from './schema.js';

export interface Spike {
  /** Whether it stands out of the bulk. */
  readonly separates: boolean;
  /** The eigenvalue (or singular value) it becomes, or the edge of the bulk that it is lost at. */
  readonly location: number;
  /** Squared cosine between sample and population vector; 0 where it does not stand out. */
  readonly alignment: number;
}

const spikedCovarianceSchema = z.strictObject({
  /** The bulk's population eigenvalues. */
  eigenvalues: numbers,
  /** d/n. */
  ratio: positive(),
  /** The population eigenvalue outside the bulk. */
  spike: positive(),
});

/** A population eigenvalue l outside the bulk, seen in a sample covariance: with psi and g of marchenkoPastur.ts it stands out where
 *  g(l) < 1, at psi(l), with alignment l (1 - g(l)) / psi(l).
 *  @throws OptionsError naming the field, the value and what is allowed
 *  Source: Baik & Silverstein 2006; Paul 2007; Bai & Yao 2012, theorems 4.1 and 4.2 (any bulk). */
export function spikedCovariance(options: z.input<typeof spikedCovarianceSchema>): Spike {
  const { eigenvalues, ratio, spike } = parseOptions(spikedCovarianceSchema, options, 'spikedCovariance');
  const curve = new SupportCurve(populationOf('spikedCovariance', eigenvalues), ratio);
  const slope = 1 - curve.g(spike);
  if (slope > 0) {
    const location = curve.psi(spike);
    return { separates: true, location, alignment: (spike * slope) / location };
  }
  // The nearest edge of the interval it falls in, or all but does.
  const edges = curve.intervals().flat();
  const nearest = edges.reduce((a, b) => (Math.abs(b - spike) < Math.abs(a - spike) ? b : a));
  return { separates: false, location: curve.psi(nearest), alignment: 0 };
}

const spikedMatrixSchema = z.strictObject({
  /** Rows over columns, m/n. */
  ratio: positive(),
  /** theta. */
  strength: nonNegative(),
});

export interface SpikedMatrix {
  readonly separates: boolean;
  /** The singular value. */
  readonly location: number;
  /** Squared cosine of the left singular vector with u. */
  readonly left: number;
  /** Squared cosine of the right singular vector with v. */
  readonly right: number;
}

/** Z + theta u v' for an m x n matrix Z of independent entries of mean 0 and variance 1/n and unit vectors u, v: with c = m/n it stands
 *  out where theta > c^(1/4), at sqrt((1 + theta^2)(c + theta^2)) / theta; else the largest singular value is 1 + sqrt c.
 *  @throws OptionsError naming the field, the value and what is allowed
 *  Source: Benaych-Georges & Nadakuditi 2012, section 3.1. */
export function spikedMatrix(options: z.input<typeof spikedMatrixSchema>): SpikedMatrix {
  const { ratio: c, strength } = parseOptions(spikedMatrixSchema, options, 'spikedMatrix');
  const square = strength * strength;
  if (!(square * square > c)) return { separates: false, location: 1 + Math.sqrt(c), left: 0, right: 0 };
  return {
    separates: true,
    location: Math.sqrt((1 + square) * (c + square)) / strength,
    left: 1 - (c * (1 + square)) / (square * (square + c)),
    right: 1 - (c + square) / (square * (square + 1)),
  };
}
