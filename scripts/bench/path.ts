/**
 * A ridge path of 20 lambdas in [1e-2, 1e2] at d = 4000, n = 8000 from its Gram matrix: ours (shiftedSolve) against 20 Cholesky solves,
 * in turn, for two spectra; and the peak memory of the whole path from the data matrix on. Exits 1 where a target is missed.
 *
 *   node --import tsx scripts/bench/path.ts [--dimension 4000] [--rounds 3] [--threads 1,2] [--json]
 *
 * Targets: at least 3 times as fast, equal to 1e-8 relative, peak memory below 1.3 times the data matrix plus one d x d matrix.
 */
import { spawnSync } from 'node:child_process';
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
import { isProgram, markdown, type Table } from './contender.js';
import { peakMemory } from './growth.js';

interface Row {
  readonly exponent: number;
  readonly threads: number;
  readonly factorisations: number;
  readonly solves: number;
  /** Milliseconds by the clock, medians over rounds. */
  readonly ours: number;
  readonly direct: number;
  /** Median over rounds of direct over ours. */
  readonly ratio: number;
  /** Largest relative difference of a solution. */
  readonly error: number;
}
export interface PathResult {
  readonly dimension: number;
  readonly samples: number;
  readonly lambdas: readonly number[];
  readonly machine: object;
  readonly rows: readonly Row[];
  /** Bytes: of the whole path above an idle process, and of the data and one d x d matrix. */
  readonly memory: { readonly peak: number; readonly named: number };
}

const TARGETS = { ratio: 3, error: 1e-8, memory: 1.3 };
const LAMBDAS = Array.from({ length: 20 }, (_, i) => 10 ** (-2 + (4 * i) / 19));

/** Rows N(0, Sigma) with eigenvalues i^-exponent, mean 1. */
function samples(exponent: number, n: number, d: number): Matrix {
  const x = new Stream(1).normal(Matrix.zeros(n, d));
  const spectrum = Array.from({ length: d }, (_, j) => (j + 1) ** -exponent);
  const mean = spectrum.reduce((a, b) => a + b, 0) / d;
  const deviations = spectrum.map((l) => Math.sqrt(l / mean));
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < d; j++, at++) x.data[at] *= deviations[j];
  return x;
}

/** X beta + noise. */
function targets(x: Matrix): Matrix {
  const [n, d] = [x.rows, x.cols];
  const stream = new Stream(2);
  const y = gemm(x, stream.normal(Matrix.zeros(d, 1), 1 / Math.sqrt(d)));
  return axpby(0.5, stream.normal(Matrix.zeros(n, 1)), 1, y);
}

/** In a process of its own: the peak of resident memory over a whole path, less what the process had before, in bytes. */
function peakOfPath(n: number, d: number): number {
  gemm(Matrix.zeros(64, 64), Matrix.zeros(64, 64)); // OpenBLAS has its buffers
  const before = peakMemory();
  const x = samples(1, n, d);
  const path = ridgePath(x, targets(x), LAMBDAS);
  if (path.length !== LAMBDAS.length) throw new Error('a path without all its solutions');
  return peakMemory() - before;
}

function measure(d: number, rounds: number, threads: readonly number[]): PathResult {
  const n = 2 * d;
  const rows = [0, 1].flatMap((exponent) => {
    const x = samples(exponent, n, d);
    const gram = syrk(x, { transpose: true, alpha: 1 / n });
    const b = gemm(x, targets(x), { transposeA: true, alpha: 1 / n });
    return threads.map((count) => rowOf(exponent, count, gram, b, rounds));
  });
  const again = ['--import', 'tsx', fileURLToPath(import.meta.url), '--memory', '--dimension', String(d)];
  const { stdout, stderr } = spawnSync(process.execPath, again, { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return {
    dimension: d,
    samples: n,
    lambdas: LAMBDAS,
    machine: systemInfo(),
    rows,
    memory: { peak: Number(stdout), named: 8 * (n * d + d * d) },
  };
}

function rowOf(exponent: number, threads: number, gram: Matrix, b: Matrix, rounds: number): Row {
  setThreads(threads);
  const factor = Matrix.zeros(gram.rows, gram.cols);
  const times: { ours: number; direct: number }[] = [];
  let [error, factorisations, solves] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const timed = <T>(work: () => T): [T, number] => {
      const start = performance.now();
      const result = work();
      return [result, performance.now() - start];
    };
    const [found, ours] = timed(() => shiftedSolve(gram, b, LAMBDAS));
    const [expected, direct] = timed(() =>
      LAMBDAS.map((lambda) => {
        factor.data.set(gram.data);
        return choleskySolve(cholesky(addToDiagonal(factor, lambda), factor), b);
      }),
    );
    times.push({ ours, direct });
    ({ factorisations, solves } = found);
    expected.forEach((e, k) => (error = Math.max(error, norm(axpby(1, found.solutions[k], -1, e.clone())) / norm(e))));
  }
  const over = (of: (t: { ours: number; direct: number }) => number): number => median(times.map(of));
  const [ours, direct, ratio] = [over((t) => t.ours), over((t) => t.direct), over((t) => t.direct / t.ours)];
  return { exponent, threads, factorisations, solves, ours, direct, ratio, error };
}

export const pathTable = ({ dimension: d, samples: n, lambdas, rows }: PathResult): Table => ({
  header: [
    `d = ${d}, n = ${n}, ${lambdas.length} \u03bb in [10\u207b\u00b2, 10\u00b2]`,
    'threads',
    'ours, ms',
    `${lambdas.length} Cholesky solves, ms`,
    `ratio (aim ${TARGETS.ratio})`,
    `largest relative difference (aim ${TARGETS.error})`,
  ],
  rows: rows.map((r) => [
    r.exponent === 0 ? 'isotropic' : 'power law',
    String(r.threads),
    r.ours.toFixed(0),
    r.direct.toFixed(0),
    r.ratio.toFixed(1),
    r.error.toExponential(0),
  ]),
  words: 1,
});

export const pathMemoryTable = ({ memory: { peak, named } }: PathResult): Table => ({
  header: ['peak of the whole path, data matrix and all, MiB', 'data and one d x d matrix, MiB', `ratio (aim ${TARGETS.memory})`],
  rows: [[(peak / 2 ** 20).toFixed(0), (named / 2 ** 20).toFixed(0), (peak / named).toFixed(2)]],
  words: 0,
});

function main(): void {
  const { values } = parseArgs({
    options: {
      dimension: { type: 'string', default: '4000' },
      rounds: { type: 'string', default: '3' },
      threads: { type: 'string', default: '1' },
      memory: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const d = Number(values.dimension);
  if (values.memory) {
    console.log(String(peakOfPath(2 * d, d)));
    return;
  }
  const result = measure(d, Number(values.rounds), values.threads.split(',').map(Number));
  if (values.json) console.log(JSON.stringify(result));
  else console.log(`${markdown(pathTable(result))}\n\n${markdown(pathMemoryTable(result))}`);
  const { peak, named } = result.memory;
  const met = result.rows.every((r) => r.ratio >= TARGETS.ratio && r.error <= TARGETS.error) && peak <= TARGETS.memory * named;
  process.exitCode = met ? 0 : 1;
}

if (isProgram(import.meta.url)) main();
