/**
 * Microseconds a training step takes by the clock, with the next batches made on the second core and without: rounds in turn, medians.
 *
 *   env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE node --import tsx scripts/bench/prefetch.ts [--rounds 7] [--json]
 */
import { parseArgs } from 'node:util';
import { median, Training } from '../../lib/index.js';
import { isProgram, markdown, type Table } from './contender.js';
import { METHODS, SIZE_NAMES, trainingOptions, written, type Question, type Size } from './problem.js';

const STEPS: Readonly<Record<Size, number>> = { small: 2000, middle: 100, large: 6 };

export interface PrefetchResult {
  readonly rounds: number;
  readonly rows: readonly { readonly question: string; readonly plain: number; readonly prefetched: number; readonly gain: number }[];
}

function measure(rounds: number): PrefetchResult {
  const questions = SIZE_NAMES.flatMap((size) => METHODS.map((method): Question => ({ method, size, dtype: 'float64' })));
  const rows = questions.map((question) => {
    const runs = [false, true].map((prefetch) => new Training({ ...trainingOptions(question, 2 ** 31 - 1, 1), prefetch }));
    const steps = STEPS[question.size];
    const timed = (run: Training): number => {
      const began = performance.now();
      run.advance(steps);
      return (1000 * (performance.now() - began)) / steps;
    };
    for (const run of runs) run.advance(Math.ceil(steps / 4));
    const times = Array.from({ length: rounds }, () => runs.map(timed));
    for (const run of runs) run.stop('measured');
    return {
      question: written(question),
      plain: median(times.map(([a]) => a)),
      prefetched: median(times.map(([, b]) => b)),
      gain: median(times.map(([a, b]) => a / b)),
    };
  });
  return { rounds, rows };
}

export const prefetchTable = ({ rows }: PrefetchResult): Table => ({
  header: ['update', 'size', 'type', 'one core, µs', 'with the second, µs', 'times as fast'],
  rows: rows.map(({ question, plain, prefetched, gain }) => [
    ...question.split(':'),
    plain.toFixed(0),
    prefetched.toFixed(0),
    gain.toFixed(2),
  ]),
  words: 3,
});

function main(): void {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, json: { type: 'boolean', default: false } } });
  const result = measure(Number(values.rounds));
  console.log(values.json ? JSON.stringify(result, null, 1) : `${markdown(prefetchTable(result))}\n`);
}

if (isProgram(import.meta.url)) main();
