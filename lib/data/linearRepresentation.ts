/**
 * Linear representation learning (Zhang, Moniri et al. 2025): y = F* G* x + e with x = Sigma^(1/2) u. The training and the
 * transfer task share G* (orthonormal rows) and differ in F*, Sigma and noise.
 */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { type Dtype, Matrix, type Rows, gemm, gemmInto, projectionOn } from '../linalg/index.js';
import { nonNegative, parseOptions, seed, size } from '../options.js';
import { Stream, haar, orthonormalRows } from '../random/index.js';
import type { Covariance, LinearTeacher, RepresentationTask } from '../types.js';
import { covariance, covarianceSchema, spectrum } from './covariance.js';
import { inputSampler, type Distribution } from './inputs.js';

/** Condition number of F*: singular values log-spaced between 1 and its inverse. */
const headCondition = z.number().min(1);

export const linearRepresentationSchema = z.strictObject({
  /** d_X. */
  inputs: size().default(100),
  /** d_Y. */
  outputs: size().default(15),
  /** k, the dimension of the shared features. */
  rank: size().default(8),
  /** Standard deviation of the label noise. */
  noise: nonNegative().default(0.1),
  headCondition: headCondition.default(3),
  /** Distribution of u in x = Sigma^(1/2) u: signs (the paper's choice) or normals. */
  distribution: z.enum(['rademacher', 'gaussian']).default('rademacher'),
  covariance: covarianceSchema.prefault({ family: 'log' }),
  /** The transfer task; what is left out is as in training, with its own draw of basis and head. */
  transfer: z
    .strictObject({ covariance: covarianceSchema.optional(), headCondition: headCondition.optional(), noise: nonNegative().optional() })
    .prefault({}),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  seed: seed().default(0),
});
export type LinearRepresentationOptions = z.input<typeof linearRepresentationSchema>;

/** A task of linear representation learning; equal options give equal tasks.
 *  @throws OptionsError naming the field, the value and what is allowed */
export function linearRepresentation(options: LinearRepresentationOptions = {}): RepresentationTask {
  const o = parseOptions(linearRepresentationSchema, options, 'linearRepresentation');
  for (const [name, limit] of [
    ['inputs', o.inputs],
    ['outputs', o.outputs],
  ] as const)
    if (o.rank > limit)
      throw new OptionsError('linearRepresentation', [
        { path: 'rank', value: String(o.rank), message: `must be at most ${name} = ${limit}; got ${o.rank}` },
      ]);
  const stream = new Stream(o.seed).substream('linear-representation');
  const features = orthonormalRows(o.rank, o.inputs, stream.substream('features'));
  const teacher = (role: string, sigma: z.output<typeof covarianceSchema>, condition: number, noise: number): LinearTeacher => {
    const own = stream.substream(role);
    return linearTeacher({
      name: `linear-representation/${role}`,
      features,
      head: head(o.outputs, o.rank, condition, own.substream('head')),
      covariance: covariance(sigma, o.inputs, own.substream('basis')),
      noise,
      dtype: o.dtype,
      distribution: o.distribution,
    });
  };
  const train = teacher('train', o.covariance, o.headCondition, o.noise);
  const transferSigma = o.transfer.covariance ?? o.covariance;
  if (transferSigma.family === 'spiked') spectrum(transferSigma, o.inputs); // one that does not fit is told of here
  let transfer: LinearTeacher | undefined;
  return {
    ...train,
    /** Made when first asked for: its basis costs as much as the training task's. */
    get transfer() {
      return (transfer ??= teacher('transfer', transferSigma, o.transfer.headCondition ?? o.headCondition, o.transfer.noise ?? o.noise));
    },
    origin: { module: import.meta.url, factory: 'linearRepresentation', options: o, sample: train.sample },
  };
}

/** F*: Haar-random singular vectors, singular values log-spaced between 1 and 1/condition. @returns outputs x k */
function head(outputs: number, k: number, condition: number, stream: Stream): Matrix {
  const left = orthonormalRows(k, outputs, stream.substream('left'));
  const right = haar(k, stream.substream('right'));
  for (let i = 0; i < k; i++) {
    const s = k === 1 ? 1 : condition ** (-i / (k - 1));
    for (let j = 0; j < k; j++) right.data[i * k + j] *= s;
  }
  return gemm(left, right, { transposeA: true });
}

interface TeacherParts {
  readonly name: string;
  readonly features: Matrix;
  readonly head: Matrix;
  readonly covariance: Covariance;
  readonly noise: number;
  readonly dtype: Dtype;
  readonly distribution: Distribution;
}

function linearTeacher(parts: TeacherParts): LinearTeacher {
  const { features, head, covariance: sigma, noise, dtype, distribution } = parts;
  const project = projectionOn(features.clone(dtype));
  const f = head.clone(dtype);
  const sampler = inputSampler(sigma, distribution, dtype);
  let projected = Matrix.zeros(0, 0, dtype);

  const fill = (stream: Stream, inputs: Rows, targets: Matrix): void => {
    if (projected.rows !== inputs.rows) projected = Matrix.zeros(inputs.rows, features.rows, dtype);
    sampler.fill(stream, inputs);
    // The noise goes in first and the signal is added by the product, so that the targets are written once.
    if (noise > 0) stream.normal(targets, noise);
    project(projected, inputs);
    gemmInto(targets, projected, f, 'NT', 1, noise > 0 ? 1 : 0);
  };
  return {
    name: parts.name,
    inputs: features.cols,
    outputs: head.rows,
    targets: head.rows,
    dtype,
    features,
    head,
    covariance: sigma,
    noise,
    sample: (stream, { inputs, targets }) => {
      fill(stream, inputs, targets);
    },
    colouredBatch(n, width) {
      const inputs = sampler.factors(n, width);
      if (inputs === null) return null;
      const targets = Matrix.zeros(n, head.rows, dtype);
      return {
        inputs,
        targets,
        draw: (stream) => {
          fill(stream, inputs, targets);
        },
      };
    },
  };
}
