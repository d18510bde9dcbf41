/**
 * What renewals cost, and what cheaper ones lose: the classifier of optimizersProblem.ts, float32, one thread, by EKFAC, Shampoo and SOAP
 * whose bases or roots are renewed by eigen-decompositions or by iterations, often or seldom.
 *
 *   node --import tsx scripts/bench/renewals.ts [--rounds 3] [--json]
 *
 * Microseconds a step by the clock, medians over rounds of 60 steps; the largest error of a basis after them, of any weight, just before its
 * next renewal; and the mean loss of the last 8 of 300 steps of training from one start.
 */
import { parseArgs } from 'node:util';
import { axpby, ekfac, Evaluation, Matrix, median, setThreads, shampoo, soap, type Optimizer } from '../../lib/index.js';
import { countOf, isProgram, markdown, type Table } from './contender.js';
import { labelsStream, problemOf } from './optimizersProblem.js';

const TRAINED = 300;
const TIMED = 60;
const LAST = 8;

const kronecker = { learningRate: 0.002, damping: 0.1, factorDecay: 0.95, momentum: 0.9, outputFactor: 'mc' } as const;
const gradient = { learningRate: 0.02, beta1: 0.9, epsilon: 1e-4 } as const;

/** Periods are in steps. */
const WAYS: Readonly<Record<string, () => Optimizer>> = {
  'ekfac, eigen-decompositions, 20': () => ekfac({ ...kronecker, inversePeriod: 20 }),
  'ekfac, iterations, 20': () => ekfac({ ...kronecker, inversePeriod: 20, bases: 'iteration' }),
  'ekfac, eigen-decompositions, 5': () => ekfac({ ...kronecker, inversePeriod: 5 }),
  'ekfac, iterations, 5': () => ekfac({ ...kronecker, inversePeriod: 5, bases: 'iteration' }),
  'shampoo, eigen-decompositions in float64, 20': () => shampoo({ ...gradient, rootPeriod: 20 }),
  'shampoo, eigen-decompositions in float32, 20': () => shampoo({ ...gradient, rootPeriod: 20, rootPrecision: 'same' }),
  'shampoo, Newton iterations in float64, 20': () => shampoo({ ...gradient, rootPeriod: 20, roots: 'newton' }),
  'shampoo, eigen-decompositions in float32, 100': () => shampoo({ ...gradient, rootPeriod: 100, rootPrecision: 'same' }),
  'soap, iterations, 10': () => soap({ learningRate: 0.003, period: 10 }),
  'soap, iterations, 50': () => soap({ learningRate: 0.003, period: 50 }),
};

interface Row {
  readonly way: string;
  readonly us: number;
  /** NaN where there are no bases. */
  readonly basisError: number;
  readonly loss: number;
}
export interface RenewalsResult {
  readonly rounds: number;
  readonly rows: readonly Row[];
}

/** Training by each way from one start, the rounds in turn. */
function measure(rounds: number): RenewalsResult {
  setThreads(1);
  const runs = Object.entries(WAYS).map(([way, optimizerOf]) => ({ way, ...begun(optimizerOf()), times: [] as number[] }));
  const losses = runs.map(({ advance }) => advance(TRAINED));
  for (let round = 0; round < rounds; round++)
    for (const { advance, times } of runs) {
      const began = performance.now();
      advance(TIMED);
      times.push((1000 * (performance.now() - began)) / TIMED);
    }
  const rows = runs.map(({ way, errors, times }, i): Row => {
    const found = errors();
    return { way, us: median(times), basisError: found.length === 0 ? NaN : Math.max(...found), loss: losses[i] };
  });
  return { rounds, rows };
}

function begun(optimizer: Optimizer): { advance: (count: number) => number; errors: () => number[] } {
  const { network, loss, data } = problemOf('classifier', 'float32');
  const { params } = network;
  const all = params.map((_, i) => i);
  const steps = params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
  const state = optimizer.init(params);
  const evaluation = new Evaluation({ network, loss, optimizer, labels: labelsStream() });
  return {
    /** @returns the mean of the last losses */
    advance(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const batch = data[evaluation.step % data.length];
        evaluation.step++;
        const value = evaluation.evaluate(batch, all, true);
        if (i >= count - LAST) sum += value / LAST;
        optimizer.update(evaluation, state, steps, all);
        for (const p of all) axpby(1, steps[p], 1, params[p].value);
      }
      return sum;
    },
    errors: () =>
      all.flatMap((i) =>
        Object.entries(optimizer.inspect?.(state, i) ?? {}).flatMap(([name, value]) => (name.endsWith('basisError') ? [value] : [])),
      ),
  };
}

export const renewalsTable = ({ rows }: RenewalsResult): Table => ({
  header: ['renewal, period', 'µs a step', 'error of a basis', `loss after ${TRAINED} steps`],
  rows: rows.map(({ way, us, basisError, loss }) => [
    way,
    us.toFixed(0),
    Number.isFinite(basisError) ? basisError.toPrecision(2) : '',
    loss.toPrecision(3),
  ]),
  words: 1,
});

function main(): void {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false } } });
  const result = measure(countOf('rounds', values.rounds));
  console.log(values.json ? JSON.stringify(result, null, 1) : `${markdown(renewalsTable(result))}\n`);
}

if (isProgram(import.meta.url)) main();
