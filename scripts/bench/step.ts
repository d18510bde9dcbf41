/**
 * Microseconds a training step takes: ours, a plain C++ program making the same calls, NumPy, and PyTorch where it imports. d_X = 100,
 * d_Y = 15, k = 8, n = 1024, float64, one thread, data generation and the subspace distance included in every step.
 *
 *   node --import tsx scripts/bench/step.ts [--rounds 15] [--steps 100] [--json]
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
import { askInTurn, Contender, countOf, gather, printFacts, printTable, ROOT, type Answer, type Answers, type Facts } from './contender.js';
import { buildProgram } from './program.js';
import { METHODS, writeProblem, type Method } from './problem.js';

/** Untimed steps: before the first round, and before each block, to fill the caches after another process had the core. */
const FIRST = 500;
const REFILL = 5;
/** The contenders that every run needs; the peers may be absent. */
const OURS = 'layerwise (ours)';
const CPP = 'C++';
const TARGETS = { cpp: 1.1, peer: 2 };
/** Largest difference of the final distances of ours and the C++ program, which draw the same numbers. */
const SAME = 1e-9;

interface Distance extends Answer {
  readonly distance: number;
}
type Times = Answers<Method, Distance>;

interface Row {
  readonly method: Method;
  readonly contender: string;
  /** Median over rounds. */
  readonly wall: number;
  readonly cpu: number;
  /** Of the fastest block. */
  readonly fastest: number;
  /** Median over rounds of this contender's processor time over ours in the same round. */
  readonly toOurs: number;
  readonly distance: number;
}

function rowsOf(times: Times): Row[] {
  return METHODS.flatMap((method) =>
    [...times].map(([contender, answers]) => {
      const ours = times.get(OURS)![method];
      const own = answers[method];
      return {
        method,
        contender,
        wall: median(own.map((a) => a.wall)),
        cpu: median(own.map((a) => a.cpu)),
        fastest: Math.min(...own.map((a) => a.cpu)),
        toOurs: median(own.map((a, i) => a.cpu / ours[i].cpu)),
        distance: own.at(-1)!.distance,
      };
    }),
  );
}

interface Verdict {
  readonly method: Method;
  readonly what: string;
  readonly ratio: number;
  readonly target: string;
  readonly met: boolean;
}

function verdictsOf(rows: readonly Row[]): Verdict[] {
  return METHODS.flatMap((method) => {
    const own = rows.filter((r) => r.method === method);
    const cpp = own.find((r) => r.contender === CPP);
    const peers = own.filter((r) => r.contender === 'NumPy' || r.contender === 'PyTorch');
    const verdicts: Verdict[] = [];
    if (cpp !== undefined) {
      const ratio = 1 / cpp.toOurs;
      verdicts.push({ method, what: 'ours / C++', ratio, target: `at most ${TARGETS.cpp}`, met: ratio <= TARGETS.cpp });
    }
    if (peers.length > 0) {
      const peer = peers.reduce((a, b) => (a.toOurs <= b.toOurs ? a : b));
      const what = `fastest peer (${peer.contender}) / ours`;
      verdicts.push({ method, what, ratio: peer.toOurs, target: `at least ${TARGETS.peer}`, met: peer.toOurs >= TARGETS.peer });
    }
    return verdicts;
  });
}

/** The C++ program takes the same steps on the same draws: a different distance means that one of the two is wrong. */
function requireSameWork(times: Times): void {
  const [ours, cpp] = [times.get(OURS)!, times.get(CPP)!];
  for (const method of METHODS)
    ours[method].forEach(({ distance }, i) => {
      const other = cpp[method][i].distance;
      if (!(Math.abs(distance - other) <= SAME)) throw new Error(`${method}: our distance is ${distance}, the C++ program's ${other}`);
    });
}

function print(facts: Readonly<Record<string, Facts | string>>, rows: readonly Row[], verdicts: readonly Verdict[]): void {
  printFacts(facts);
  printTable(
    ['update', 'contender', 'µs/step', 'µs CPU/step', 'fastest', 'CPU over ours', 'final distance'],
    rows.map((r) => {
      const times = [r.wall, r.cpu, r.fastest].map((t) => t.toFixed(0));
      return [r.method, r.contender, ...times, r.toOurs.toFixed(2), r.distance.toFixed(4)];
    }),
    2,
  );
  for (const v of verdicts) console.log(`${v.met ? 'met' : 'MISSED'}: ${v.method}: ${v.what} = ${v.ratio.toFixed(2)} (${v.target})`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '15' },
      steps: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
    },
  });
  const [rounds, steps] = [countOf('rounds', values.rounds), countOf('steps', values.steps)];

  const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'));
  const contenders: Contender[] = [];
  try {
    const problem = join(folder, 'problem.f64');
    writeProblem(problem);
    const script = join(ROOT, 'scripts', 'bench', 'step.py');
    contenders.push(
      new Contender(OURS, process.execPath, ['--import', 'tsx', join(ROOT, 'scripts', 'bench', 'ours.ts')]),
      new Contender(CPP, buildProgram('layerwise-step'), [problem]),
      new Contender('NumPy', 'python3', [script, problem, 'numpy']),
      new Contender('PyTorch', 'python3', [script, problem, 'torch']),
    );
    const { present, facts } = await gather(contenders, [OURS, CPP]);
    const request = (method: Method, round: number): string => `${method} ${round === 0 ? FIRST : REFILL} ${steps}`;
    const times = await askInTurn<Method, Distance>(present, METHODS, rounds, request);
    requireSameWork(times);
    const rows = rowsOf(times);
    const verdicts = verdictsOf(rows);
    if (values.json) console.log(JSON.stringify({ facts, rounds, steps, rows, verdicts }, null, 2));
    else print(facts, rows, verdicts);
  } finally {
    for (const contender of contenders) contender.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
