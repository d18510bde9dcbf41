/** Image classification from a folder of IDX files (MNIST, Fashion-MNIST and kin): grey-scale images, one class label each. */
import { z } from 'zod';
import { ArgumentError, FileError } from '../errors.js';
import { type Dtype, type Floats, Matrix } from '../linalg/index.js';
import { parseOptions, seed } from '../options.js';
import type { Stream } from '../random/index.js';
import type { Batch, Task } from '../types.js';
import { readImageFolder, type LabelledImages } from './idx.js';

export const imageClassificationSchema = z.strictObject({
  /** The folder of the four IDX files. */
  directory: z.string().min(1),
  /** SHA-256 of the decompressed files, as in `ImageFolder`; data of another are refused. */
  checksum: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
    .optional(),
  /** Subtract the training set's mean pixel and divide by its standard deviation; else pixels are in [0, 1]. */
  standardise: z.boolean().default(true),
  dtype: z.enum(['float64', 'float32']).default('float32'),
  /** Every task has one. It decides nothing here: the data are what they are, and the order of samples is the stream's. */
  seed: seed().default(0),
});
export type ImageClassificationOptions = z.input<typeof imageClassificationSchema>;

/** Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) where Debian's package dataset-fashion-mnist puts it: 60,000 + 10,000 images. */
export const FASHION_MNIST = {
  directory: '/usr/share/datasets/fashion-mnist',
  checksum: '14410854cf7a289477dcfc7df3f8ec24741e281cdcc425ede0d9a748ca630214',
} as const;

/** Classification of images. Inputs are n x (height width channels), the channels of a pixel side by side; targets are n x 1, the index
 *  of the class; outputs counts the classes. */
export interface ImageTask extends Task {
  /** Of the data, as in `ImageFolder`. */
  readonly checksum: string;
  readonly height: number;
  readonly width: number;
  readonly channels: 1;
  readonly trainCount: number;
  readonly testCount: number;
  /** All test samples in the order of their file: a held batch, made at the first call. */
  test(): Batch;
  /** The first n training samples in the order of their file: a new batch. @throws ArgumentError unless n is in [1, trainCount] */
  trainSubset(n: number): Batch;
}

/** A task of image classification. Samples are drawn without replacement within an epoch, each epoch in an order of its own; a batch goes
 *  on in the next epoch where one ends. Which samples come is a function of the stream's state alone: its position counts 64 bits a sample.
 *  @throws OptionsError naming the field, the value and what is allowed; FileError when the folder or its checksum is not as it should be */
export function imageClassification(options: ImageClassificationOptions): ImageTask {
  const o = parseOptions(imageClassificationSchema, options, 'imageClassification');
  const { train, test, height, width, classes, checksum } = readImageFolder(o.directory);
  if (o.checksum !== undefined && o.checksum.toLowerCase() !== checksum)
    throw new FileError(o.directory, `the data have checksum ${checksum} where ${o.checksum} was expected: these are not the same images`);
  const table = pixelTable(train.images, o.standardise, o.directory, o.dtype);
  const inputs = height * width;
  const batchOf = (set: LabelledImages, n: number): Batch => {
    const batch = { inputs: Matrix.zeros(n, inputs, o.dtype), targets: Matrix.zeros(n, 1, o.dtype) };
    for (let i = 0; i < n; i++) writeSample(set, i, table, batch, i);
    return batch;
  };
  let heldTest: Batch | undefined;
  const sample = sampler(train, table, inputs);
  return {
    name: 'image-classification',
    inputs,
    outputs: classes,
    targets: 1,
    dtype: o.dtype,
    checksum,
    height,
    width,
    channels: 1,
    trainCount: train.labels.length,
    testCount: test.labels.length,
    sample,
    origin: { module: import.meta.url, factory: 'imageClassification', options: o, sample },
    test: () => (heldTest ??= batchOf(test, test.labels.length)),
    trainSubset(n) {
      if (!Number.isInteger(n) || n < 1 || n > train.labels.length)
        throw new ArgumentError(`trainSubset: n must be an integer in [1, ${train.labels.length}], got ${n}`);
      return batchOf(train, n);
    },
  };
}

