/**
 * Microseconds a training step takes with each optimiser: ours, NumPy with SciPy, and PyTorch where it imports. Of a 784-256-128-10 ReLU
 * network with biases under softmax cross-entropy, batches of 256; or of linear representation learning at the sizes of step.ts. Batches are
 * held in memory, inputs multiplied out, one thread; a step is forward and backward passes, statistics, update and its application. The
 * number after a method's name is its period: of inverses, roots or bases.
 *
 *   node --import tsx scripts/bench/optimizers.ts [--bench classifier|small|middle|large,..] [--dtype float32|float64] [--only kfac/5,muon]
 *     [--rounds 11] [--json]
 *
 * First every contender trains a small network for some steps by each method, in both types: their parameters must agree, or nothing is
 * measured. Then they are asked in turn (contender.ts) for a block of steps from the start of training, the same batches to all; their
 * losses must agree at its end. Times are of the processor, medians over rounds, and ratios are medians of ratios within a round.
 *
 * PYTHONPATH says where PyTorch is. To measure the BLAS kernels made for this CPU where the environment holds OpenBLAS to others, run
 * under `env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, type Dtype } from '../../lib/index.js';
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
  type Answers,
  type Facts,
  type Table,
} from './contender.js';
import {
  BENCHES,
  CHECK,
  METHOD_NAMES,
  problemOf,
  stepsOf,
  writeProblem,
  type Bench,
  type MethodName,
  type Model,
  type Purpose,
} from './optimizersProblem.js';

const OURS = 'layerwise (ours)';
/** PyTorch's own Muon, beside the one by hand: it iterates in bfloat16 whatever the dtype, and so computes something else. */
const TORCH_MUON = 'torch.optim.Muon';
const DTYPES = ['float32', 'float64'] as const;
/** Steps of a block, or as many as the longest period has; and untimed ones at its start: memory is touched, and factors have full rank. */
const STEPS: Readonly<Record<Bench, { timed: number; untimed: number }>> = {
  classifier: { timed: 40, untimed: 20 },
  small: { timed: 400, untimed: 40 },
  middle: { timed: 40, untimed: 12 },
  large: { timed: 2, untimed: 1 },
};
/** Largest difference of parameters after the check's steps, |ours - theirs| over |ours - start|, and of losses. SOAP scales a direction in
 *  which gradients are rounding errors up like any other (softmax gradients sum to 0), and so has its own. */
const SAME = { float64: 1e-9, float32: 1e-3 };
const SAME_SOAP = { float64: 1e-4, float32: 0.2 };
/** Of the linear network: inverse fourth roots are taken in float32 itself there (`rootPrecision: same`), where rounding is 1e-3 of the way. */
const SAME_SHAMPOO_LINEAR = { float64: 1e-9, float32: 3e-3 };
/** Largest factor between losses at the end of a block: labels drawn from the model differ, and so do bases of null spaces. */
const ALIKE = 1.5;

interface Loss extends Answer {
  readonly loss: number;
}

/** Contenders for a problem, which is written into a folder. */
function contendersFor(purpose: Purpose, dtype: Dtype, folder: string): Contender[] {
  const path = join(folder, `${purpose.replace(' ', '-')}-${dtype}.json`);
  writeProblem(path, problemOf(purpose, dtype));
  const script = (name: string): string => join(ROOT, 'scripts', 'bench', name);
  return [
    new Contender(OURS, process.execPath, ['--import', 'tsx', script('optimizersOurs.ts'), purpose, dtype]),
    new Contender('NumPy', 'python3', [script('optimizers.py'), path, 'numpy']),
    new Contender('PyTorch', 'python3', [script('optimizers.py'), path, 'torch']),
    ...(purpose === 'classifier' ? [new Contender(TORCH_MUON, 'python3', [script('optimizers.py'), path, 'torch', TORCH_MUON])] : []),
  ];
}

/** @throws Error where a peer's parameters differ from ours after the check's steps */
async function requireSameMethods(model: Model, methods: readonly MethodName[], dtype: Dtype, folder: string): Promise<void> {
  const purpose: Purpose = `${model} check`;
  const start = Float64Array.from(problemOf(purpose, dtype).network.params.flatMap(({ value }) => [...value.data]));
  const contenders = contendersFor(purpose, dtype, folder);
  try {
    const { present } = await gather(contenders, [OURS]);
    for (const method of methods) {
      const [ours, ...peers] = await Promise.all(
        present.map(async (contender, i) => {
          const path = join(folder, `parameters-${i}.f64`);
          const { loss } = await contender.ask<Loss>(`${method} 0 ${CHECK.steps} ${path}`);
          const bytes = readFileSync(path);
          return {
            name: contender.name,
            loss,
            parameters: new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
          };
        }),
      );
      const bounds = method === 'soap/10' ? SAME_SOAP : method === 'shampoo/20' && model === 'linear' ? SAME_SHAMPOO_LINEAR : SAME;
      const allowed = bounds[dtype];
      for (const { name, loss, parameters } of peers) {
        const difference = distance(ours.parameters, parameters) / distance(ours.parameters, start);
        if (!(difference <= allowed && Math.abs(loss / ours.loss - 1) <= allowed))
          throw new Error(
            `${method}, ${model}, ${dtype}: after ${CHECK.steps} steps of the check, parameters of ${name} differ from ours by ${difference.toExponential(1)} of the way and its loss is ${loss}, ours ${ours.loss}: not the same method`,
          );
      }
    }
  } finally {
    for (const contender of contenders) contender.end();
  }
}

