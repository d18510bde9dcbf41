/**
 * Kronecker-factored preconditioning with a damped inverse (or power) on each side,
 *   U = (B + lB I)^-alpha V (A + lA I)^-beta,
 * where the damping lambda is split
 *   factored   lA = sqrt(lambda) pi, lB = sqrt(lambda) / pi, pi^2 = (tr A / n) / (tr B / m) (Martens & Grosse 2015, section 6.3)
 *   plain      the same with pi = 1
 *   separate   lA = lambda, lB the output side's own (Zhang, Moniri et al. 2025)
 * Where A is of one batch alone, and that has few samples, the input side goes the short way of woodbury.ts.
 */
import { Matrix, trace } from '../linalg/index.js';
import { applyInverse, invert, makeInverse, type Inverse } from './inverse.js';
import { applyWoodbury, makeWoodbury, prepareWoodbury, type OfBatch, type Woodbury } from './woodbury.js';

export type Split = 'factored' | 'plain' | 'separate';

export interface SeparableState {
  /** null where the exponent is 0. */
  readonly input: Inverse | null; // n x n
  readonly output: Inverse | null; // m x m
  /** In place of `input` for the present step, where its `inputs` are not null. */
  readonly work: Woodbury;
}

export interface Powers {
  readonly alpha: number;
  readonly beta: number;
}

export const separableState = (like: Matrix, m: number, n: number, { alpha, beta }: Powers): SeparableState => ({
  input: beta === 0 ? null : makeInverse(like, n),
  output: alpha === 0 ? null : makeInverse(like, m),
  work: makeWoodbury(like, m),
});

/** @param output  B, or null for the identity; @param dampings  of the two sides: the output's counts for `separate` alone
 *  @param batch  what A is made of, where the inverse is for this batch and of this batch alone; else null */
export function invertSeparable(
  state: SeparableState,
  input: Matrix,
  output: Matrix | null,
  dampings: { readonly input: number; readonly output: number },
  split: Split,
  { alpha, beta }: Powers,
  note: (message: string) => void,
  batch: OfBatch | null = null,
): void {
  let [forInput, forOutput] = [dampings.input, dampings.output];
  if (split !== 'separate') {
    const pi = split === 'plain' ? 1 : balance(input, output);
    forInput = Math.sqrt(dampings.input) * pi;
    forOutput = Math.sqrt(dampings.input) / pi;
  }
  state.work.inputs = null;
  if (state.input !== null) {
    if (beta === 1 && batch !== null && prepareWoodbury(state.work, batch, forInput, trace(input)))
      Object.assign(state.input, { damping: forInput, clipped: 0 });
    else invert(state.input, input, forInput, beta, (what) => { note(`input factor: ${what}`); }); // prettier-ignore
  }
  if (state.output === null) return;
  // An identity on the output side is a number: (1 + damping)^-alpha where the damping is shared, and nothing where it is the side's own.
  if (output === null) state.output.damping = split === 'separate' ? 0 : forOutput;
  else invert(state.output, output, forOutput, alpha, (what) => { note(`output factor: ${what}`); }); // prettier-ignore
}

/** pi of the factored damping; 1 where a factor is zero. */
function balance(input: Matrix, output: Matrix | null): number {
  const pi2 = trace(input) / input.rows / (output === null ? 1 : trace(output) / output.rows);
  return Number.isFinite(pi2) && pi2 > 0 ? Math.sqrt(pi2) : 1;
}

/** v becomes U, in place. @param identityOutput  whether B is the identity; @param work  of v's shape */
export function applySeparable(
  { input, output, work: short }: SeparableState,
  v: Matrix,
  identityOutput: boolean,
  { alpha }: Powers,
  work: Matrix,
): void {
  if (short.inputs !== null) applyWoodbury(short, v);
  else if (input !== null) applyInverse(input, v, 'right', work);
  if (output === null) return;
  if (!identityOutput) applyInverse(output, v, 'left', work);
  else if (output.damping > 0) for (let i = 0, s = (1 + output.damping) ** -alpha; i < v.data.length; i++) v.data[i] *= s;
}
