/**
 * KFAC (Martens & Grosse 2015): the Fisher (here: Gauss-Newton) block of a weight taken as B (x) A, see kronecker.ts for the whole step.
 * The preconditioner by kind of damping lambda:
 *   exact      Q_B [(Q_B' V Q_A) (/) (l_B l_A' + lambda)] Q_A', the damped inverse of B (x) A itself, by eigen-decompositions
 *   factored, plain, separate   (B + lB I)^-alpha V (A + lA I)^-beta, see separable.ts
 * with exponents alpha and beta in [0, 1] as a dial: (0, 0) is SGD, (1, 1) KFAC, and with `separate` damping (0, 1) FOOF.
 * Deviations from the paper's algorithm: no block-tridiagonal form; momentum has a fixed coefficient; the rate is given and not taken
 * from the quadratic model.
 */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { parseOptions } from '../options.js';
import type { Optimizer } from '../types.js';
import { decompose, divideByEigenvalues, eigenbases, inspectBases, rotate, type Eigenbases } from './eigenbases.js';
import { kroneckerMethod, kroneckerOptions, type KroneckerState, type Preconditioner } from './kronecker.js';
import { rateSchema } from './rate.js';
import { applySeparable, invertSeparable, separableState, type Powers, type SeparableState, type Split } from './separable.js';

const exponent = () => z.number().min(0).max(1).default(1);

export const kfacSchema = z.strictObject({
  ...kroneckerOptions,
  outputFactor: z.enum(['ggn', 'mc', 'empirical', 'none']).default('ggn'),
  dampingKind: z.enum(['exact', 'factored', 'plain', 'separate']).default('factored'),
  /** lB of the `separate` kind; lambda where not given. Not used where B is the identity. */
  outputDamping: rateSchema.optional(),
  /** Exponent of the output side. */
  alpha: exponent(),
  /** Exponent of the input side. */
  beta: exponent(),
});
export type KfacOptions = z.input<typeof kfacSchema>;
type Parsed = z.output<typeof kfacSchema>;

/** @throws OptionsError naming the field, the value and what is allowed */
export function kfac(options: KfacOptions = {}): Optimizer<KroneckerState<unknown>> {
  return kfacNamed('kfac', parseOptions(kfacSchema, options, 'kfac'));
}

/** The same from parsed options, for methods that are special cases. */
export function kfacNamed(name: string, o: Parsed): Optimizer<KroneckerState<unknown>> {
  const refuse = (path: string, value: unknown, message: string): never => {
    throw new OptionsError(name, [{ path, value: JSON.stringify(value), message }]);
  };
  if (o.outputDamping !== undefined && o.dampingKind !== 'separate')
    refuse('outputDamping', o.outputDamping, `is for dampingKind separate; ${o.dampingKind} splits damping by itself`);
  const dial = { alpha: o.outputFactor === 'none' ? 0 : o.alpha, beta: o.beta };
  if (o.dampingKind !== 'exact')
    return kroneckerMethod({ name, options: o, outputDamping: o.outputDamping, preconditioner: separable(o.dampingKind, dial) });
  if (o.alpha !== 1 || o.beta !== 1)
    refuse(
      o.alpha !== 1 ? 'alpha' : 'beta',
      o.alpha !== 1 ? o.alpha : o.beta,
      'must be 1 with dampingKind exact; use separate, factored or plain',
    );
  return kroneckerMethod({ name, options: o, preconditioner: exact });
}

function separable(split: Split, powers: Powers): Preconditioner<SeparableState> {
  return {
    dampsWhenRenewed: true,
    state: (like, { m, n }) => separableState(like, m, n, powers),
    renew(state, { input, output, outputIsIdentity }, dampings, note, batch) {
      invertSeparable(state, input.value, outputIsIdentity === 1 ? null : output.value, dampings, split, powers, note, batch);
    },
    apply(state, { outputIsIdentity }, _damping, v, work) {
      applySeparable(state, v, outputIsIdentity === 1, powers, work);
    },
    inspect: ({ input, output }) => ({
      ...(input === null ? {} : { 'input.damping': input.damping, 'input.clipped': input.clipped, 'input.fallbacks': input.fallbacks }),
      ...(output === null
        ? {}
        : { 'output.damping': output.damping, 'output.clipped': output.clipped, 'output.fallbacks': output.fallbacks }),
    }),
  };
}

const exact: Preconditioner<Eigenbases> = {
  dampsWhenRenewed: false,
  state: (like, { m, n }) => eigenbases(like, m, n),
  renew: decompose,
  apply(state, { outputIsIdentity }, damping, v, work) {
    const identity = outputIsIdentity === 1;
    rotate(state, v, 'in', identity, work);
    divideByEigenvalues(state, v, damping, identity);
    rotate(state, v, 'out', identity, work);
  },
  inspect: inspectBases,
};
