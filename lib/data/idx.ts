/**
 * IDX, the format of the MNIST family of image sets: two zero bytes, the type of the entries, the number of dimensions, each size as a
 * big-endian 32-bit integer, then the entries in C order. Source: LeCun, Cortes, Burges, The MNIST database, "File formats".
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ArgumentError, FileError } from '../errors.js';
import { readBytes } from '../files.js';

/** An array of unsigned bytes. */
export interface Idx {
  /** 1 to 4 sizes. */
  readonly shape: number[];
  /** As many entries as the product of the sizes, the last index fastest. */
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const OTHER_TYPES: Readonly<Record<number, string>> = {
  0x09: 'signed bytes',
  0x0b: '16-bit integers',
  0x0c: '32-bit integers',
  0x0d: '32-bit floats',
  0x0e: '64-bit floats',
};
const MOST_DIMENSIONS = 4;

/** Reads an IDX file of unsigned bytes, gzip-compressed or not.
 *  @returns a view of the bytes where they are not compressed
 *  @throws ArgumentError when the bytes are not such a file, whole */
export function readIdx(bytes: Uint8Array): Idx {
  return parse(decompress(bytes));
}

function decompress(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new ArgumentError(`readIdx: the gzip data are damaged or incomplete (${(cause as Error).message}); get the file again`, {
      cause,
    });
  }
}

function parse(bytes: Uint8Array): Idx {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0)
    throw new ArgumentError('readIdx: not an IDX file (it does not begin with two zero bytes, a type and a number of dimensions)');
  const [, , type, dimensions] = bytes;
  if (type !== UNSIGNED_BYTE)
    throw new ArgumentError(`readIdx: only unsigned bytes are read, the file holds ${OTHER_TYPES[type] ?? `the unknown type ${type}`}`);
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS)
    throw new ArgumentError(`readIdx: only arrays of 1 to ${MOST_DIMENSIONS} dimensions are read, the file's has ${dimensions}`);
  const header = 4 + 4 * dimensions;
  if (bytes.length < header)
    throw new ArgumentError(`readIdx: the file ends inside its header, after ${bytes.length} of ${header} bytes; get it again`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const needed = shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - header;
  if (found !== needed)
    throw new ArgumentError(
      `readIdx: ${shape.join(' x ')} needs ${needed} bytes after the header, the file has ${found}: it is ${found < needed ? 'cut short' : 'too long'}`,
    );
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, needed) };
}

// ---- Folders ----

/** Labelled grey-scale images. */
export interface LabelledImages {
  /** count x height x width, one byte a pixel. */
  readonly images: Uint8Array;
  /** count labels, in [0, classes). */
  readonly labels: Uint8Array;
}

/** What a folder of the MNIST family holds. */
export interface ImageFolder {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  readonly height: number;
  readonly width: number;
  /** The largest label of both sets, plus 1. */
  readonly classes: number;
  /** SHA-256 in hex over the four files decompressed: training images and labels, test images and labels. */
  readonly checksum: string;
}

const SOURCE =
  "the folder should hold the four IDX files of an image set of the MNIST family; Fashion-MNIST is in Debian's package dataset-fashion-mnist (apt-get install dataset-fashion-mnist), which puts them in /usr/share/datasets/fashion-mnist";

/** Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte from a folder. Each may end
 *  in .gz, and have a dot in place of its second hyphen (train-images.idx3-ubyte); a file that is not compressed goes first.
 *  @throws FileError naming the folder or file that is missing, damaged or does not fit the others */
export function readImageFolder(directory: string): ImageFolder {
  const present = listFolder(directory);
  const hash = createHash('sha256');
  const read = (set: string, kind: 'images' | 'labels'): File => {
    const file = readFile(directory, present, set, kind);
    hash.update(file.bytes);
    return file;
  };
  const [trainImages, trainLabels] = [read('train', 'images'), read('train', 'labels')];
  const [testImages, testLabels] = [read('t10k', 'images'), read('t10k', 'labels')];

  const [, height, width] = trainImages.idx.shape;
  const train = labelled(trainImages, trainLabels);
  const test = labelled(testImages, testLabels);
  const [, testHeight, testWidth] = testImages.idx.shape;
  if (testHeight !== height || testWidth !== width)
    throw new FileError(testImages.path, `its images are ${testHeight} x ${testWidth} where those for training are ${height} x ${width}`);
  return { train, test, height, width, classes: Math.max(largest(train.labels), largest(test.labels)) + 1, checksum: hash.digest('hex') };
}

function listFolder(directory: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(directory));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new FileError(directory, `no such folder; ${SOURCE}`, { cause });
    if (code === 'ENOTDIR') throw new FileError(directory, `it is a file; ${SOURCE}`, { cause });
    throw new FileError(directory, `cannot read the folder: ${(cause as Error).message}`, { cause });
  }
}

interface File {
  readonly path: string;
  /** Decompressed. */
  readonly bytes: Uint8Array;
  readonly idx: Idx;
}

const SIZES = { images: ['count', 'height', 'width'], labels: ['count'] } as const;

function readFile(directory: string, present: ReadonlySet<string>, set: string, kind: 'images' | 'labels'): File {
  const [name, dotted] = ['-', '.'].map((mark) => `${set}-${kind}${mark}idx${SIZES[kind].length}-ubyte`);
  const found = [name, dotted, `${name}.gz`, `${dotted}.gz`].find((candidate) => present.has(candidate));
  if (found === undefined) throw new FileError(join(directory, name), `no such file, nor ${name}.gz, ${dotted} or ${dotted}.gz; ${SOURCE}`);
  const path = join(directory, found);
  const file = parseFile(path, readBytes(path));
  const { shape, data } = file.idx;
  if (shape.length !== SIZES[kind].length)
    throw new FileError(path, `${kind} must be an array of ${SIZES[kind].join(' x ')}, the file's is ${shape.join(' x ')}`);
  if (data.length === 0) throw new FileError(path, `it holds no ${kind} (${shape.join(' x ')})`);
  return file;
}

function parseFile(path: string, raw: Uint8Array): File {
  try {
    const bytes = decompress(raw);
    return { path, bytes, idx: parse(bytes) };
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    throw new FileError(path, cause.message, { cause });
  }
}

function labelled(images: File, labels: File): LabelledImages {
  const [imageCount, labelCount] = [images.idx.shape[0], labels.idx.shape[0]];
  if (imageCount !== labelCount)
    throw new FileError(images.path, `it holds ${imageCount} images where ${labels.path} holds ${labelCount} labels`);
  return { images: images.idx.data, labels: labels.idx.data };
}

const largest = (labels: Uint8Array): number => labels.reduce((most, label) => Math.max(most, label), 0);
