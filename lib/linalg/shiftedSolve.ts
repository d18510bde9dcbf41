/**
 * Solutions of (A + s I) X = B for many shifts s, for the cost of one or two factorisations. With A + sigma I = L L' for a pole sigma, and
 * C = (A + sigma I)^-1,
 *   (A + s I) x = b   <=>   (I + (s - sigma) C) x = C b,
 * and the Krylov spaces of I + (s - sigma) C from C b are those of C for every s. So one Lanczos process on C (each step a solve with
 * L, full reorthogonalisation) gives T = V' C V, and every x is V (I + (s - sigma) T)^-1 |C b| e_1, the iterate of conjugate gradients. It
 * converges like conjugate gradients at condition max(s/sigma, sigma/s) or better: shifts are spread over as many poles as pay.
 * Source: Golub & Van Loan 2013, section 10.1; Frommer & Maass 1999 (shifted systems); Ericsson & Ruhe 1980 (poles).
 */
import { ArgumentError } from '../errors.js';
import { native } from '../native/index.js';
import { Matrix, requireSameDtype, requireShape, requireSquare, sharesMemory } from './matrix.js';
import { Factored } from './factored.js';
import { krylovShifts, notFinite } from './krylovShifts.js';

export interface ShiftedSolutions {
  /** n x r for each shift, in the order given. */
  readonly solutions: readonly Matrix[];
  /** Cholesky factorisations made, and solves with one for a single right-hand side. */
  readonly factorisations: number;
  readonly solves: number;
  /** Largest estimate of |x - (A + s I)^-1 b| / |x| over what was solved in a Krylov space; 0 where all was solved directly. */
  readonly error: number;
}

/** Aimed at in a Krylov space, and what is accepted in the end: else a shift is solved directly. In float32 a hundred epsilon. */
const TOLERANCE = { float64: { aim: 1e-10, accept: 1e-9 }, float32: { aim: 1e-5, accept: 1e-4 } };

/** @param a       n x n symmetric positive semi-definite, both triangles given; used as workspace and restored, to the bit
 *  @param b       n x r
 *  @param shifts  finite, at least 0; 0 needs a definite A
 *  @throws ArgumentError on shapes, dtypes or shifts that do not fit; NumericalError NOT_POSITIVE_DEFINITE, NOT_FINITE
 *  Cost about n^3/3 a pole and 2 n^2 r a Lanczos step, 20 to 60 a pole; memory of n (r + 1) numbers a step beside A. */
export function shiftedSolve(a: Matrix, b: Matrix, shifts: readonly number[]): ShiftedSolutions {
  requireSquare('shiftedSolve', 'a', a);
  const n = a.rows;
  requireShape('shiftedSolve', 'b', b, n, b.cols);
  requireSameDtype('shiftedSolve', a, b);
  if (sharesMemory(a.data, b.data)) throw new ArgumentError('shiftedSolve: b shares memory with a, which is workspace; give it its own');
  for (const s of shifts)
    if (!(typeof s === 'number' && s >= 0 && s < Infinity))
      throw new ArgumentError(`shiftedSolve: shifts must be finite numbers of at least 0, got ${String(s)}`);
  const solutions = shifts.map(() => Matrix.zeros(n, b.cols, a.dtype));
  const tally = { factorisations: 0, solves: 0, error: 0 };
  if (n === 0 || b.cols === 0 || shifts.length === 0) return { solutions, ...tally };
  const factored = new Factored(a);
  try {
    for (const group of grouped(shifts, n, b.cols)) {
      const failed = solveGroup(factored, b, group.pole, group.members, shifts, solutions, tally);
      for (const i of failed) solveGroup(factored, b, shifts[i], [i], shifts, solutions, tally);
    }
  } finally {
    factored.restore();
  }
  return { solutions, ...tally };
}

interface Group {
  readonly pole: number;
  /** Indices of shifts. */
  readonly members: readonly number[];
}

/** A factorisation costs as much as so many solves with one right-hand side: half its flops at the speed of products, where a solve
 *  runs at that of memory (measured). */
const factorCost = (n: number): number => Math.max(40, n / 110);
/** Lanczos steps at a condition number. */
const stepsAt = (condition: number): number => 4 + 9 * Math.sqrt(condition);

