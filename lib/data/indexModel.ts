/**
 * Index models, y = r^(-1/2) sum_j s*(beta_j'x) + e: single-index for r = 1, multi-index above, with x = Sigma^(1/2) u and directions
 * beta_j ~ N(0, I/d) (Zhang, Moniri et al. 2025; Ba et al. 2022).
 */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { Matrix, type Rows, axpby, gemmInto, projectionOn, qr, transpose } from '../linalg/index.js';
import { linkOf, linkSchema, type LinkOptions } from '../links/index.js';
import { nonNegative, parseOptions, seed, size } from '../options.js';
import { Stream } from '../random/index.js';
import type { IndexTask } from '../types.js';
import { covariance, covarianceSchema } from './covariance.js';
import { inputSampler } from './inputs.js';

export const indexModelSchema = z.strictObject({
  /** d. */
  inputs: size().default(200),
  /** r. */
  directions: size().default(1),
  /** s*. */
  link: linkSchema.default('tanh'),
  /** Standard deviation of e. */
  noise: nonNegative().default(0.5),
  /** Distribution of u in x = Sigma^(1/2) u; theory is of normals. */
  distribution: z.enum(['rademacher', 'gaussian']).default('gaussian'),
  covariance: covarianceSchema.prefault({ family: 'power' }),
  dtype: z.enum(['float64', 'float32']).default('float64'),
  seed: seed().default(0),
});
/** `link` may be a function too. */
export type IndexModelOptions = Omit<z.input<typeof indexModelSchema>, 'link'> & {
  readonly link?: LinkOptions | ((t: number) => number);
};

/** A task with an index model for its teacher; equal options give equal tasks.
 *  @throws OptionsError naming the field, the value and what is allowed */
export function indexModel(options: IndexModelOptions = {}): IndexTask {
  const { link: given = 'tanh', ...rest } = options;
  const o = parseOptions(indexModelSchema, typeof given === 'function' ? rest : { ...rest, link: given }, 'indexModel');
  const { inputs: d, directions: r, noise, dtype } = o;
  if (r > d)
    throw new OptionsError('indexModel', [{ path: 'directions', value: String(r), message: `must be at most inputs = ${d}; got ${r}` }]);
  const link = linkOf(typeof given === 'function' ? given : o.link);
  const root = new Stream(o.seed).substream('index-model');
  const sigma = covariance(o.covariance, d, root.substream('basis'));
  const directions = root.substream('directions').normal(Matrix.zeros(r, d), 1 / Math.sqrt(d));
  const project = projectionOn(directions.clone(dtype));
  const sampler = inputSampler(sigma, o.distribution, dtype);
  let [index, values] = [Matrix.zeros(0, 0, dtype), Matrix.zeros(0, 0, dtype)];
  const ones = Matrix.from([new Array<number>(r).fill(1 / Math.sqrt(r))], dtype);
  const fill = (stream: Stream, x: Rows, targets: Matrix): void => {
    if (index.rows !== x.rows) [index, values] = [Matrix.zeros(x.rows, r, dtype), Matrix.zeros(x.rows, r, dtype)];
    sampler.fill(stream, x);
    link.apply(project(index, x), values);
    if (noise > 0) stream.normal(targets, noise);
    if (r === 1) axpby(1, values, noise > 0 ? 1 : 0, targets);
    else gemmInto(targets, values, ones, 'NT', 1, noise > 0 ? 1 : 0);
  };
  const sample: IndexTask['sample'] = (stream, batch) => {
    fill(stream, batch.inputs, batch.targets);
  };
  return {
    name: r === 1 ? 'single-index' : 'multi-index',
    inputs: d,
    outputs: 1,
    targets: 1,
    dtype,
    directions,
    features: transpose(qr(transpose(directions)).q),
    covariance: sigma,
    noise,
    link,
    sample,
    ...(typeof given === 'function' ? {} : { origin: { module: import.meta.url, factory: 'indexModel', options: o, sample } }),
    colouredBatch(n, width) {
      const x = sampler.factors(n, width);
      if (x === null) return null;
      const targets = Matrix.zeros(n, 1, dtype);
      return {
        inputs: x,
        targets,
        draw: (stream) => {
          fill(stream, x, targets);
        },
      };
    },
  };
}
