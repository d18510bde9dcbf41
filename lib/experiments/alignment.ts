/**
 * Experiment `alignment`: the direction that one step learns from n samples of a single-index teacher, against the theory of large
 * dimensions (Zhang, Moniri et al. 2025; theory/alignment.ts). The step is X'y/n for SGD, the sign of its entries for Adam, and
 * (X'X/n + lambda I)^-1 X'y/n for the layer-wise preconditioned one. Inputs are along the eigenvectors of Sigma, which changes nothing but
 * for Adam: it is also seen in a random basis.
 */
import { z } from 'zod';
import { diagonalCovariance, inputSampler, spectrum, spectrumSchema } from '../data/index.js';
import { dot, gemmInto, Matrix, ridgePath, shiftedSolve, syrkInto } from '../linalg/index.js';
import { linkOf, linkSchema } from '../links/index.js';
import { nonNegative, seed, size } from '../options.js';
import { orthonormalRows, Stream } from '../random/index.js';
import { alignment as theory, type Alignment } from '../theory/index.js';
import { afterOneStep, type Computed, type Pause } from './computed.js';

const lambdaGrid = (): number[] => Array.from({ length: 15 }, (_, i) => Number((10 ** (-2 + (4 * i) / 14)).toPrecision(3)));

export const schema = z.strictObject({
  experiment: z.literal('alignment'),
  /** Decides the teacher's direction and the samples, each through a stream of its own. */
  seed: seed().default(0),
  /** d. */
  dimension: size().default(500),
  /** n. */
  samples: size().default(1000),
  /** Spectrum of Sigma; its basis is that of the axes. */
  covariance: spectrumSchema.prefault({ family: 'power' }),
  /** s*. */
  teacher: linkSchema.default('tanh'),
  /** Standard deviation of the label noise. */
  noise: nonNegative().default(0.5),
  /** Of the preconditioned step, in the order of the table; 0 is the limit from above. */
  lambdas: z.array(nonNegative()).min(1).default(lambdaGrid()),
});
export type Config = z.output<typeof schema>;
export const start: z.input<typeof schema> = { experiment: 'alignment' };

/** Numbers drawn at a time, of which a block of samples has its rows. */
const BLOCK = 2 ** 24;
const blockRows = ({ dimension, samples }: Config): number =>
  samples < dimension ? samples : Math.max(1, Math.min(samples, Math.floor(BLOCK / dimension)));
/** Lanczos vectors held at most, for one right-hand side (linalg/shiftedSolve.ts). */
const KRYLOV = 400;

/** Bytes at the peak: samples in blocks and the d x d matrix X'X/n or, where samples are fewer, all of X and X X'/n; and Lanczos vectors. */
export function memory(config: Config): number {
  const { dimension: d, samples: n, lambdas } = config;
  const small = Math.min(n, d);
  return 8 * (small * small + blockRows(config) * d + Math.min(small, KRYLOV) * small + (lambdas.length + 8) * d);
}

/** Moments of the samples, a factorisation or two, and products for the path. */
export function work({ dimension: d, samples: n, lambdas }: Config): number {
  const small = Math.min(n, d);
  return n * d * small + small ** 3 + 20 * lambdas.length * small ** 2 + 8e7 * lambdas.length; // the last is theory, in plain loops
}

export async function compute(config: Config, pause: Pause): Promise<Computed> {
  const { dimension: d, samples: n, covariance, teacher, noise, lambdas } = config;
  const stream = new Stream(config.seed).substream('alignment');
  const eigenvalues = spectrum(covariance, d);
  const beta = stream.substream('direction').normal(Matrix.zeros(d, 1), 1 / Math.sqrt(d));
  const draw = sampler(config, eigenvalues, beta, stream.substream('samples'));
  const { gradient, path } = n < d ? fromGramOfRows(config, draw) : await fromMoments(config, draw, pause);

  const rest = { eigenvalues, beta: beta.data, samples: n, teacher, noise };
  const expected = lambdas.map((lambda) => theory({ ...rest, lambda }));
  const seen = path.map((b) => aligned(b.data, beta.data));
  const sign = gradient.data.map(Math.sign);
  return {
    metrics: afterOneStep({
      sgd: aligned(gradient.data, beta.data).rho2,
      sgdTheory: theory({ ...rest, lambda: Infinity }).rho2,
      adam: aligned(sign, beta.data).rho2,
      adamRotated: signInRandomBasis(gradient, beta, stream.substream('basis')),
    }),
    tables: { path: { lambda: lambdas, ...columns(seen, ''), ...columns(expected, 'Theory') } },
  };
}

