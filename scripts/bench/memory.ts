/**
 * Peak memory of a large run, from making its task to its second step, over the arrays that stay: everything the run holds by then (task,
 * network, batch, optimiser's state, buffers), counted by the engine after a collection.
 *
 *   node --import tsx scripts/bench/memory.ts [--sizes large] [--json]
 *
 * Every line is a process of its own, with one thread; what it had before the run is taken off its peak.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stream, systemInfo, Training, type Dtype } from '../../lib/index.js';
import { isProgram, markdown, type Table } from './contender.js';
import { peakMemory } from './growth.js';
import { METHODS, parseQuestion, trainingOptions, written, type Size } from './problem.js';

interface Row {
  readonly question: string;
  /** Bytes. */
  readonly arrays: number;
  readonly peak: number;
}
export interface MemoryResult {
  readonly rows: readonly Row[];
}

const TARGET = 1.25;

function measured(question: string): Row {
  systemInfo();
  new Stream(0).normal(new Float64Array(1000)); // the library is loaded
  globalThis.gc!();
  const [before, arraysBefore] = [peakMemory(), process.memoryUsage().arrayBuffers];
  const run = new Training(trainingOptions(parseQuestion(question), 2, 1));
  run.advance(2);
  globalThis.gc!();
  return { question, arrays: process.memoryUsage().arrayBuffers - arraysBefore, peak: peakMemory() - before };
}

function measure(sizes: readonly Size[]): MemoryResult {
  const questions = sizes.flatMap((size) =>
    (['float64', 'float32'] as Dtype[]).flatMap((dtype) => METHODS.map((method) => written({ method, size, dtype }))),
  );
  const rows = questions.map((question) => {
    const args = ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), '--one', question];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    });
    if (status !== 0) throw new Error(`${question}: ${stderr}`);
    return JSON.parse(stdout) as Row;
  });
  return { rows };
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

export const memoryTable = ({ rows }: MemoryResult): Table => ({
  header: ['update', 'size', 'type', 'arrays, MiB', 'peak, MiB', `peak over arrays (aim ${TARGET})`],
  rows: rows.map(({ question, arrays, peak }) => [...question.split(':'), mebibytes(arrays), mebibytes(peak), (peak / arrays).toFixed(2)]),
  words: 3,
});

function main(): void {
  const { values } = parseArgs({
    options: { one: { type: 'string' }, sizes: { type: 'string', default: 'large' }, json: { type: 'boolean', default: false } },
  });
  if (values.one !== undefined) {
    console.log(JSON.stringify(measured(values.one)));
    return;
  }
  const result = measure(values.sizes.split(',') as Size[]);
  console.log(values.json ? JSON.stringify(result, null, 1) : `${markdown(memoryTable(result))}\n`);
}

if (isProgram(import.meta.url)) main();
