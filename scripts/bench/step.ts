/**
 * Microseconds a training step of linear representation learning takes: ours, a plain C++ program making the same calls, NumPy, and PyTorch
 * where it imports. One thread; data generation and the subspace distance are part of every step. Sizes d_X/d_Y/k/n: small 100/15/8/1024,
 * middle 500/50/16/2048, large 2000/100/32/8192.
 *
 *   node --import tsx scripts/bench/step.ts [--sizes small,middle,large] [--dtypes float64,float32] [--methods sgd,adam,layerwise] [--rounds 11] [--json]
 *
 * Contenders are processes asked in turn (contender.ts). Verdicts are medians of ratios within a round, of processor time: with one thread
 * that is the time by the clock of a machine which does nothing else, and it counts the helper threads of our JavaScript engine.
 *
 * PYTHONPATH says where PyTorch is. To measure the BLAS kernels made for this CPU where the environment holds OpenBLAS to others, run
 * under `env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../../lib/index.js';
import {
  askInTurn,
  Contender,
  countOf,
  gather,
  isProgram,
  printFacts,
  printTable,
  ROOT,
  type Answer,
  type Answers,
  type Facts,
  type Table,
} from './contender.js';
import { METHODS, parseQuestion, SIZE_NAMES, writeProblem, written, type Question, type Size } from './problem.js';
import { buildProgram } from './program.js';

/** Steps of a timed block, and untimed ones before the first round and before each block, to fill the caches after another process had
 *  the core. */
const STEPS: Readonly<Record<Size, { timed: number; first: number; refill: number }>> = {
  small: { timed: 100, first: 2000, refill: 5 },
  middle: { timed: 5, first: 5, refill: 1 },
  large: { timed: 1, first: 1, refill: 0 },
};
/** The contenders that every run needs; the peers may be absent. */
const OURS = 'layerwise';
const CPP = 'C++';
const TARGETS: Readonly<Record<Size, { cpp: number; peer: number }>> = {
  small: { cpp: 1.05, peer: 4 },
  middle: { cpp: 1.02, peer: 2 },
  large: { cpp: 1.02, peer: 1.3 },
};
/** Largest difference of the distances of ours and the C++ program, which draw the same numbers. */
const SAME = { float64: 1e-9, float32: 1e-4 } as const;

interface Distance extends Answer {
  readonly distance: number;
}
type Times = Answers<string, Distance>;

interface Row {
  readonly question: string;
  readonly contender: string;
  /** Microseconds: medians over rounds. */
  readonly wall: number;
  readonly cpu: number;
  /** Of the fastest block. */
  readonly fastest: number;
  /** Median over rounds of this contender's processor time over ours in the same round. */
  readonly overOurs: number;
  readonly distance: number;
}

function rowsOf(times: Times, questions: readonly string[]): Row[] {
  return questions.flatMap((question) =>
    [...times].map(([contender, answers]) => {
      const ours = times.get(OURS)![question];
      const own = answers[question];
      return {
        question,
        contender,
        wall: median(own.map((a) => a.wall)),
        cpu: median(own.map((a) => a.cpu)),
        fastest: Math.min(...own.map((a) => a.cpu)),
        overOurs: median(own.map((a, i) => a.cpu / ours[i].cpu)),
        distance: own.at(-1)!.distance,
      };
    }),
  );
}

interface Verdict {
  readonly question: string;
  readonly what: string;
  readonly ratio: number;
  readonly target: string;
  readonly met: boolean;
}

function verdictsOf(rows: readonly Row[], questions: readonly string[]): Verdict[] {
  return questions.flatMap((question) => {
    const targets = TARGETS[parseQuestion(question).size];
    const own = rows.filter((r) => r.question === question);
    const ratio = 1 / own.find((r) => r.contender === CPP)!.overOurs;
    const verdicts: Verdict[] = [{ question, what: 'ours / C++', ratio, target: `at most ${targets.cpp}`, met: ratio <= targets.cpp }];
    const peers = own.filter((r) => r.contender !== OURS && r.contender !== CPP);
    for (const form of ['plain', 'factored']) {
      const alike = peers.filter((r) => r.contender.includes('factored') === (form === 'factored'));
      if (alike.length === 0) continue;
      const peer = alike.reduce((a, b) => (a.overOurs <= b.overOurs ? a : b));
      const what = `fastest ${form} peer (${peer.contender}) / ours`;
      verdicts.push({ question, what, ratio: peer.overOurs, target: `at least ${targets.peer}`, met: peer.overOurs >= targets.peer });
    }
    return verdicts;
  });
}

