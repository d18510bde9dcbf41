/**
 * A ridge path of 20 lambdas in [1e-2, 1e2] at d = 4000, n = 8000 from its Gram matrix: ours (shiftedSolve) against 20 Cholesky solves,
 * in turn, for two spectra; and the peak memory of the whole path from the data matrix on. Exits 1 where a target is missed.
 *
 *   node --import tsx scripts/bench/path.ts [--dimension 4000] [--rounds 3] [--threads 1]
 *
 * Targets: at least 3 times as fast, equal to 1e-8 relative, peak memory below 1.3 times the data matrix plus one d x d matrix.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  addToDiagonal,
  axpby,
  cholesky,
  choleskySolve,
  gemm,
  Matrix,
  median,
  norm,
  ridgePath,
  setThreads,
  shiftedSolve,
  Stream,
  syrk,
  systemInfo,
} from '../../lib/index.js';

const { values } = parseArgs({
  options: {
    dimension: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
    memory: { type: 'boolean', default: false },
  },
});
const [d, rounds] = [Number(values.dimension), Number(values.rounds)];
const n = 2 * d;
setThreads(Number(values.threads));
const LAMBDAS = Array.from({ length: 20 }, (_, i) => 10 ** (-2 + (4 * i) / 19));
const MIB = 2 ** 20;

/** Rows N(0, Sigma) with eigenvalues i^-exponent, mean 1. */
function samples(exponent: number): Matrix {
  const x = new Stream(1).normal(Matrix.zeros(n, d));
  const spectrum = Array.from({ length: d }, (_, j) => (j + 1) ** -exponent);
  const mean = spectrum.reduce((a, b) => a + b, 0) / d;
  const deviations = spectrum.map((l) => Math.sqrt(l / mean));
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < d; j++, at++) x.data[at] *= deviations[j];
  return x;
}

/** X beta + noise. */
function targets(x: Matrix): Matrix {
  const stream = new Stream(2);
  const y = gemm(x, stream.normal(Matrix.zeros(d, 1), 1 / Math.sqrt(d)));
  return axpby(0.5, stream.normal(Matrix.zeros(n, 1)), 1, y);
}

/** In a process of its own: the peak of resident memory over a whole path, less what the process had before. */
function printMemory(): void {
  const status = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  gemm(Matrix.zeros(64, 64), Matrix.zeros(64, 64)); // OpenBLAS has its buffers
  const before = status();
  const x = samples(1);
  const path = ridgePath(x, targets(x), LAMBDAS);
  console.log(JSON.stringify({ peak: status(), before, count: path.length }));
}

if (values.memory) printMemory();
else {
  let missed = false;
  const verdict = (holds: boolean): string => ((missed ||= !holds), holds ? 'met' : 'MISSED');
  const { kernel, threads } = systemInfo();
  console.log(`d = ${d}, n = ${n}, ${LAMBDAS.length} lambdas, ${kernel} kernel, ${threads} thread${threads === 1 ? '' : 's'}, float64`);
  for (const exponent of [0, 1]) {
    const x = samples(exponent);
    const gram = syrk(x, { transpose: true, alpha: 1 / n });
    const b = gemm(x, targets(x), { transposeA: true, alpha: 1 / n });
    const factor = Matrix.zeros(d, d);
    const times: { ours: number; direct: number }[] = [];
    let error = 0;
    for (let round = 0; round < rounds; round++) {
      const timed = <T>(work: () => T): [T, number] => {
        const start = performance.now();
        const result = work();
        return [result, performance.now() - start];
      };
      const [{ solutions, factorisations, solves }, ours] = timed(() => shiftedSolve(gram, b, LAMBDAS));
      const [expected, direct] = timed(() =>
        LAMBDAS.map((lambda) => {
          factor.data.set(gram.data);
          return choleskySolve(cholesky(addToDiagonal(factor, lambda), factor), b);
        }),
      );
      times.push({ ours, direct });
      expected.forEach((e, k) => (error = Math.max(error, norm(axpby(1, solutions[k], -1, e.clone())) / norm(e))));
      if (round === 0) console.log(`spectrum i^-${exponent}: ${factorisations} factorisation(s), ${solves} solves`);
    }
    const ratio = median(times.map((t) => t.direct / t.ours));
    const milliseconds = (key: 'ours' | 'direct'): string => median(times.map((t) => t[key])).toFixed(0);
    console.log(`  ours ${milliseconds('ours')} ms, 20 Cholesky solves ${milliseconds('direct')} ms: ${ratio.toFixed(2)} times (at least 3: ${verdict(ratio >= 3)}); largest relative difference ${error.toExponential(1)} (at most 1e-8: ${verdict(error <= 1e-8)})`); // prettier-ignore
  }
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), '--memory', '--dimension', String(d)], { encoding: 'utf8' }); // prettier-ignore
  if (stdout === '') throw new Error(stderr);
  const { peak, before } = JSON.parse(stdout) as { peak: number; before: number };
  const named = (8 * (n * d + d * d)) / MIB;
  console.log(`peak memory ${(peak - before).toFixed(0)} MiB above an idle process (${before.toFixed(0)} MiB), data and one d x d matrix ${named.toFixed(0)} MiB: ${((peak - before) / named).toFixed(2)} times (below 1.3: ${verdict(peak - before < 1.3 * named)})`); // prettier-ignore
  process.exitCode = missed ? 1 : 0;
}
