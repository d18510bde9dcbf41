/** IDX files and folders of them, made up for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

/** The first 200 + 100 images of Fashion-MNIST, committed. */
export const SAMPLE = {
  directory: fileURLToPath(new URL('../fixtures/fashion-mnist-sample', import.meta.url)),
  checksum: '438829bee5efa06257a60f6ab46c8a65dc1a3799c96c5e9159664b7bb0f5c562',
} as const;

/** Bytes of an IDX file with any header. */
export function idx(shape: readonly number[], data: ArrayLike<number>, type = 8): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([type, shape.length], 2);
  shape.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  return new Uint8Array([...header, ...Array.from(data)]);
}

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder of the files given, removed after the tests. */
export function folderOf(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-idx-'));
  made.push(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

/** A small set: 5 training and 3 test images of 2 x 3, pixel p of training image i being 10 i + p, of test image i 100 + 10 i + p;
 *  labels 0 1 2 0 1 and 2 3 0. */
export const SMALL_SET: Readonly<Record<string, Uint8Array>> = {
  'train-images-idx3-ubyte': idx([5, 2, 3], pixels(5, 0)),
  'train-labels-idx1-ubyte': idx([5], [0, 1, 2, 0, 1]),
  't10k-images-idx3-ubyte': idx([3, 2, 3], pixels(3, 100)),
  't10k-labels-idx1-ubyte': idx([3], [2, 3, 0]),
};

function pixels(count: number, first: number): number[] {
  return Array.from({ length: 6 * count }, (_, at) => first + 10 * Math.floor(at / 6) + (at % 6));
}
