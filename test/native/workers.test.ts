import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { type Native, native } from '../../lib/native/index.js';

const path = process.env['LAYERWISE_ADDON'] ?? fileURLToPath(new URL('../../build/Release/layerwise.node', import.meta.url));

/** Draws, multiplies and decomposes; run here and, as source text, in workers. */
function compute(addon: Native): { entries: Float64Array; product: Float64Array; values: Float64Array } {
  const n = 40;
  const entries = new Float64Array(n * n);
  addon.normal(Float64Array.of(1, 2, 0), 1, entries);
  const product = new Float64Array(n * n);
  addon.gemm(Int32Array.of(0, 1, n, n, n), 1, entries, entries, 0, product);
  const values = new Float64Array(n);
  addon.syevd(Int32Array.of(n, 1), product.slice(), values);
  return { entries, product, values };
}

const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const addon = require(workerData);
const before = addon.systemInfo().scratchBytes;
const compute = ${compute.toString()};
parentPort.postMessage({ before, ...compute(addon) });
for (let i = 0; i < 1000; i++) compute(addon);
`;

const start = (): Worker => new Worker(SOURCE, { eval: true, workerData: path });

it('the addon loads in worker threads, each with a work space of its own, and computes the same bits there', async () => {
  const expected = compute(native);
  const workers = [start(), start(), start()];
  const messages = (await Promise.all(workers.map((worker) => once(worker, 'message')))) as [typeof expected & { before: number }][];
  for (const [{ before, ...result }] of messages) {
    expect(result).toEqual(expected);
    expect(before).toBe(0);
  }
  await Promise.all(workers.map((worker) => worker.terminate())); // in the middle of their work
  expect(compute(native)).toEqual(expected);
});
