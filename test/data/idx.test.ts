import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FASHION_MNIST, readIdx, readImageFolder } from '../../lib/data/index.js';
import { FileError } from '../../lib/errors.js';
import { FIXED, expectThrows, refuses } from '../close.js';
import { SAMPLE, SMALL_SET, folderOf, idx } from './idxFiles.js';

const bytesUpTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('readIdx', () => {
  it.each([[[6]], [[2, 3]], [[1, 2, 3]], [[3, 1, 2, 1]]])('reads an array of sizes %j', (shape) => {
    expect(readIdx(idx(shape, bytesUpTo(6)))).toEqual({ shape, data: Uint8Array.from(bytesUpTo(6)) });
  });

  it('reads sizes as big-endian 32-bit integers', () => {
    expect(readIdx(idx([258, 1], new Uint8Array(258))).shape).toEqual([258, 1]);
    expect(readIdx(idx([0, 2 ** 32 - 1], []))).toEqual({ shape: [0, 2 ** 32 - 1], data: new Uint8Array(0) });
  });

  it('reads a view at an offset', () => {
    const bytes = idx([2, 2], [9, 8, 7, 255]);
    expect(readIdx(new Uint8Array([1, 2, 3, ...bytes]).subarray(3)).data).toEqual(Uint8Array.of(9, 8, 7, 255));
  });

  it('reads what gzip compressed as what it was, for any entries', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const bytes = idx([data.length], data);
        expect(readIdx(gzipSync(bytes))).toEqual(readIdx(bytes));
        expect(readIdx(bytes).data).toEqual(data);
      }),
      FIXED,
    );
  });

  const compressed = gzipSync(idx([100], bytesUpTo(100)));
  refuses('readIdx', [
    ['the bytes are empty', () => readIdx(new Uint8Array(0)), /not an IDX file/],
    [
      'the file begins otherwise',
      () => readIdx(Buffer.from('\x89PNG etc.', 'latin1')),
      /not an IDX file \(it does not begin with two zero/,
    ],
    ['only the first byte is wrong', () => readIdx(Uint8Array.of(1, 0, 8, 1, 0, 0, 0, 0)), /not an IDX file/],
    ['only the second byte is wrong', () => readIdx(Uint8Array.of(0, 1, 8, 1, 0, 0, 0, 0)), /not an IDX file/],
    ['it ends before its number of dimensions', () => readIdx(Uint8Array.of(0, 0, 8)), /not an IDX file/],
    ['entries are floats', () => readIdx(idx([1], [0, 0, 0, 0], 0x0d)), /only unsigned bytes are read, the file holds 32-bit floats/],
    ['entries are of no known type', () => readIdx(idx([1], [0], 7)), /the file holds the unknown type 7/],
    ['there are no dimensions', () => readIdx(idx([], [])), /1 to 4 dimensions are read, the file's has 0/],
    ['there are 5 dimensions', () => readIdx(idx([1, 1, 1, 1, 1], [0])), /1 to 4 dimensions are read, the file's has 5/],
    ['it ends inside its header', () => readIdx(idx([2, 3, 1], []).subarray(0, 15)), /ends inside its header, after 15 of 16 bytes/],
    [
      'its body is short',
      () => readIdx(idx([2, 3], bytesUpTo(5))),
      /2 x 3 needs 6 bytes after the header, the file has 5: it is cut short/,
    ],
    ['its body is long', () => readIdx(idx([2, 3], bytesUpTo(7))), /2 x 3 needs 6 bytes after the header, the file has 7: it is too long/],
    ['sizes overflow', () => readIdx(idx(Array<number>(4).fill(2 ** 32 - 1), [1])), /it is cut short/],
    [
      'gzip data are cut short',
      () => readIdx(compressed.subarray(0, 60)),
      /the gzip data are damaged or incomplete \(.+\); get the file again/,
    ],
    ['gzip data fail their check', () => readIdx(compressed.with(compressed.length - 8, 1)), /the gzip data are damaged or incomplete/],
  ]);
});

describe('readImageFolder', () => {
  it('reads the committed sample of Fashion-MNIST', () => {
    const { train, test, ...rest } = readImageFolder(SAMPLE.directory);
    expect(rest).toEqual({ height: 28, width: 28, classes: 10, checksum: SAMPLE.checksum });
    expect([train, test].map((set) => [set.images.length, set.labels.length])).toEqual([
      [200 * 784, 200],
      [100 * 784, 100],
    ]);
    expect([...train.labels.subarray(0, 6)]).toEqual([9, 0, 0, 3, 0, 2]);
    expect([...test.labels.subarray(0, 6)]).toEqual([9, 2, 1, 1, 6, 1]);
    expect([Math.min, Math.max].map((extreme) => train.images.reduce((a, b) => extreme(a, b)))).toEqual([0, 255]);
  });

  it('puts entries, sizes and classes of both sets in their places', () => {
    const { train, test, height, width, classes } = readImageFolder(folderOf(SMALL_SET));
    expect([height, width, classes]).toEqual([2, 3, 4]); // class 3 is in the test set alone
    expect([...train.images.subarray(24)]).toEqual([40, 41, 42, 43, 44, 45]);
    expect([...test.images.subarray(0, 6)]).toEqual([100, 101, 102, 103, 104, 105]);
    expect([train.labels, test.labels].map((labels) => [...labels])).toEqual([
      [0, 1, 2, 0, 1],
      [2, 3, 0],
    ]);
  });

  it('counts classes that only the training set has', () => {
    expect(readImageFolder(folderOf({ ...SMALL_SET, 't10k-labels-idx1-ubyte': idx([3], [0, 1, 0]) })).classes).toBe(3);
  });

  it('has the SHA-256 of the four decompressed files in order for a checksum', () => {
    const hash = createHash('sha256');
    for (const bytes of Object.values(SMALL_SET)) hash.update(bytes);
    expect(readImageFolder(folderOf(SMALL_SET)).checksum).toBe(hash.digest('hex'));
  });

  const renamed = (name: (name: string) => string, content: (bytes: Uint8Array) => Uint8Array): Record<string, Uint8Array> =>
    Object.fromEntries(Object.entries(SMALL_SET).map(([key, bytes]) => [name(key), content(bytes)]));
  const same = (bytes: Uint8Array): Uint8Array => bytes;
  const dotted = (name: string): string => name.replace(/-(idx\d)/, '.$1');
  it.each([
    ['with .gz', renamed((name) => `${name}.gz`, gzipSync)],
    ['with a dot before idx', renamed(dotted, same)],
    ['with a dot before idx and .gz', renamed((name) => `${dotted(name)}.gz`, gzipSync)],
    ['beside compressed ones, which are not read', { ...SMALL_SET, 'train-images-idx3-ubyte.gz': Uint8Array.of(0) }],
  ])('finds files %s, with the same result', (_how, files) => {
    expect(readImageFolder(folderOf(files))).toEqual(readImageFolder(folderOf(SMALL_SET)));
  });

  const without = (name: string): Record<string, Uint8Array> =>
    Object.fromEntries(Object.entries(SMALL_SET).filter(([key]) => key !== name));
  it.each(Object.keys(SMALL_SET))('throws FileError naming %s when it is missing', (name) => {
    const folder = folderOf(without(name));
    expectThrows(() => readImageFolder(folder), FileError, 'ERR_FILE', new RegExp(`${join(folder, name)}: no such file, nor ${name}.gz, `));
  });

  it.each([
    ['the folder is missing', '/no/such', /^\/no\/such: no such folder; .*apt-get install dataset-fashion-mnist/],
    ['the folder is a file', import.meta.filename, /idx\.test\.ts: it is a file; .*apt-get install dataset-fashion-mnist/],
    ['the path cannot be one', 'a\0b', /cannot read the folder: .*null bytes/],
  ])('throws FileError when %s', (_when, folder, message) => {
    expectThrows(() => readImageFolder(folder), FileError, 'ERR_FILE', message);
  });

  it.each([
    ['a file is damaged', { 't10k-images-idx3-ubyte': Uint8Array.of(1, 2, 3) }, /t10k-images-idx3-ubyte: readIdx: not an IDX file/],
    ['a .gz is damaged', { 't10k-labels-idx1-ubyte': Uint8Array.of(0x1f, 0x8b, 3) }, /t10k-labels-idx1-ubyte: readIdx: the gzip data/],
    [
      'images are flattened',
      { 'train-images-idx3-ubyte': idx([5, 6], bytesUpTo(30)) },
      /images must be an array of count x height x width, .* is 5 x 6/,
    ],
    ['labels are one-hot', { 'train-labels-idx1-ubyte': idx([5, 1], bytesUpTo(5)) }, /labels must be an array of count, .* is 5 x 1/],
    ['there are no images', { 'train-images-idx3-ubyte': idx([0, 2, 3], []) }, /train-images-idx3-ubyte: it holds no images \(0 x 2 x 3\)/],
    ['images have no pixels', { 'train-images-idx3-ubyte': idx([5, 0, 3], []) }, /it holds no images \(5 x 0 x 3\)/],
    ['there are no labels', { 't10k-labels-idx1-ubyte': idx([0], []) }, /t10k-labels-idx1-ubyte: it holds no labels/],
    [
      'labels for training are fewer than images',
      { 'train-labels-idx1-ubyte': idx([4], [0, 1, 2, 0]) },
      /train-images-idx3-ubyte: it holds 5 images where .*train-labels-idx1-ubyte holds 4 labels/,
    ],
    [
      'labels for testing are more than images',
      { 't10k-labels-idx1-ubyte': idx([4], [0, 1, 2, 0]) },
      /t10k-images-idx3-ubyte: it holds 3 images where .*t10k-labels-idx1-ubyte holds 4 labels/,
    ],
    [
      'test images have another size',
      { 't10k-images-idx3-ubyte': idx([3, 3, 2], bytesUpTo(18)) },
      /t10k-images-idx3-ubyte: its images are 3 x 2 where those for training are 2 x 3/,
    ],
  ])('throws FileError when %s', (_when, files, message) => {
    const folder = folderOf({ ...SMALL_SET, ...files });
    expectThrows(() => readImageFolder(folder), FileError, 'ERR_FILE', message);
  });

  it.skipIf(!existsSync(FASHION_MNIST.directory))("reads Debian's Fashion-MNIST, of which the sample is the beginning", () => {
    const whole = readImageFolder(FASHION_MNIST.directory);
    expect([whole.checksum, whole.height, whole.width, whole.classes]).toEqual([FASHION_MNIST.checksum, 28, 28, 10]);
    expect([whole.train.labels.length, whole.test.labels.length]).toEqual([60_000, 10_000]);
    const sample = readImageFolder(SAMPLE.directory);
    for (const set of ['train', 'test'] as const)
      for (const kind of ['images', 'labels'] as const) {
        const part = sample[set][kind];
        expect(Buffer.compare(whole[set][kind].subarray(0, part.length), part), `${set} ${kind}`).toBe(0);
      }
  });
});
