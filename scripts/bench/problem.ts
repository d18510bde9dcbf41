/**
 * The step that scripts/bench measures, one definition for all contenders: sizes, task, network and hyper-parameters, and the file
 * through which the C++ and Python programs receive the same numbers.
 */
import { writeFileSync } from 'node:fs';
import {
  type Network,
  Stream,
  Training,
  type RepresentationTask,
  layerwise,
  linearRepresentation,
  sgd,
  subspaceDistance,
  twoLayer,
} from '../../lib/index.js';

export const METHODS = ['sgd', 'layerwise'] as const;
export type Method = (typeof METHODS)[number];

const BATCH = 1024;
const RATE = 0.1;
const DAMPING = 1e-8;
const BATCH_SEED = 0;

const task = (): RepresentationTask =>
  linearRepresentation({ inputs: 100, outputs: 15, rank: 8, noise: 0.1, covariance: { family: 'log', condition: 100, basis: 'haar' } });

const network = ({ inputs, outputs, features }: RepresentationTask): Network => twoLayer({ inputs, outputs, hidden: features.rows });

/** A run of the benchmark's step; the subspace distance is taken every `every` steps. */
export function training(method: Method, steps: number, every: number): Training {
  const t = task();
  return new Training({
    task: t,
    network: network(t),
    optimizer: method === 'sgd' ? sgd({ learningRate: RATE }) : layerwise({ learningRate: RATE, damping: DAMPING, outputFactor: 'ggn' }),
    order: method === 'sgd' ? 'simultaneous' : 'alternating',
    metrics: { distance: subspaceDistance(t) },
    batch: BATCH,
    seed: BATCH_SEED,
    steps,
    every,
  });
}

/** Writes the problem as float64: n, d_X, d_Y, k, noise, rate, damping, seed and stream id of the batches; then G0, F0, G*, F*,
 *  Sigma^(1/2), each row-major. */
export function writeProblem(path: string): void {
  const t = task();
  const [g, f] = network(t).params.map((p) => p.value);
  // The stream Training draws its batches from: step.cc then draws the same ones.
  const { seed, stream } = new Stream(BATCH_SEED).substream('batches').state;
  const header = Float64Array.of(BATCH, t.inputs, t.outputs, t.features.rows, t.noise, RATE, DAMPING, seed, stream);
  const arrays = [header, ...[g, f, t.features, t.head, t.covariance.root].map((m) => m.data)];
  writeFileSync(path, Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength))));
}
