/**
 * The single operations: ours, a plain C++ program on the same library, NumPy with SciPy, and PyTorch, beside the arithmetic peak of the core.
 *
 *   node --import tsx scripts/bench/kernelsSuite.ts [--dtype float64,float32] [--threads 1,2] [--rounds 7] [--only gemm,qr] [--json]
 *
 * Medians over rounds in which all are asked in turn (contender.ts); ratios are medians of ratios within a round.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../../lib/index.js';
import {
  askInTurn,
  Contender,
  countOf,
  gather,
  isProgram,
  markdown,
  printFacts,
  ROOT,
  type Answer,
  type Facts,
  type Table,
} from './contender.js';
import { KERNELS, labelOf, questionOf, workOf, type Kernel } from './kernels.js';
import { buildProgram } from './program.js';

const OURS = 'layerwise';
const CPP = 'C++';
/** Microseconds that a timed block takes, about. */
const BLOCK = 20_000;
/** Operations a microsecond, to size blocks by. */
const PACE = 20_000;
const MOST_STEPS = 2000;

interface Row {
  readonly kernel: string;
  readonly dtype: string;
  readonly threads: number;
  /** Microseconds by the clock: median over rounds. */
  readonly microseconds: Readonly<Record<string, number>>;
  /** Relative spread of ours: (third quartile - first) / median. */
  readonly spread: number;
  /** Of a contender over ours in the same round: above 1 we are faster. */
  readonly overOurs: Readonly<Record<string, number>>;
  /** Operations, or numbers of a fill, a second: ours, in 1e9. */
  readonly rate: number;
  /** Of the arithmetic peak of so many cores; NaN of a fill. */
  readonly share: number;
}

const isFill = ({ op }: Kernel): boolean => ['normal', 'uniform', 'rademacher'].includes(op);

async function measure(
  kernels: readonly Kernel[],
  dtype: string,
  threads: number,
  rounds: number,
): Promise<{ rows: Row[]; facts: object }> {
  const script = (name: string): string => join(ROOT, 'scripts', 'bench', name);
  const contenders = [
    new Contender(OURS, process.execPath, ['--import', 'tsx', script('kernelsOurs.ts')], threads),
    new Contender(CPP, buildProgram('layerwise-kernels'), [], threads),
    new Contender('NumPy', 'python3', [script('kernels.py'), 'numpy'], threads),
    new Contender('PyTorch', 'python3', [script('kernels.py'), 'torch'], threads),
  ];
  try {
    const { present, facts } = await gather(contenders, [OURS, CPP]);
    const peak = await contenders[1].ask<Answer>(`peak:0:0:0:${dtype} 1 3`);
    const perSecond = (2e9 / peak.wall) * 1e6 * threads;
    const questions = kernels.map((kernel) => questionOf(kernel, dtype));
    const works = new Map(kernels.map((kernel, i) => [questions[i], isFill(kernel) ? 30 * workOf(kernel) : workOf(kernel)]));
    const answers = await askInTurn<string, Answer>(present, questions, rounds, (question, round) => {
      const count = Math.min(MOST_STEPS, Math.max(1, Math.round((BLOCK * PACE) / works.get(question)!)));
      return `${question} ${round === 0 ? Math.min(count, 5) : 1} ${count}`;
    });
    const rows = kernels.map((kernel, i): Row => {
      const own = answers.get(OURS)![questions[i]].map(({ wall }) => wall);
      const of = <T>(f: (walls: readonly number[]) => T): Record<string, T> =>
        Object.fromEntries([...answers].map(([name, all]) => [name, f(all[questions[i]].map(({ wall }) => wall))]));
      const sorted = own.toSorted((a, b) => a - b);
      const quartile = (q: number): number => sorted[Math.round(q * (sorted.length - 1))];
      const rate = workOf(kernel) / median(own) / 1000;
      return {
        kernel: labelOf(kernel),
        dtype,
        threads,
        microseconds: of(median),
        spread: (quartile(0.75) - quartile(0.25)) / median(own),
        overOurs: of((walls) => median(walls.map((wall, round) => wall / own[round]))),
        rate,
        share: isFill(kernel) ? NaN : (rate * 1e9) / perSecond,
      };
    });
    return { rows, facts: { run: { dtype, threads, rounds, peak: `${(perSecond / 1e9).toFixed(0)} GFLOP/s` }, ...facts } };
  } finally {
    for (const contender of contenders) contender.end();
  }
}

export interface KernelsResult {
  readonly facts: object;
  readonly rows: readonly Row[];
}

export function kernelsTable({ rows }: KernelsResult): Table {
  const names = Object.keys(rows[0].microseconds);
  return {
    header: [
      'operation',
      ...names.map((name) => `${name}, µs`),
      ...names.slice(1).map((name) => `${name} over ours`),
      '1e9/s',
      'of peak',
      'spread',
    ],
    rows: rows.map(({ kernel, microseconds, overOurs, rate, share, spread }) => [
      kernel,
      ...names.map((name) => microseconds[name].toPrecision(3)),
      ...names.slice(1).map((name) => overOurs[name].toFixed(2)),
      rate.toFixed(1),
      Number.isFinite(share) ? share.toFixed(2) : '',
      spread.toFixed(2),
    ]),
    words: 1,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      dtype: { type: 'string', default: 'float64,float32' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '7' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const only = values.only === '' ? undefined : values.only.split(',');
  const kernels = KERNELS.filter(({ op }) => only?.includes(op) !== false);
  const results: KernelsResult[] = [];
  for (const dtype of values.dtype.split(','))
    for (const threads of values.threads.split(',')) {
      const result = await measure(kernels, dtype, countOf('threads', threads), countOf('rounds', values.rounds));
      results.push(result);
      if (values.json) continue;
      printFacts(result.facts as Record<string, Facts | string>);
      console.log(`${markdown(kernelsTable(result))}\n`);
    }
  if (values.json) console.log(JSON.stringify(results, null, 1));
}

if (isProgram(import.meta.url)) await main();