type Seen = Pick<Alignment, 'rho2' | 'inner' | 'norm2'>;

const columns = (rows: readonly Seen[], suffix: string): Record<string, number[]> => ({
  [`rho2${suffix}`]: rows.map((r) => r.rho2),
  [`inner${suffix}`]: rows.map((r) => r.inner),
  [`norm2${suffix}`]: rows.map((r) => r.norm2),
});

function aligned(b: ArrayLike<number>, beta: ArrayLike<number>): Seen {
  let [inner, norm2, length2] = [0, 0, 0];
  for (let i = 0; i < beta.length; i++) {
    inner += b[i] * beta[i];
    norm2 += b[i] * b[i];
    length2 += beta[i] * beta[i];
  }
  return { rho2: norm2 === 0 ? 0 : (inner * inner) / (norm2 * length2), inner, norm2 };
}

/** The next so many samples. */
type Draw = (rows: number) => { readonly x: Matrix; readonly y: Matrix };

function sampler({ dimension: d, teacher, noise }: Config, eigenvalues: Float64Array, beta: Matrix, stream: Stream): Draw {
  const { fill } = inputSampler(diagonalCovariance(eigenvalues), 'gaussian', 'float64');
  const link = linkOf(teacher);
  const errors = stream.substream('noise');
  let [x, t, y] = [Matrix.zeros(0, d), Matrix.zeros(0, 1), Matrix.zeros(0, 1)];
  return (rows) => {
    if (x.rows !== rows) [x, t, y] = [Matrix.zeros(rows, d), Matrix.zeros(rows, 1), Matrix.zeros(rows, 1)];
    fill(stream, x);
    link.apply(gemmInto(t, x, beta), y);
    errors.normal(t, noise);
    for (let i = 0; i < rows; i++) y.data[i] += t.data[i];
    return { x, y };
  };
}

interface Steps {
  /** X'y/n. */
  readonly gradient: Matrix;
  /** (X'X/n + lambda I)^-1 X'y/n for each lambda. */
  readonly path: readonly Matrix[];
}

async function fromMoments(config: Config, draw: Draw, pause: Pause): Promise<Steps> {
  const { dimension: d, samples: n, lambdas } = config;
  const [gram, gradient] = [Matrix.zeros(d, d), Matrix.zeros(d, 1)];
  const rows = blockRows(config);
  for (let done = 0; done < n; done += rows) {
    await pause();
    const { x, y } = draw(Math.min(rows, n - done));
    syrkInto(gram, x, true, 1 / n, 1);
    gemmInto(gradient, x, y, 'TN', 1 / n, 1);
  }
  await pause();
  return { gradient, path: shiftedSolve(gram, gradient, lambdas).solutions };
}

function fromGramOfRows({ samples, lambdas }: Config, draw: Draw): Steps {
  const { x, y } = draw(samples);
  const [gradient, ...path] = ridgePath(x, y, [Infinity, ...lambdas]);
  return { gradient, path };
}

/** Alignment of Q' sign(Q b) for a Haar-random basis Q: of Q, only where it takes the plane of b and beta matters, two orthonormal
 *  vectors that are uniformly random. */
function signInRandomBasis(b: Matrix, beta: Matrix, stream: Stream): number {
  const d = b.rows;
  if (d < 2) return aligned(b.data.map(Math.sign), beta.data).rho2;
  const frame = orthonormalRows(2, d, stream);
  const { inner, norm2 } = aligned(b.data, beta.data);
  const length = Math.sqrt(norm2);
  const along = inner / length; // beta = along b/|b| + across (the rest)
  const across = Math.sqrt(Math.max(0, dot(beta, beta) - along * along));
  const [u, v] = [frame.data.subarray(0, d), frame.data.subarray(d)];
  const rotated = Float64Array.from({ length: d }, (_, i) => along * u[i] + across * v[i]);
  return aligned(u.map(Math.sign), rotated).rho2;
}
