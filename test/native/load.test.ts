import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { native } from '../../lib/native/index.js';

const threads = native.systemInfo().threads;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'layerwise-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  native.setThreads(Int32Array.of(threads));
});

/** Imports lib/native anew, under the environment of the moment. */
async function load(): Promise<typeof import('../../lib/native/index.js')> {
  vi.resetModules();
  return import('../../lib/native/index.js');
}

it('loading throws LibraryError naming the build when the addon is not there', async () => {
  vi.stubEnv('LAYERWISE_ADDON', join(folder, 'none.node'));
  await expect(load()).rejects.toMatchObject({
    name: 'LibraryError',
    code: 'ERR_LIBRARY',
    message: expect.stringMatching(/the native addon is not built \(.*none\.node does not exist\)\. Run `npm run build:native`/),
  });
});

it('loading throws LibraryError with the cause and a remedy when the addon is broken', async () => {
  const path = join(folder, 'broken.node');
  writeFileSync(path, 'not a library');
  vi.stubEnv('LAYERWISE_ADDON', path);
  await expect(load()).rejects.toMatchObject({
    name: 'LibraryError',
    code: 'ERR_LIBRARY',
    message: expect.stringMatching(
      /the native addon does not load: .*broken\.node.*Rebuild it for this Node and this machine: npm run build:native/,
    ),
    cause: expect.any(Error),
  });
});

it.each([
  ['2', 2],
  ['', 1],
  ['many', 1],
  ['0', 1],
  ['1025', 1],
])('loading under OPENBLAS_NUM_THREADS=%j leaves %i threads', async (value, expected) => {
  vi.stubEnv('OPENBLAS_NUM_THREADS', value);
  expect((await load()).native.systemInfo().threads).toBe(expected);
});