/** The value of each of the 256 pixels. */
function pixelTable(pixels: Uint8Array, standardise: boolean, directory: string, dtype: Dtype): Floats {
  const { mean, deviation } = standardise ? moments(pixels) : { mean: 0, deviation: 1 };
  if (deviation === 0)
    throw new FileError(
      directory,
      'all pixels for training are equal, so they cannot be divided by their deviation; set standardise to false',
    );
  const table = Matrix.zeros(1, 256, dtype).data;
  for (let value = 0; value < 256; value++) table[value] = (value / 255 - mean) / deviation;
  return table;
}

/** Mean and standard deviation of pixel / 255. */
function moments(pixels: Uint8Array): { mean: number; deviation: number } {
  const counts = new Float64Array(256);
  for (let i = 0; i < pixels.length; i++) counts[pixels[i]]++;
  const mean = counts.reduce((sum, count, value) => sum + count * value, 0) / pixels.length; // sums of integers: exact
  const variance = counts.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0) / pixels.length;
  return { mean: mean / 255, deviation: Math.sqrt(variance) / 255 };
}

function writeSample({ images, labels }: LabelledImages, at: number, table: Floats, { inputs, targets }: Batch, row: number): void {
  const { data, cols } = inputs;
  for (let from = at * cols, to = row * cols, end = from + cols; from < end; from++, to++) data[to] = table[images[from]];
  targets.data[row] = labels[at];
}

/** Bits of the stream that a sample counts for. */
const BITS = 64;

function sampler(train: LabelledImages, table: Floats, pixels: number): Task['sample'] {
  const count = train.labels.length;
  const orderOf = epochOrders(count);
  const dtype = Matrix.wrap(table, 1, 256).dtype;
  return (stream: Stream, batch: Batch) => {
    requireFit(batch, pixels, dtype);
    const { position } = stream.state;
    if (position % BITS !== 0)
      throw new ArgumentError(
        `imageClassification: the stream stands at bit ${position}, not at a whole sample of ${BITS} bits; give the batches a stream of their own`,
      );
    const { rows } = batch.inputs;
    stream.seek(position + BITS * rows);
    let drawn = position / BITS;
    for (let row = 0; row < rows;) {
      const from = drawn % count;
      const take = Math.min(rows - row, count - from);
      const order = orderOf(stream, (drawn - from) / count);
      for (let i = 0; i < take; i++) writeSample(train, order[from + i], table, batch, row + i);
      row += take;
      drawn += take;
    }
  };
}

/** The order of `count` samples in an epoch: a Fisher-Yates permutation from the stream's substream `epoch e`. Held, and valid until
 *  another epoch or stream is asked for. */
function epochOrders(count: number): (stream: Stream, epoch: number) => Uint32Array {
  const order = new Uint32Array(count);
  const uniforms = new Float64Array(count);
  let held = '';
  return (stream, epoch) => {
    const { seed, stream: id } = stream.state;
    const wanted = `${seed} ${id} ${epoch}`;
    if (held === wanted) return order;
    stream.substream(`epoch ${epoch}`).uniform(uniforms);
    for (let i = 0; i < count; i++) order[i] = i;
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(uniforms[i] * (i + 1));
      const swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    held = wanted;
    return order;
  };
}

function requireFit({ inputs, targets }: Batch, pixels: number, dtype: Dtype): void {
  if (inputs.cols === pixels && targets.cols === 1 && inputs.rows === targets.rows && inputs.dtype === dtype && targets.dtype === dtype)
    return;
  const found = [inputs, targets].map((m) => `${m.rows} x ${m.cols} of ${m.dtype}`);
  throw new ArgumentError(
    `imageClassification: a batch has inputs n x ${pixels} and targets n x 1 of ${dtype}, got ${found[0]} and ${found[1]}`,
  );
}
