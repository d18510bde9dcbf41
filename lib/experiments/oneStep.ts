/**
 * Experiment `one-step`: features after one step on the first layer of f(x) = F s(G x), judged by a ridge head on fresh samples (Zhang,
 * Moniri et al. 2025; Ba et al. 2022). From G0 with entries N(0, 1/d), F0 of +-1/h, and U the gradient on n samples of a single-index
 * teacher, turned into a step by each method, G1 = G0 - eta U with |eta U|_2 = h^exponent. Step size, damping and ridge are those of the
 * least error on validation samples. Adam's first step is the sign of U's entries, along Sigma's eigenvectors (`adam`) or in a random basis
 * of the inputs (`adamRotated`, and with batch-norm); test errors are on samples that chose nothing, over the variance of their targets.
 */
import { z } from 'zod';
import { diagonalCovariance, inputSampler, spectrum, spectrumSchema } from '../data/index.js';
import { axpby, gemm, Matrix, ridgePath, scaleColumns, shiftedSolve, singularValues, syrk, transpose } from '../linalg/index.js';
import { activationSchema, linkOf, linkSchema } from '../links/index.js';
import { nonNegative, positive, seed, size } from '../options.js';
import { haar, Stream } from '../random/index.js';
import { afterOneStep, type Computed, type Pause } from './computed.js';
import { firstLayerGradient } from './firstLayer.js';
import { LayerFeatures, type Sample } from './layerFeatures.js';

export const schema = z.strictObject({
  experiment: z.literal('one-step'),
  /** Decides teacher, initialisation and samples, each through a stream of its own. */
  seed: seed().default(0),
  /** d. */
  inputs: size().default(300),
  /** h. */
  hidden: size().default(600),
  /** n, of the step. */
  samples: size().default(900),
  /** Fresh ones, of the head. */
  headSamples: size().default(900),
  validationSamples: size().default(1000),
  testSamples: size().default(4000),
  covariance: spectrumSchema.prefault({ family: 'power' }),
  teacher: linkSchema.prefault({ name: 'tanh', gain: 3 }),
  /** Standard deviation of the label noise. */
  noise: nonNegative().default(0.1),
  activation: activationSchema.default('relu'),
  /** Dampings of the preconditioned step. */
  lambdas: z.array(positive()).min(1).default([0.01, 0.03, 0.1, 0.3, 1, 3]),
  /** Step sizes, as exponents of h. */
  exponents: z.array(z.number().min(-2).max(2)).min(1).default([0, 0.25, 0.5, 0.75, 1]),
  /** Penalties of the head. */
  ridges: z.array(positive()).min(1).default([1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1, 3]),
});
export type Config = z.output<typeof schema>;
export const start: z.input<typeof schema> = { experiment: 'one-step' };

/** Bytes at the peak: samples of every kind with their features, the matrices of the layer, and Gram matrices. */
export function memory({ inputs: d, hidden: h, samples, headSamples, validationSamples, testSamples, lambdas }: Config): number {
  const rows = samples + headSamples + validationSamples + testSamples;
  return 8 * (rows * d + 3 * Math.max(samples, headSamples) * h + (lambdas.length + 10) * d * h + 3 * d * d + 2 * h * h);
}

/** How many directions a step is taken along, beside one for every damping. */
const DIRECTIONS = 6;

export function work(config: Config): number {
  const { inputs: d, hidden: h, samples, headSamples, validationSamples, testSamples, lambdas, exponents } = config;
  const drawn = (samples + headSamples + validationSamples + testSamples) * d * d;
  const searched = 2 * (headSamples + validationSamples) * d * h + 2 * headSamples * h ** 2 + h ** 3;
  return drawn + (DIRECTIONS + lambdas.length) * exponents.length * searched + d ** 3;
}

interface Scene {
  readonly config: Config;
  readonly features: LayerFeatures;
  readonly head: Sample;
  readonly validation: Sample;
  readonly test: Sample;
  readonly initial: Matrix; // G0, h x d
}

/** A way to step, and whether the hidden layer is batch-normalised. */
interface Method {
  readonly step: Matrix; // h x d, U
  readonly normalised: boolean;
}

/** The best of a method on the validation samples. */
interface Best {
  readonly validation: number;
  readonly test: number;
  readonly exponent: number;
  readonly ridge: number;
}

