/** Loads the addon once, checks that it computes correctly here, and hands it to the layers above. */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LibraryError } from '../errors.js';
import type { Native } from './addon.js';
import { selfTest } from './selfTest.js';

export type { Floats, Native, SystemInfo } from './addon.js';

/** The addon's file: LAYERWISE_ADDON (a sanitizer build, say), else the build of this package. */
function locate(): string {
  const named = process.env['LAYERWISE_ADDON'];
  if (named !== undefined && named !== '') return named;
  return fileURLToPath(new URL('../../build/Release/layerwise.node', import.meta.url));
}

function load(): Native {
  const path = locate();
  if (!existsSync(path))
    throw new LibraryError(
      `the native addon is not built (${path} does not exist). Run \`npm run build:native\` in the package's folder, with a C++ compiler, cmake, OpenBLAS and LAPACKE installed.`,
    );
  try {
    return createRequire(import.meta.url)(path) as Native;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = /libopenblas|liblapacke/.test(why)
      ? 'Install the libraries it links to: apt-get install libopenblas0 liblapacke'
      : 'Rebuild it for this Node and this machine: npm run build:native';
    throw new LibraryError(`the native addon does not load: ${why}. ${remedy}`, { cause });
  }
}

/** The native operations. Importing this module loads them and runs the self-test, once a process. */
export const native: Native = load();

// One thread unless asked otherwise: results then repeat to the bit, and products of this package's usual sizes run fastest so.
native.setThreads(Int32Array.of(initialThreads()));
selfTest(native);

function initialThreads(): number {
  const wanted = Number(process.env['OPENBLAS_NUM_THREADS']);
  return Number.isInteger(wanted) && wanted >= 1 && wanted <= 1024 ? wanted : 1;
}
