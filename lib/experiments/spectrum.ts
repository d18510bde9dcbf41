/**
 * Experiment `spectrum`: what one step does to the spectra of a layer and of its features. G1 = G0 - eta U as in `one-step`, of method
 * none, sgd, or layerwise at one lambda, with |eta U|_2 = strength. Theory: the squared singular values of G0 (h x d, entries N(0, 1/d))
 * follow the Marchenko-Pastur law, with the step as a rank-one spike; the second moments Z'Z/m of the features follow the deterministic
 * equivalent of their exact population matrix for the layer as it is.
 */
import { z } from 'zod';
import { diagonalCovariance, inputSampler, spectrum, spectrumSchema } from '../data/index.js';
import {
  axpby,
  gemm,
  gramSingularValues,
  Matrix,
  scaleColumns,
  shiftedSolve,
  symmetricEigenvalues,
  syrk,
  topRightSingularVectors,
  transpose,
} from '../linalg/index.js';
import { activationSchema, linkOf, linkSchema } from '../links/index.js';
import { nonNegative, positive, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import { featureMoments, marchenkoPastur, spikedMatrix, type MarchenkoPastur } from '../theory/index.js';
import type { NumberTable } from '../types.js';
import { afterOneStep, type Computed, type Pause } from './computed.js';
import { firstLayerGradient } from './firstLayer.js';

export const schema = z.strictObject({
  experiment: z.literal('spectrum'),
  /** Decides teacher, initialisation and samples, each through a stream of its own. */
  seed: seed().default(0),
  /** d. */
  inputs: size().default(400),
  /** h. */
  hidden: size().default(300),
  /** n, of the step. */
  samples: size().default(1200),
  /** m, of the features. */
  featureSamples: size().default(1200),
  covariance: spectrumSchema.prefault({ family: 'power', exponent: 0.5 }),
  teacher: linkSchema.prefault({ name: 'tanh', gain: 3 }),
  /** Standard deviation of the label noise. */
  noise: nonNegative().default(0.1),
  activation: activationSchema.default('relu'),
  method: z.enum(['none', 'sgd', 'layerwise']).default('layerwise'),
  /** Damping of the layer-wise step. */
  lambda: positive().default(0.1),
  /** |eta U|_2; singular values of G0 end at 1 + sqrt(h/d). */
  strength: nonNegative().max(1e6).default(3),
});
export type Config = z.output<typeof schema>;
export const start: z.input<typeof schema> = { experiment: 'spectrum' };

/** Bytes at the peak. */
export function memory({ inputs: d, hidden: h, samples: n, featureSamples: m }: Config): number {
  return 8 * (n * (d + 3 * h) + m * (d + 2 * h) + 8 * d * h + 3 * d * d + 5 * h * h);
}

export function work({ inputs: d, hidden: h, samples: n, featureSamples: m }: Config): number {
  return 2 * n * d * (d + 3 * h) + 2 * m * d * (h + d) + m * h ** 2 + 10 * h ** 3 + d ** 3;
}

export async function compute(config: Config, pause: Pause): Promise<Computed> {
  const { inputs: d, hidden: h, featureSamples: m, strength } = config;
  const stream = new Stream(config.seed).substream('spectrum');
  const eigenvalues = spectrum(config.covariance, d);
  const beta = stream.substream('direction').normal(Matrix.zeros(d, 1), 1 / Math.sqrt(d));
  const { fill: draw } = inputSampler(diagonalCovariance(eigenvalues), 'gaussian', 'float64');
  const g0 = stream.substream('features').normal(Matrix.zeros(h, d), 1 / Math.sqrt(d));
  const u = stepOf(config, g0, beta, draw, stream);
  await pause();

  const leadingStep = config.method === 'none' ? null : topRightSingularVectors(u, 1);
  // A gradient may be zero (of a constant activation, say): then there is no step.
  const top = leadingStep === null || !(leadingStep.values[0] > 0) ? null : leadingStep;
  const g1 = top === null ? g0 : axpby(-strength / top.values[0], u, 1, g0.clone());
  const weights = gramSingularValues(g1);
  const law = marchenkoPastur({ eigenvalues: [1], ratio: h / d });
  const spike = spikedMatrix({ ratio: h / d, strength: top === null ? 0 : strength });
  const leading = topRightSingularVectors(g1, 1).vectors.data;
  await pause();

  const x = Matrix.zeros(m, d);
  draw(stream.substream('feature samples'), x);
  const z = linkOf(config.activation).apply(gemm(x, g1, { transposeB: true }), Matrix.zeros(m, h));
  const features = symmetricEigenvalues(syrk(z, { transpose: true, alpha: 1 / m }));
  await pause();
  const hidden = syrk(scaleColumns(g1.clone(), eigenvalues.map(Math.sqrt)));
  const moments = symmetricEigenvalues(featureMoments(hidden, config.activation));
  // Of a population of lower rank, rounding leaves eigenvalues near 0: they are 0.
  const rounding = h * 2 ** -52 * moments[h - 1];
  const population = moments.map((l) => (l > rounding ? l : 0));
  const equivalent = marchenkoPastur({ eigenvalues: population, ratio: h / m });
  await pause();

  const bulk = weights.slice(spike.separates ? 1 : 0);
  return {
    metrics: afterOneStep({
      topWeight: weights[0],
      topWeightTheory: spike.location,
      topDirection: squaredCosine(leading, beta.data),
      stepDirection: top === null ? NaN : squaredCosine(top.vectors.data, beta.data),
      topWithStep: top === null ? NaN : squaredCosine(leading, top.vectors.data),
      topWithStepTheory: spike.right,
      weightsOff: largestGap(bulk.map((s) => s * s).reverse(), law, Math.min(h, d) / h),
      featuresOff: largestGap(features, equivalent, 1),
      topFeature: features[h - 1],
      topFeatureTheory: equivalent.edges[equivalent.edges.length - 1][1],
    }),
    tables: {
      weights: { singularValue: Array.from(weights) },
      weightsDensity: densityOf(law, { of: Math.sqrt, at: (s) => [s * s, (2 * s * h) / Math.min(h, d)] }),
      features: { eigenvalue: Array.from(features).reverse() },
      featuresDensity: densityOf(equivalent, { of: (l) => l, at: (l) => [l, 1] }),
    },
  };
}

function stepOf(config: Config, g0: Matrix, beta: Matrix, draw: (stream: Stream, x: Matrix) => void, stream: Stream): Matrix {
  const { inputs: d, samples: n, hidden: h, noise, method, lambda } = config;
  if (method === 'none') return Matrix.zeros(h, d);
  const x = Matrix.zeros(n, d);
  draw(stream.substream('step'), x);
  const y = linkOf(config.teacher).apply(gemm(x, beta), Matrix.zeros(n, 1));
  axpby(1, stream.substream('noise').normal(Matrix.zeros(n, 1), noise), 1, y);
  const signs = stream.substream('output').rademacher(Matrix.zeros(1, h), 1 / h);
  const gradient = firstLayerGradient({ activation: config.activation, batchNorm: false }, { x, y }, g0, signs);
  if (method === 'sgd') return gradient;
  const gram = syrk(x, { transpose: true, alpha: 1 / n });
  return transpose(shiftedSolve(gram, transpose(gradient), [lambda]).solutions[0]);
}

/** A variable that a law's eigenvalues are seen through. */
interface Seen {
  /** Of an eigenvalue. */
  readonly of: (eigenvalue: number) => number;
  /** The eigenvalue at a place, and what the law's density there is multiplied by. */
  readonly at: (place: number) => readonly [eigenvalue: number, factor: number];
}

/** Points of the density curve in that variable, support by support, closer together at the edges. */
function densityOf(law: MarchenkoPastur, { of, at }: Seen): NumberTable {
  const [x, density, interval]: [number[], number[], number[]] = [[], [], []];
  const first = of(law.edges[0][1]) - of(law.edges[0][0]);
  law.edges.forEach(([low, high], k) => {
    const [from, to] = [of(low), of(high)];
    const count = Math.max(9, Math.min(160, Math.round((160 * (to - from)) / (first || 1))));
    for (let i = 0; i <= count; i++) {
      const place = from + ((to - from) * (1 - Math.cos((Math.PI * i) / count))) / 2;
      const [eigenvalue, factor] = at(place);
      x.push(place);
      density.push(eigenvalue > low && eigenvalue < high ? law.density(eigenvalue) * factor : 0);
      interval.push(k);
    }
  });
  return { x, density, interval };
}

/** Largest difference between the counts of eigenvalues (ascending) below a place, as a share, and the law's.
 *  @param share  of the law's dimension that the eigenvalues are */
function largestGap(values: ArrayLike<number>, law: MarchenkoPastur, share: number): number {
  const n = values.length;
  let [worst, mass, before] = [0, 0, 0];
  const stride = Math.max(1, Math.floor(n / 60));
  for (let i = 0; i < n; i += stride) {
    if (!(values[i] > 1e-12)) continue;
    mass += law.mass(before, values[i]);
    before = values[i];
    worst = Math.max(worst, Math.abs((law.atom * (share === 1 ? 1 : 0) + mass) / share - (i + 0.5) / n));
  }
  return worst;
}

function squaredCosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return (ab * ab) / (aa * bb);
}