/** Shifts over as many poles as are cheapest, in equal ratios; each its own pole where that costs no more. */
function grouped(shifts: readonly number[], n: number, r: number): Group[] {
  const alone = (i: number): Group => ({ pole: shifts[i], members: [i] });
  const order = shifts.map((_, i) => i).sort((i, j) => shifts[i] - shifts[j]);
  const zero = order.filter((i) => shifts[i] === 0);
  const rest = order.filter((i) => shifts[i] > 0);
  const groups: Group[] = zero.length === 0 ? [] : [{ pole: 0, members: zero }];
  if (rest.length === 0) return groups;
  // In logarithms: shifts may be hundreds of decades apart.
  const least = Math.log(shifts[rest[0]]);
  const span = Math.log(shifts[rest[rest.length - 1]]) - least;
  let best = { poles: Infinity, cost: rest.length * (factorCost(n) + r) };
  for (let poles = 1; poles < rest.length; poles++) {
    const condition = Math.exp(span / (2 * poles));
    const cost = poles * (factorCost(n) + Math.min(n, stepsAt(condition)) * (0.7 + 0.6 * r));
    if (cost < best.cost) best = { poles, cost };
  }
  if (best.poles === Infinity) return [...groups, ...rest.map(alone)];
  const width = span / best.poles;
  const members: number[][] = Array.from({ length: best.poles }, () => []);
  const placeOf = (s: number): number => (width === 0 ? 0 : Math.min(best.poles - 1, Math.floor((Math.log(s) - least) / width + 1e-9)));
  for (const i of rest) members[placeOf(shifts[i])].push(i);
  for (const own of members.filter((m) => m.length > 0)) {
    const pole = Math.sqrt(shifts[own[0]]) * Math.sqrt(shifts[own[own.length - 1]]);
    groups.push(own.length === 1 ? alone(own[0]) : { pole, members: own });
  }
  return groups;
}

interface Tally {
  factorisations: number;
  solves: number;
  error: number;
}

/** Solves for one pole's shifts. @returns those that did not converge */
function solveGroup(
  factored: Factored,
  b: Matrix,
  pole: number,
  members: readonly number[],
  shifts: readonly number[],
  solutions: readonly Matrix[],
  tally: Tally,
): readonly number[] {
  factored.factor(pole);
  tally.factorisations++;
  const start = factored.solve(b.clone()); // C B
  tally.solves += b.cols;
  if (members.every((i) => shifts[i] === pole)) {
    for (const i of members) solutions[i].data.set(start.data);
    requireFinite(start);
    return [];
  }
  const { aim, accept } = TOLERANCE[b.dtype];
  for (let j = 0; j < b.cols; j++) {
    const space = krylovShifts(factored, column(start, j), pole, members.map((i) => shifts[i]), aim); // prettier-ignore
    tally.solves += space.steps;
    members.forEach((i, k) => setColumn(solutions[i], j, space.solutions, k));
  }
  const own = members.map((i) => shifts[i]);
  const errors = errorsOf(factored, b, own, pole, members.map((i) => solutions[i])); // prettier-ignore
  const good = errors.map((error) => error <= accept);
  tally.error = errors.reduce((worst, error, k) => (good[k] ? Math.max(worst, error) : worst), tally.error);
  return members.filter((_, k) => !good[k]);
}

/** Upper bounds of |x - (A + s I)^-1 b| / |x|, the largest over columns, from the residual: |(A + s)^-1 (A + sigma)| is at most
 *  max(1, sigma/s). All in one product and one solve. */
function errorsOf(factored: Factored, b: Matrix, shifts: readonly number[], pole: number, solutions: readonly Matrix[]): number[] {
  const [n, r] = [b.rows, b.cols];
  const all = Matrix.zeros(n, r * shifts.length, b.dtype);
  const rest = Matrix.zeros(n, r * shifts.length, b.dtype);
  solutions.forEach((x, k) => {
    for (let i = 0; i < n; i++)
      for (let j = 0; j < r; j++) {
        const at = i * all.cols + k * r + j;
        all.data[at] = x.data[i * r + j];
        rest.data[at] = b.data[i * r + j] - shifts[k] * all.data[at];
      }
  });
  factored.solve(factored.minusProduct(all, rest));
  return shifts.map((shift, k) => {
    let worst = 0;
    for (let j = k * r; j < (k + 1) * r; j++) {
      const [error, size] = [columnNorm(rest, j), columnNorm(all, j)];
      if (error !== 0) worst = Math.max(worst, error / size); // NaN stays
    }
    return worst * Math.max(1, pole / shift);
  });
}

function column(m: Matrix, j: number): Matrix {
  const out = Matrix.zeros(m.rows, 1, m.dtype);
  for (let i = 0; i < m.rows; i++) out.data[i] = m.data[i * m.cols + j];
  return out;
}

function setColumn(into: Matrix, j: number, from: Matrix, k: number): void {
  for (let i = 0; i < into.rows; i++) into.data[i * into.cols + j] = from.data[i * from.cols + k];
}

function columnNorm(m: Matrix, j: number): number {
  return native.nrm2(column(m, j).data);
}

function requireFinite(m: Matrix): void {
  if (!Number.isFinite(native.nrm2(m.data))) throw notFinite();
}
