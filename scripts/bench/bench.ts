/**
 * All benchmarks, one after another, and the tables of docs/performance.md and docs/single-index.md from what they measure.
 *
 *   npm run bench                                   everything: about three quarters of an hour on a quiet machine with two cores
 *   npm run bench -- --only step,kernels            some
 *   npm run bench -- --rounds 3                     fewer rounds of what has rounds
 *   npm run bench -- --render                       no measurement: the tables again, from docs/results/performance
 *
 * PYTHONPATH says where PyTorch is; peers that are absent are named as absent. Variables that hold OpenBLAS to slower kernels are taken away,
 * from all contenders alike, but for the run that shows what they cost.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isProgram, markdown, ROOT, type Table } from './contender.js';
import { growthTable, type GrowthResult } from './growth.js';
import { kernelsTable, type KernelsResult } from './kernelsSuite.js';
import { memoryTable, type MemoryResult } from './memory.js';
import { optimizersTable, type OptimizersResult } from './optimizers.js';
import { pathMemoryTable, pathTable, type PathResult } from './path.js';
import { prefetchTable, type PrefetchResult } from './prefetch.js';
import { renewalsTable, type RenewalsResult } from './renewals.js';
import { stepTable, type StepResult } from './step.js';
import { sweepTable, type SweepResult } from './sweep.js';

const RESULTS = join(ROOT, 'docs', 'results', 'performance');
const DOCUMENTS = ['performance.md', 'single-index.md'].map((name) => join(ROOT, 'docs', name));

/** What holds OpenBLAS to AVX2 kernels where it is set. */
const HELD = { OPENBLAS_CORETYPE: 'Haswell' };

interface Part {
  readonly script: string;
  readonly args: readonly string[];
  readonly rounds?: number;
  readonly held?: boolean;
  /** Tables by the name under which the document asks for them. */
  readonly tables: (result: never) => Readonly<Record<string, Table>>;
}

const kernelTables = (results: readonly KernelsResult[]): Record<string, Table> =>
  Object.fromEntries(results.map((result) => [`kernels ${result.rows[0].dtype} ${result.rows[0].threads}`, kernelsTable(result)]));

const PARTS: Readonly<Record<string, Part>> = {
  step: { script: 'step.ts', args: ['--sizes', 'small,middle'], rounds: 9, tables: (r: StepResult) => ({ step: stepTable(r) }) },
  'step-large': { script: 'step.ts', args: ['--sizes', 'large'], rounds: 3, tables: (r: StepResult) => ({ 'step-large': stepTable(r) }) },
  'step-held': {
    script: 'step.ts',
    args: ['--sizes', 'small,middle', '--dtypes', 'float64'],
    rounds: 5,
    held: true,
    tables: (r: StepResult) => ({ 'step-held': stepTable(r) }),
  },
  kernels: { script: 'kernelsSuite.ts', args: ['--threads', '1,2'], rounds: 5, tables: kernelTables },
  'optimizers-float32': {
    script: 'optimizers.ts',
    args: ['--dtype', 'float32'],
    rounds: 7,
    tables: (r: OptimizersResult) => ({ 'optimizers float32': optimizersTable(r) }),
  },
  'optimizers-float64': {
    script: 'optimizers.ts',
    args: ['--dtype', 'float64'],
    rounds: 5,
    tables: (r: OptimizersResult) => ({ 'optimizers float64': optimizersTable(r) }),
  },
  'optimizers-linear-float64': {
    script: 'optimizers.ts',
    args: ['--bench', 'small,middle,large', '--dtype', 'float64'],
    rounds: 2,
    tables: (r: OptimizersResult) => ({ 'optimizers linear float64': optimizersTable(r) }),
  },
  'optimizers-linear-float32': {
    script: 'optimizers.ts',
    // A step of the large one takes up to seconds: one type shows it.
    args: ['--bench', 'small,middle', '--dtype', 'float32'],
    rounds: 3,
    tables: (r: OptimizersResult) => ({ 'optimizers linear float32': optimizersTable(r) }),
  },
  sweep: { script: 'sweep.ts', args: [], rounds: 2, tables: (r: SweepResult) => ({ sweep: sweepTable(r) }) },
  renewals: { script: 'renewals.ts', args: [], rounds: 3, tables: (r: RenewalsResult) => ({ renewals: renewalsTable(r) }) },
  memory: { script: 'memory.ts', args: [], tables: (r: MemoryResult) => ({ memory: memoryTable(r) }) },
  prefetch: { script: 'prefetch.ts', args: [], rounds: 7, tables: (r: PrefetchResult) => ({ prefetch: prefetchTable(r) }) },
  path: {
    script: 'path.ts',
    args: ['--threads', '1,2'],
    rounds: 5,
    tables: (r: PathResult) => ({ path: pathTable(r), 'path memory': pathMemoryTable(r) }),
  },
  growth: { script: 'growth.ts', args: [], tables: (r: GrowthResult) => ({ growth: growthTable(r) }) },
};

const fileOf = (name: string): string => join(RESULTS, `${name}.json`);

function run(name: string, { script, args, rounds, held = false }: Part, fewer: number | undefined): void {
  const env: NodeJS.ProcessEnv = { ...process.env, OPENBLAS_CORETYPE: undefined, OPENBLAS_L2_SIZE: undefined, ...(held ? HELD : {}) };
  const counted = rounds === undefined ? [] : ['--rounds', String(Math.min(rounds, fewer ?? rounds))];
  console.error(`${name} ...`);
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'scripts', 'bench', script), ...args, ...counted, '--json'],
    { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 },
  );
  // A missed target of growth is an exit code too: what was measured is there all the same.
  if (stdout === '') throw new Error(`${name} ended with ${String(status)} and no result`);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(fileOf(name), `${JSON.stringify(JSON.parse(stdout))}\n`);
}

/** A document with each table, between `<!-- table NAME -->` and `<!-- end -->`, as the results have it.
 *  @throws Error where it asks for a table that there is not */
export function rendered(document: string, results: Readonly<Record<string, unknown>>): string {
  const tables: Record<string, Table> = {};
  for (const [name, result] of Object.entries(results)) Object.assign(tables, PARTS[name].tables(result as never));
  return document.replace(/<!-- table (.+?) -->\n[^]*?<!-- end -->/g, (_, name: string) => {
    if (tables[name] === undefined) throw new Error(`a document asks for the table ${name}; there are: ${Object.keys(tables).join(', ')}`);
    return `<!-- table ${name} -->\n\n${markdown(tables[name])}\n\n<!-- end -->`;
  });
}

/** What was measured last, by part. */
export function measured(): Record<string, unknown> {
  const there = Object.keys(PARTS).filter((name) => existsSync(fileOf(name)));
  return Object.fromEntries(there.map((name) => [name, JSON.parse(readFileSync(fileOf(name), 'utf8')) as unknown]));
}

function main(): void {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(PARTS).join() },
      rounds: { type: 'string' },
      render: { type: 'boolean', default: false },
    },
  });
  for (const name of values.render ? [] : values.only.split(',')) {
    if (!(name in PARTS)) throw new Error(`--only takes ${Object.keys(PARTS).join(', ')}; got ${name}`);
    run(name, PARTS[name], values.rounds === undefined ? undefined : Number(values.rounds));
  }
  for (const path of DOCUMENTS) writeFileSync(path, rendered(readFileSync(path, 'utf8'), measured()));
}

if (isProgram(import.meta.url)) main();