/** |a - b|. */
const distance = (a: Float64Array, b: Float64Array): number =>
  a.length === b.length ? Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0)) : Infinity;

/** @throws Error where losses at the end of a block are not alike */
function requireAlike(answers: Answers<MethodName, Loss>, methods: readonly MethodName[]): void {
  for (const [name, theirs] of answers)
    for (const method of methods)
      for (const [i, { loss }] of theirs[method].entries()) {
        const ours = answers.get(OURS)![method][i].loss;
        if (!(loss / ours <= ALIKE && ours / loss <= ALIKE))
          throw new Error(`${method}: the loss of ${name} is ${loss} at the end of a block, ours is ${ours}: times are of different work`);
      }
}

interface Row {
  readonly bench: Bench;
  readonly method: MethodName;
  readonly contender: string;
  /** Microseconds a step of the processor and by the clock: medians over rounds. */
  readonly cpu: number;
  readonly wall: number;
  /** Median over rounds of its processor time over ours in the same round: above 1 we are faster. */
  readonly overOurs: number;
  readonly loss: number;
}

function rowsOf(bench: Bench, answers: Answers<MethodName, Loss>, methods: readonly MethodName[]): Row[] {
  return methods.flatMap((method) => {
    const ours = answers.get(OURS)![method];
    return [...answers].flatMap(([contender, { [method]: own }]) =>
      own.length === 0
        ? []
        : {
            bench,
            method,
            contender,
            cpu: median(own.map((a) => a.cpu)),
            wall: median(own.map((a) => a.wall)),
            overOurs: median(own.map(({ cpu }, i) => cpu / ours[i].cpu)),
            loss: own.at(-1)!.loss,
          },
    );
  });
}

export interface OptimizersResult {
  readonly facts: Readonly<Record<string, Facts | string>>;
  readonly dtype: string;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

/** A line a method and bench. torch.optim.Muon is no peer, since it does other work. */
export function optimizersTable({ rows }: OptimizersResult): Table {
  const same = rows.filter((r) => r.contender !== TORCH_MUON);
  const names = [...new Set(same.map((r) => r.contender))];
  const benches = [...new Set(same.map((r) => r.bench))];
  const size = benches.length > 1;
  const lines = benches.flatMap((bench) => {
    const here = same.filter((r) => r.bench === bench);
    return [...new Set(here.map((r) => r.method))].map((method) => {
      const own = here.filter((r) => r.method === method);
      const times = names.map((name) => own.find((r) => r.contender === name)!.cpu.toFixed(0));
      const peers = own.filter((r) => r.contender !== OURS).map((r) => r.overOurs);
      return [...(size ? [bench] : []), method, ...times, peers.length === 0 ? 'none' : Math.min(...peers).toFixed(2)];
    });
  });
  return { header: [...(size ? ['size'] : []), 'method', ...names, 'fastest peer over ours'], rows: lines, words: size ? 2 : 1 };
}

function print(result: OptimizersResult): void {
  const { facts, dtype, rounds, rows } = result;
  printFacts({ run: { dtype, rounds }, ...facts });
  console.log(`${markdown(optimizersTable(result))}\n`);
  for (const r of rows.filter(({ contender }) => contender === TORCH_MUON))
    console.log(`${r.contender}, in bfloat16: ${r.cpu.toFixed(0)} µs, ${r.overOurs.toFixed(2)} times ours; last loss ${r.loss.toFixed(4)}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bench: { type: 'string', default: 'classifier' },
      dtype: { type: 'string', default: 'float32' },
      only: { type: 'string', default: METHOD_NAMES.join() },
      rounds: { type: 'string', default: '11' },
      json: { type: 'boolean', default: false },
    },
  });
  const rounds = countOf('rounds', values.rounds);
  const benches = values.bench.split(',').map((name) => oneOf('bench', name, Object.keys(BENCHES) as Bench[]));
  const dtype = oneOf('dtype', values.dtype, DTYPES);
  const methods = values.only.split(',').map((name) => oneOf('only', name, METHOD_NAMES));

  const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'));
  try {
    for (const model of new Set(benches.map((bench) => BENCHES[bench].model)))
      for (const each of DTYPES) await requireSameMethods(model, methods, each, folder);
    const parts: { facts: OptimizersResult['facts']; rows: Row[] }[] = [];
    for (const bench of benches) parts.push(await measure(bench, methods, dtype, rounds, folder));
    const result: OptimizersResult = { facts: parts[0].facts, dtype, rounds, rows: parts.flatMap(({ rows }) => rows) };
    if (values.json) console.log(JSON.stringify(result, null, 1));
    else print(result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  bench: Bench,
  methods: readonly MethodName[],
  dtype: Dtype,
  rounds: number,
  folder: string,
): Promise<{ facts: OptimizersResult['facts']; rows: Row[] }> {
  const contenders = contendersFor(bench, dtype, folder);
  try {
    const { present, facts } = await gather(contenders, [OURS]);
    const { timed, untimed } = STEPS[bench];
    const answers = await askInTurn<MethodName, Loss>(present, methods, rounds, (method, _, { name }) =>
      name === TORCH_MUON && method !== 'muon' ? null : `${method} ${untimed} ${stepsOf(method, timed)}`,
    );
    requireAlike(answers, methods);
    return { facts, rows: rowsOf(bench, answers, methods) };
  } finally {
    for (const contender of contenders) contender.end();
  }
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((a) => a === value);
  if (found === undefined) throw new Error(`--${option} is one of ${allowed.join(', ')}; got ${value}`);
  return found;
}

if (isProgram(import.meta.url)) await main();
