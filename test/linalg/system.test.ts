import { afterEach, expect, it } from 'vitest';
import { gemm, setThreads, systemInfo } from '../../lib/linalg/index.js';
import { expectClose, random, refuses } from '../close.js';

const initial = systemInfo().threads;
afterEach(() => {
  setThreads(initial);
});

it('systemInfo names the BLAS build, its kernel, threads and processors', () => {
  const info = systemInfo();
  expect(info.config).toMatch(/OpenBLAS/);
  expect(info.kernel).toMatch(/^\w+$/);
  expect(info.threads).toBeGreaterThanOrEqual(1);
  expect(info.processors).toBeGreaterThanOrEqual(1);
  expect(info.scratchBytes).toBeGreaterThan(0); // the self-test has run
  for (const feature of info.cpuFeatures) expect(feature).toMatch(/^(sse|avx|fma)/);
});

it('setThreads changes the thread count, and products keep their values to rounding', () => {
  const [a, b] = [random(200, 150), random(150, 90, 'float64', 2)];
  const one = gemm(a, b);
  setThreads(2);
  expect(systemInfo().threads).toBe(2);
  expectClose(gemm(a, b), one, 150 * 2 ** -52);
});

refuses(
  'setThreads',
  [0, -1, 1.5, NaN, 1025].map(
    (n) => [`threads are ${n}`, () => setThreads(n), new RegExp(`an integer in \\[1, 1024\\], got ${n}`)] as const,
  ),
);
