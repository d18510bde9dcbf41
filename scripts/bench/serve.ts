/**
 * How our own contenders answer (contender.ts): a line of facts first, then for each line `QUESTION WARM_UP COUNT [FILE]` on standard
 * input, so many untimed steps and so many timed ones, the microseconds of one by the clock and of the processor, and the last one's
 * outcome.
 */
import { createInterface } from 'node:readline';
import { setThreads, systemInfo } from '../../lib/index.js';

export interface Work {
  /** Takes so many steps. @returns the outcome of the last one */
  readonly advance: (count: number) => number;
  /** Writes what it has come to. */
  readonly save?: (file: string) => void;
}

/** @param begin  what a question asks for: from its beginning, or going on, as it likes
 *  @param outcome  what the last step's outcome is called */
export async function serve(begin: (question: string) => Work, outcome: string): Promise<void> {
  setThreads(Number(process.env['OPENBLAS_NUM_THREADS'] ?? 1));
  const { kernel, threads, config } = systemInfo();
  console.log(JSON.stringify({ facts: { node: process.version, blas: config.split(' ').slice(0, 2).join(' '), kernel, threads } }));
  for await (const line of createInterface({ input: process.stdin })) {
    const [question, warmUp, count, file] = line.split(' ');
    const { advance, save } = begin(question);
    advance(Number(warmUp));
    const [started, used] = [performance.now(), process.cpuUsage()];
    const last = advance(Number(count));
    const wall = ((performance.now() - started) * 1000) / Number(count);
    const { user, system } = process.cpuUsage(used); // of all threads, V8's own included
    if (file !== undefined) save?.(file);
    console.log(JSON.stringify({ wall, cpu: (user + system) / Number(count), [outcome]: last }));
  }
}

/** Begins each question once, and goes on with it when it is asked again. */
export function once(begin: (question: string) => Work): (question: string) => Work {
  const known = new Map<string, Work>();
  return (question) => {
    const work = known.get(question) ?? begin(question);
    known.set(question, work);
    return work;
  };
}

/** Steps one by one. */
export const repeated =
  (step: () => number) =>
  (count: number): number => {
    let last = NaN;
    for (let i = 0; i < count; i++) last = step();
    return last;
  };
