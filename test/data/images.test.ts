import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FASHION_MNIST, imageClassification, type ImageClassificationOptions, type ImageTask } from '../../lib/data/index.js';
import { ArgumentError, FileError, OptionsError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { Stream } from '../../lib/random/index.js';
import type { Batch } from '../../lib/types.js';
import { DTYPES, expectClose, expectThrows, maxAbsDiff, refuses, sumOver } from '../close.js';
import { SAMPLE, SMALL_SET, folderOf, idx } from './idxFiles.js';

const sampleTask = (options: Partial<ImageClassificationOptions> = {}): ImageTask => imageClassification({ ...SAMPLE, ...options });

/** Five training images of 2 x 3 whose first pixel is 10 times their index. */
const tiny = folderOf(SMALL_SET);
const tinyTask = (options: Partial<ImageClassificationOptions> = {}): ImageTask =>
  imageClassification({ directory: tiny, standardise: false, dtype: 'float64', ...options });

const emptyBatch = (task: ImageTask, n: number): Batch => ({
  inputs: Matrix.zeros(n, task.inputs, task.dtype),
  targets: Matrix.zeros(n, 1, task.dtype),
});

function draw(task: ImageTask, stream: Stream, n: number): Batch {
  const batch = emptyBatch(task, n);
  task.sample(stream, batch);
  return batch;
}

/** Which images of the tiny set are in a batch. */
const indices = ({ inputs }: Batch): number[] => inputs.toRows().map((row) => Math.round(row[0] * 25.5));
const drawIndices = (stream: Stream, n: number, task = tinyTask()): number[] => indices(draw(task, stream, n));
const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

describe('imageClassification', () => {
  it('describes the data', () => {
    const { name, inputs, outputs, targets, dtype, height, width, channels, trainCount, testCount, checksum } = sampleTask();
    expect({ name, inputs, outputs, targets, dtype, height, width, channels, trainCount, testCount, checksum }).toEqual({
      name: 'image-classification',
      inputs: 784,
      outputs: 10,
      targets: 1,
      dtype: 'float32',
      height: 28,
      width: 28,
      channels: 1,
      trainCount: 200,
      testCount: 100,
      checksum: SAMPLE.checksum,
    });
  });

  it.each(DTYPES)('has the pixels over 255 as $dtype where it does not standardise, row by row, and labels as numbers', ({ dtype }) => {
    const task = tinyTask({ dtype });
    const pixels = (first: number): number[] => [0, 1, 2, 3, 4, 5].map((p) => (first + p) / 255);
    const test = task.test();
    expect([test.inputs.dtype, test.targets.dtype]).toEqual([dtype, dtype]);
    expect(test.inputs.data).toEqual(Matrix.from([pixels(100), pixels(110), pixels(120)], dtype).data);
    expect(test.targets.toRows()).toEqual([[2], [3], [0]]);
    const train = task.trainSubset(2);
    expect(train.inputs.data).toEqual(Matrix.from([pixels(0), pixels(10)], dtype).data);
    expect(train.targets.toRows()).toEqual([[0], [1]]);
  });

  it.each(DTYPES)('standardises by mean and deviation of all training pixels, the test set by the same: $dtype', ({ dtype, epsilon }) => {
    const [task, raw] = [true, false].map((standardise) => sampleTask({ standardise, dtype }));
    const { data } = raw.trainSubset(200).inputs;
    const mean = sumOver(data, (x) => x) / data.length;
    const deviation = Math.sqrt(sumOver(data, (x) => (x - mean) ** 2) / data.length);
    const standard = (x: number): number => (x - mean) / deviation;
    expectClose(task.trainSubset(200).inputs.data, Array.from(data, standard), 50 * epsilon + 1e-11);
    expectClose(task.test().inputs.data, Array.from(raw.test().inputs.data, standard), 50 * epsilon + 1e-11);
    expect(sumOver(task.trainSubset(200).inputs.data, (x) => x) / data.length).toBeCloseTo(0, 5);
  });

  it('standardises unless told otherwise', () => {
    expect(sampleTask().test().inputs.data).toEqual(sampleTask({ standardise: true }).test().inputs.data);
  });

  it('makes the test batch once, and training subsets anew', () => {
    const task = tinyTask();
    expect(task.test()).toBe(task.test());
    const [a, b] = [task.trainSubset(5), task.trainSubset(5)];
    expect(a).toEqual(b);
    expect(a.inputs.data).not.toBe(b.inputs.data);
  });
});

describe('sample of imageClassification', () => {
  it('gives each image of the training set with its label', () => {
    const task = sampleTask();
    const [drawn, all] = [draw(task, new Stream(1), 200), task.trainSubset(200)];
    const rows = ({ inputs, targets }: Batch): string[] => inputs.toRows().map((row, i) => `${targets.data[i]}: ${row.join(' ')}`);
    expect(rows(drawn)).not.toEqual(rows(all));
    expect(rows(drawn).sort()).toEqual(rows(all).sort());
  });

  it('draws without replacement within each epoch, each in an order of its own, whatever the batches', () => {
    const stream = new Stream(3);
    const drawn = [4, 3, 8, 5].flatMap((n) => drawIndices(stream, n));
    const epochs = [0, 5, 10, 15].map((at) => drawn.slice(at, at + 5));
    for (const epoch of epochs) expect(sorted(epoch)).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(2);
  });

  it('draws 3 batches of 50 as it draws 150 singles, and a batch over the end of an epoch as its parts', () => {
    const task = sampleTask();
    const drawAll = (sizes: readonly number[]): Batch => {
      const stream = new Stream(5).substream('batches');
      const whole = emptyBatch(task, 450);
      let row = 0;
      for (const n of sizes) {
        const { inputs, targets } = draw(task, stream, n);
        whole.inputs.data.set(inputs.data, row * inputs.cols);
        whole.targets.data.set(targets.data, row);
        row += n;
      }
      return whole;
    };
    const singles = drawAll(Array<number>(450).fill(1));
    for (const sizes of [Array<number>(9).fill(50), [150, 300], [450]]) {
      const batches = drawAll(sizes);
      expect(maxAbsDiff(batches.inputs, singles.inputs)).toBe(0);
      expect(maxAbsDiff(batches.targets, singles.targets)).toBe(0);
    }
  });

  it('moves the stream on by 64 bits a sample', () => {
    const stream = new Stream(1);
    draw(tinyTask(), stream, 7);
    expect(stream.state.position).toBe(7 * 64);
    draw(tinyTask(), stream, 0);
    expect(stream.state.position).toBe(7 * 64);
  });

  it('is a function of the stream: a seek back, a saved state and another task repeat it', () => {
    const task = tinyTask();
    const stream = new Stream(8);
    drawIndices(stream, 3, task);
    const saved = stream.state;
    const drawn = drawIndices(stream, 9, task);
    stream.seek(saved.position);
    expect(drawIndices(stream, 9, task)).toEqual(drawn);
    expect(drawIndices(Stream.from(saved), 9, tinyTask({ seed: 77 }))).toEqual(drawn);
  });

  it('differs between seeds and between streams of a seed, also when they take turns on one task', () => {
    const task = sampleTask();
    const streams = [new Stream(1), new Stream(2), new Stream(1).substream('other')];
    const fresh = streams.map((stream) => Array.from(draw(task, Stream.from(stream.state), 60).targets.data));
    expect(new Set(fresh.map(String)).size).toBe(3);
    const inTurns = streams.map((): number[] => []);
    for (let turn = 0; turn < 3; turn++) streams.forEach((stream, i) => inTurns[i].push(...draw(task, stream, 20).targets.data));
    expect(inTurns).toEqual(fresh);
  });

  it('shuffles epoch e by Fisher and Yates with the uniforms of substream `epoch e`', () => {
    const stream = new Stream(6);
    const expected = [0, 1, 2].flatMap((epoch) => {
      const u = stream.substream(`epoch ${epoch}`).uniform(new Float64Array(5));
      const order = [0, 1, 2, 3, 4];
      for (let i = 4; i > 0; i--) {
        const j = Math.floor(u[i] * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    });
    expect(drawIndices(stream, 15)).toEqual(expected);
  });

  it('is uniform over the orders', () => {
    const first = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0]); // [place][image]
    const task = tinyTask();
    const stream = new Stream(2);
    for (let epoch = 0; epoch < 2000; epoch++) drawIndices(stream, 5, task).forEach((image, place) => first[place][image]++);
    for (const counts of first) for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(4 * Math.sqrt(2000 * 0.2 * 0.8));
  });

  const task = tinyTask();
  const batch = emptyBatch(task, 3);
  const halfway = new Stream(1, 0, 96);
  const usedUp = new Stream(1, 0, 2 ** 53 - 64);
  refuses('sample', [
    [
      'inputs have other columns',
      () => task.sample(new Stream(1), { ...batch, inputs: Matrix.zeros(3, 5) }),
      /inputs n x 6 .*got 3 x 5 of/,
    ],
    ['targets are one-hot', () => task.sample(new Stream(1), { ...batch, targets: Matrix.zeros(3, 4) }), /targets n x 1 .* and 3 x 4 of/],
    ['rows differ', () => task.sample(new Stream(1), { ...batch, targets: Matrix.zeros(2, 1) }), /got 3 x 6 .* and 2 x 1 of float64/],
    ['inputs have another dtype', () => task.sample(new Stream(1), { ...batch, inputs: Matrix.zeros(3, 6, 'float32') }), /of float64, got/],
    ['targets have another dtype', () => task.sample(new Stream(1), { ...batch, targets: Matrix.zeros(3, 1, 'float32') }), /1 of float32/],
    ['the stream stands within a sample', () => task.sample(halfway, batch), /stands at bit 96, not at a whole sample of 64 bits/],
    ['the stream is used up', () => task.sample(usedUp, batch), /position must be an integer in \[0, 2\^53\)/],
  ]);

  it('leaves batch and stream alone when it refuses', () => {
    expect(() => task.sample(usedUp, batch)).toThrow(ArgumentError);
    expect(usedUp.state.position).toBe(2 ** 53 - 64);
    expect(batch.inputs.data.every((x) => x === 0)).toBe(true);
  });

  it('draws from the end of a stream as from its beginning', () => {
    const late = new Stream(1, 0, 64 * 5 * 2 ** 44);
    expect(sorted(drawIndices(late, 5))).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('trainSubset', () => {
  const task = tinyTask();
  refuses('trainSubset', [
    ['n is 0', () => task.trainSubset(0), /n must be an integer in \[1, 5\], got 0/],
    ['n is more than there are', () => task.trainSubset(6), /n must be an integer in \[1, 5\], got 6/],
    ['n is no integer', () => task.trainSubset(1.5), /n must be an integer in \[1, 5\], got 1.5/],
  ]);
});

describe('options of imageClassification', () => {
  it.each([
    [{}, /imageClassification: directory: is missing; must be a string/],
    [{ directory: '' }, /directory: must be of length at least 1/],
    [{ directory: 'x', checksum: 'abc' }, /checksum: must be 64 hexadecimal digits; got "abc"/],
    [{ directory: 'x', checksum: 'g'.repeat(64) }, /checksum: must be 64 hexadecimal digits/],
    [{ directory: 'x', standardise: 1 }, /standardise: must be a boolean; got 1/],
    [{ directory: 'x', dtype: 'uint8' }, /dtype: must be one of float64, float32; got "uint8"/],
    [{ directory: 'x', seed: -1 }, /seed: must be at least 0; got -1/],
    [{ directory: 'x', classes: 10 }, /classes: unknown key/],
  ])('are refused with OptionsError: %j', (options, message) => {
    expectThrows(() => imageClassification(options as ImageClassificationOptions), OptionsError, 'ERR_OPTIONS', message);
  });

  it('refuse data of another checksum with FileError that shows both', () => {
    const other = 'ab'.repeat(32);
    const message = new RegExp(`the data have checksum ${SAMPLE.checksum} where ${other} was expected`);
    expectThrows(() => sampleTask({ checksum: other }), FileError, 'ERR_FILE', message);
  });

  it('take a checksum in capitals', () => {
    expect(sampleTask({ checksum: SAMPLE.checksum.toUpperCase() }).checksum).toBe(SAMPLE.checksum);
  });

  it('refuse to standardise images without contrast with FileError, and take them as they are', () => {
    const directory = folderOf({ ...SMALL_SET, 'train-images-idx3-ubyte': idx([5, 2, 3], new Uint8Array(30).fill(51)) });
    expectThrows(() => imageClassification({ directory }), FileError, 'ERR_FILE', /all pixels .* equal.*set standardise to false/);
    expect(imageClassification({ directory, standardise: false, dtype: 'float64' }).trainSubset(1).inputs.data).toEqual(
      new Float64Array(6).fill(0.2),
    );
  });

  it('say that the folder is missing before anything else', () => {
    expectThrows(() => imageClassification({ directory: '/no/such' }), FileError, 'ERR_FILE', /no such folder/);
  });
});

describe('FASHION_MNIST', () => {
  it.skipIf(!existsSync(FASHION_MNIST.directory))("are options for Debian's package", () => {
    const task = imageClassification(FASHION_MNIST);
    expect([task.trainCount, task.testCount, task.inputs, task.outputs]).toEqual([60_000, 10_000, 784, 10]);
    // Mean and deviation of the training pixels as they are widely quoted: 0.2860, 0.3530.
    const [black, white] = [-0.286 / 0.353, (1 - 0.286) / 0.353];
    const { data } = task.test().inputs;
    let [low, high] = [Infinity, -Infinity];
    for (const x of data) [low, high] = [Math.min(low, x), Math.max(high, x)];
    expectClose([low, high], [black, white], 1e-3);
    const { targets } = draw(task, new Stream(1), 60_000);
    const counts = new Array<number>(10).fill(0);
    for (const label of targets.data) counts[label]++;
    expect(counts).toEqual(new Array<number>(10).fill(6000));
  });
});