export interface StepResult {
  readonly facts: Readonly<Record<string, Facts | string>>;
  readonly rounds: number;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

const SIZE_TEXT: Readonly<Record<Size, string>> = {
  small: 'small, 100/15/8/1024',
  middle: 'middle, 500/50/16/2048',
  large: 'large, 2000/100/32/8192',
};
const METHOD_TEXT: Readonly<Record<string, string>> = { sgd: 'SGD', adam: 'Adam', layerwise: 'layer-wise' };

/** A line a question, for the documentation: microseconds of all, and what the faster peers are over ours. */
export function stepTable({ rows }: StepResult): Table {
  const contenders = [...new Set(rows.map((r) => r.contender))];
  const peers = contenders.filter((name) => name !== OURS && name !== CPP);
  const forms = [...new Set(peers.map((name) => name.includes('factored')))].sort();
  const lines = [...new Set(rows.map((r) => r.question))].map((question) => {
    const { size, dtype, method } = parseQuestion(question);
    const own = new Map(rows.filter((r) => r.question === question).map((r) => [r.contender, r]));
    const fastest = (factored: boolean): number =>
      Math.min(...peers.filter((name) => name.includes('factored') === factored).map((name) => own.get(name)?.overOurs ?? Infinity));
    return [
      SIZE_TEXT[size],
      dtype,
      METHOD_TEXT[method],
      ...contenders.map((name) => own.get(name)?.cpu.toFixed(0) ?? ''),
      ...forms.map((form) => fastest(form).toFixed(2)),
      (1 / own.get(CPP)!.overOurs).toFixed(2),
    ];
  });
  return {
    header: ['size', 'type', 'update', ...contenders, ...forms.map((f) => (f ? 'factored over ours' : 'plain over ours')), 'ours over C++'],
    rows: lines,
    words: 3,
  };
}

/** The C++ program takes the same steps on the same draws: a different distance means that one of the two is wrong. */
function requireSameWork(times: Times, questions: readonly string[]): void {
  const [ours, cpp] = [times.get(OURS)!, times.get(CPP)!];
  for (const question of questions)
    ours[question].forEach(({ distance }, i) => {
      const other = cpp[question][i].distance;
      if (!(Math.abs(distance - other) <= SAME[parseQuestion(question).dtype]))
        throw new Error(`${question}: our distance is ${distance}, the C++ program's ${other}`);
    });
}

function print({ facts, rows, verdicts }: StepResult): void {
  printFacts(facts);
  printTable(
    ['step', 'contender', 'µs', 'µs CPU', 'fastest', 'CPU over ours', 'final distance'],
    rows.map((r) => {
      const times = [r.wall, r.cpu, r.fastest].map((t) => t.toFixed(0));
      return [r.question.replaceAll(':', ', '), r.contender, ...times, r.overOurs.toFixed(2), r.distance.toFixed(4)];
    }),
    2,
  );
  for (const v of verdicts)
    console.log(`${v.met ? 'met' : 'MISSED'}: ${v.question.replaceAll(':', ', ')}: ${v.what} = ${v.ratio.toFixed(2)} (${v.target})`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sizes: { type: 'string', default: 'small,middle' },
      dtypes: { type: 'string', default: 'float64,float32' },
      methods: { type: 'string', default: METHODS.join() },
      rounds: { type: 'string', default: '11' },
      json: { type: 'boolean', default: false },
    },
  });
  const rounds = countOf('rounds', values.rounds);
  const sizes = listOf('sizes', values.sizes, SIZE_NAMES);
  const dtypes = listOf('dtypes', values.dtypes, ['float64', 'float32'] as const);
  const methods = listOf('methods', values.methods, METHODS);
  const questions = sizes
    .flatMap((size) => dtypes.flatMap((dtype) => methods.map((method): Question => ({ method, size, dtype }))))
    .map(written);

  const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'));
  const contenders: Contender[] = [];
  try {
    for (const size of sizes) writeProblem(folder, size);
    const script = join(ROOT, 'scripts', 'bench', 'step.py');
    contenders.push(
      new Contender(OURS, process.execPath, ['--import', 'tsx', join(ROOT, 'scripts', 'bench', 'ours.ts')]),
      new Contender(CPP, buildProgram('layerwise-step'), [folder]),
      new Contender('NumPy', 'python3', [script, folder, 'numpy']),
      new Contender('NumPy, factored', 'python3', [script, folder, 'numpy-factored']),
      new Contender('PyTorch', 'python3', [script, folder, 'torch']),
      new Contender('PyTorch, factored', 'python3', [script, folder, 'torch-factored']),
      new Contender('torch.compile', 'python3', [script, folder, 'torch-compiled']),
      new Contender('torch.compile, factored', 'python3', [script, folder, 'torch-compiled-factored']),
    );
    const { present, facts } = await gather(contenders, [OURS, CPP]);
    const times = await askInTurn<string, Distance>(present, questions, rounds, (question, round) => {
      const { timed, first, refill } = STEPS[parseQuestion(question).size];
      return `${question} ${round === 0 ? first : refill} ${timed}`;
    });
    requireSameWork(times, questions);
    const rows = rowsOf(times, questions);
    const verdicts = verdictsOf(rows, questions);
    const result: StepResult = { facts, rounds, rows, verdicts };
    if (values.json) console.log(JSON.stringify(result, null, 1));
    else print(result);
  } finally {
    for (const contender of contenders) contender.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function listOf<T extends string>(option: string, text: string, allowed: readonly T[]): T[] {
  return text.split(',').map((name) => {
    const found = allowed.find((a) => a === name);
    if (found === undefined) throw new Error(`--${option} takes ${allowed.join(', ')}; got ${name}`);
    return found;
  });
}

if (isProgram(import.meta.url)) await main();