export async function compute(config: Config, pause: Pause): Promise<Computed> {
  const { inputs: d, hidden: h, lambdas } = config;
  const stream = new Stream(config.seed).substream('one-step');
  const eigenvalues = spectrum(config.covariance, d);
  const beta = stream.substream('direction').normal(Matrix.zeros(d, 1), 1 / Math.sqrt(d));
  const teacher = linkOf(config.teacher);
  const draw = (role: string, rows: number): Sample => {
    const own = stream.substream(role);
    const x = Matrix.zeros(rows, d);
    inputSampler(diagonalCovariance(eigenvalues), 'gaussian', 'float64').fill(own, x);
    const y = teacher.apply(gemm(x, beta), Matrix.zeros(rows, 1));
    return { x, y: axpby(1, own.substream('noise').normal(Matrix.zeros(rows, 1), config.noise), 1, y) };
  };
  const initial = stream.substream('features').normal(Matrix.zeros(h, d), 1 / Math.sqrt(d));
  const head = draw('head', config.headSamples);
  const scene: Scene = {
    config,
    features: new LayerFeatures(linkOf(config.activation), head.x, h),
    head,
    validation: draw('validation', config.validationSamples),
    test: draw('test', config.testSamples),
    initial,
  };
  const sample = draw('step', config.samples);
  const signs = stream.substream('output').rademacher(Matrix.zeros(1, h), 1 / h);
  const { activation } = config;
  const gradient = firstLayerGradient({ activation, batchNorm: false }, sample, initial, signs);
  const normalised = firstLayerGradient({ activation, batchNorm: true }, sample, initial, signs);
  const rotation = haar(d, stream.substream('basis'));
  const sign = (g: Matrix): Matrix => Matrix.wrap(g.data.map(Math.sign), h, d);
  const rotatedSign = (g: Matrix): Matrix => gemm(sign(gemm(g, rotation, { transposeB: true })), rotation);
  const gram = syrk(sample.x, { transpose: true, alpha: 1 / sample.x.rows });
  const preconditioned = shiftedSolve(gram, transpose(gradient), lambdas).solutions.map((s) => transpose(s));
  const methods: Record<string, Method> = {
    sgd: { step: gradient, normalised: false },
    adam: { step: sign(gradient), normalised: false },
    adamRotated: { step: rotatedSign(gradient), normalised: false },
    population: { step: scaleColumns(gradient.clone(), eigenvalues.map((l) => 1 / l)), normalised: false }, // prettier-ignore
    batchNormSgd: { step: normalised, normalised: true },
    batchNormAdam: { step: rotatedSign(normalised), normalised: true },
  };
  await pause();
  const none = bestOf(scene, { step: Matrix.zeros(h, d), normalised: false }, [0]);
  const found: Record<string, Best> = { none };
  for (const [name, method] of Object.entries(methods)) {
    await pause();
    found[name] = bestOf(scene, method, config.exponents);
  }
  const path: Best[] = [];
  for (const step of preconditioned) {
    await pause();
    path.push(bestOf(scene, { step, normalised: false }, config.exponents));
  }
  found['layerwise'] = path.reduce((a, b) => (b.validation < a.validation ? b : a));
  const of = (f: (b: Best) => number): Record<string, number> => Object.fromEntries(Object.entries(found).map(([k, b]) => [k, f(b)]));
  const chosen = Object.fromEntries(Object.entries(of((b) => b.exponent)).map(([k, v]) => [k, [v]]));
  const ridge = Object.fromEntries(Object.entries(of((b) => b.ridge)).map(([k, v]) => [k, [v]]));
  return {
    metrics: afterOneStep(of((b) => b.test)),
    tables: {
      lambda: {
        lambda: lambdas,
        error: path.map((b) => b.test),
        validation: path.map((b) => b.validation),
        exponent: path.map((b) => b.exponent),
        ridge: path.map((b) => b.ridge),
      },
      exponent: chosen,
      ridge,
    },
  };
}

/** Over step sizes and ridges, by the validation samples. */
function bestOf(scene: Scene, { step, normalised }: Method, exponents: readonly number[]): Best {
  const { config, features, initial, head, validation, test } = scene;
  const strength = singularValues(step)[0];
  let best: (Best & { readonly coefficients: Matrix; readonly g: Matrix }) | undefined;
  for (const exponent of exponents) {
    // A zero step has no size: its features are the initial ones.
    const eta = strength > 0 ? config.hidden ** exponent / strength : 0;
    const g = axpby(-eta, step, 1, initial.clone());
    const heads = ridgePath(features.take(g, normalised), head.y, config.ridges);
    features.relativeErrors(validation, besideEachOther(heads)).forEach((error, k) => {
      if (best === undefined || error < best.validation)
        best = { validation: error, test: NaN, exponent, ridge: config.ridges[k], coefficients: heads[k], g };
    });
  }
  const { coefficients, g, ...rest } = best!;
  features.take(g, normalised);
  return { ...rest, test: features.relativeErrors(test, coefficients)[0] };
}

/** h x r of r columns. */
function besideEachOther(columns: readonly Matrix[]): Matrix {
  const [h, r] = [columns[0].rows, columns.length];
  const out = Matrix.zeros(h, r);
  columns.forEach(({ data }, k) => {
    for (let i = 0; i < h; i++) out.data[i * r + k] = data[i];
  });
  return out;
}
