import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { imageClassification, indexModel, linearRepresentation } from '../../lib/data/index.js';
import { LayerwiseError, OptionsError } from '../../lib/errors.js';
import { softmaxCrossEntropy, squared } from '../../lib/losses/index.js';
import { multilayerPerceptron, twoLayer } from '../../lib/networks/index.js';
import { adam, ekfac, layerwise } from '../../lib/optimizers/index.js';
import { decodeCheckpoint, encodeCheckpoint, Training } from '../../lib/train/index.js';
import type { Loss, Network, Optimizer, Task } from '../../lib/types.js';

const IMAGES = fileURLToPath(new URL('../fixtures/fashion-mnist-sample', import.meta.url));

interface Scene {
  readonly title: string;
  readonly task: () => Task;
  readonly network: () => Network;
  readonly optimizer: () => Optimizer;
  readonly loss?: Loss;
}
const linear = (options: Parameters<typeof linearRepresentation>[0]): (() => Task) => {
  return () => linearRepresentation({ inputs: 20, outputs: 5, rank: 3, ...options });
};
const two = (dtype: 'float64' | 'float32' = 'float64'): (() => Network) => {
  return () => twoLayer({ inputs: 20, hidden: 3, outputs: 5, dtype });
};
const SCENES: readonly Scene[] = [
  { title: 'signs as factors', task: linear({}), network: two(), optimizer: () => layerwise() },
  { title: 'signs as factors in float32', task: linear({ dtype: 'float32' }), network: two('float32'), optimizer: () => adam() },
  {
    title: 'normals as factors',
    task: linear({ distribution: 'gaussian' }),
    network: two(),
    optimizer: () => ekfac({ learningRate: 0.05 }), // multiplies them out
  },
  {
    title: 'inputs that are no factors',
    task: () => indexModel({ inputs: 12, covariance: { family: 'power', basis: 'identity' } }),
    network: () => twoLayer({ inputs: 12, hidden: 6, outputs: 1, activation: 'relu' }),
    optimizer: () => adam(),
  },
  {
    title: 'images',
    task: () => imageClassification({ directory: IMAGES }),
    network: () => multilayerPerceptron({ inputs: 784, hidden: [8], outputs: 10, dtype: 'float32' }),
    optimizer: () => adam(),
    loss: softmaxCrossEntropy,
  },
];

const trainingOf = ({ task, network, optimizer, loss = squared }: Scene, prefetch: boolean, resume?: Uint8Array): Training =>
  new Training({
    task: task(),
    network: network(),
    optimizer: optimizer(),
    loss,
    batch: 64,
    steps: 25,
    every: 5,
    prefetch,
    resume: resume === undefined ? undefined : decodeCheckpoint(resume),
  });

function ended(training: Training): Training {
  while (training.advance(4));
  return training;
}

describe.each(SCENES)('with $title', (scene) => {
  const plain = ended(trainingOf(scene, false));

  it('batches made on another core are the same, and so is all that is learned from them', () => {
    const other = ended(trainingOf(scene, true));
    expect(other.record().metrics).toEqual(plain.record().metrics);
    other.network.params.forEach(({ value }, i) => expect(value.data).toEqual(plain.network.params[i].value.data));
  });
});

describe('a checkpoint', () => {
  const [scene] = SCENES;
  const plain = ended(trainingOf(scene, false));
  it.each([
    [true, false],
    [false, true],
    [true, true],
  ])('made with prefetch %s is gone on from with prefetch %s', (before, after) => {
    const first = trainingOf(scene, before);
    first.advance(7);
    const saved = encodeCheckpoint(first.checkpoint());
    first.stop('enough');
    const second = ended(trainingOf(scene, after, saved));
    expect(second.record().metrics).toEqual(plain.record().metrics);
  });
});

it('a task that no other thread can make is refused: one of the caller, and one whose samples are', () => {
  const task = linearRepresentation({ inputs: 20, outputs: 5, rank: 3 });
  const own: Task = { ...task, sample: (stream, batch) => void stream.normal(batch.inputs) };
  const none = { ...task };
  delete (none as { origin?: unknown }).origin;
  for (const refused of [own, none])
    expect(() => new Training({ task: refused, network: two()(), optimizer: adam(), prefetch: true })).toThrow(OptionsError);
  expect(() => new Training({ task: none, network: two()(), optimizer: adam(), prefetch: true })).toThrow(
    /train: prefetch: needs a task that another thread can make from plain options/,
  );
});

it('a thread that cannot make the task says why', () => {
  const task = linearRepresentation({ inputs: 20, outputs: 5, rank: 3 });
  for (const [broken, why] of [
    [{ module: 'file:///no/such/module.js' }, /no\/such\/module/],
    [{ options: { inputs: -1 } }, /inputs: must be/],
    [{ factory: 'noFactory' }, /not a function/],
  ] as const) {
    const wrong: Task = { ...task, origin: { ...task.origin!, ...broken } };
    const training = new Training({ task: wrong, network: two()(), optimizer: adam(), batch: 8, prefetch: true });
    expect(() => training.advance(1)).toThrow(LayerwiseError);
    expect(() => training.advance(1)).toThrow(why);
  }
});

it('a run that nobody ends does not keep the process', () => {
  const source = `
    import { adam, linearRepresentation, Training, twoLayer } from './lib/index.ts';
    const task = linearRepresentation({ inputs: 20, outputs: 5, rank: 3 });
    const network = twoLayer({ inputs: 20, hidden: 3, outputs: 5 });
    const training = new Training({ task, network, optimizer: adam(), prefetch: true });
    training.advance(3);
    console.log(training.step);`;
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ stdout, status }).toEqual({ stdout: '3\n', status: 0 });
});
