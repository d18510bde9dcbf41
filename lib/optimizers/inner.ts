/** What optimisers made of other optimisers share: what the parts ask for together, and what each part sees. */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import type { LayerStats, Needs, Optimizer, Order, OutputFactor, UpdateContext } from '../types.js';

/** An optimiser as an option. */
export const optimizerSchema = z.custom<Optimizer>(
  (v) =>
    typeof v === 'object' &&
    v !== null &&
    typeof (v as Optimizer).name === 'string' &&
    ['needs', 'init', 'update'].every((method) => typeof (v as Record<string, unknown>)[method] === 'function'),
  'must be an optimiser',
);

/** Steps that are looked at when parts are put together: parts that ask for everything at their first step show all they will ask for. */
const STEPS_CHECKED = 100;

/** What the parts ask for together at a step: all that one of them does. The same object where an earlier step had the same needs.
 *  @throws OptionsError where two ask for different output factors, or different dense matrices: at once for the first steps, else at
 *  the step in question */
export function combinedNeeds(name: string, parts: readonly Optimizer[]): (step: number) => Needs {
  const known: Needs[] = [];
  const needs = (step: number): Needs => {
    let [inputs, outputRows, products] = [false, false, false];
    let [outputFactor, dense]: OutputFactor[] = ['none', 'none'];
    for (const part of parts) {
      const asked = part.needs(step);
      inputs ||= asked.inputs;
      outputRows ||= asked.outputRows;
      products ||= asked.products ?? false;
      outputFactor = one(name, 'outputFactor', outputFactor, asked.outputFactor);
      dense = one(name, 'dense', dense, asked.dense);
    }
    const all: Needs = { inputs, outputFactor, outputRows, dense, products };
    const same = known.find((n) => (Object.keys(all) as (keyof Needs)[]).every((key) => n[key] === all[key]));
    if (same !== undefined) return same;
    known.push(all);
    return all;
  };
  for (let step = 1; step <= STEPS_CHECKED; step++) needs(step);
  return needs;
}

/** The one kind that is not 'none'. */
function one(name: string, path: 'outputFactor' | 'dense', a: OutputFactor, b: OutputFactor): OutputFactor {
  if (a === 'none' || a === b) return b;
  if (b === 'none') return a;
  const message = `its optimisers need different kinds, and a network reports one; got ${a} and ${b}`;
  throw new OptionsError(name, [{ path, value: `${a}, ${b}`, message }]);
}

/** The order that the parts' definitions fix, if any, as a field. @throws OptionsError where two fix different ones */
export function combinedOrder(name: string, parts: readonly Optimizer[]): { readonly order?: Order } {
  const orders = [...new Set(parts.flatMap(({ order }) => order ?? []))];
  if (orders.length <= 1) return orders.length === 0 ? {} : { order: orders[0] };
  const wanted = parts.flatMap((part) => (part.order === undefined ? [] : [`${part.name} '${part.order}'`])).join(', ');
  throw new OptionsError(name, [
    { path: 'order', value: orders.join(', '), message: `its optimisers need different orders; got ${wanted}` },
  ]);
}

/** The context as a part would see it alone: without statistics that it did not ask for, since their presence means something to it.
 *  @param changes  what the part is to see instead */
export function contextFor(
  part: Optimizer,
  context: UpdateContext,
  changes: Partial<Pick<UpdateContext, 'gradients' | 'curvatureTimes'>> = {},
): UpdateContext {
  const { step, params, gradients, stats, dense, loss } = context;
  const asked = part.needs(step);
  return {
    step,
    params,
    gradients,
    stats: stats.map((s) => statsFor(asked, s)),
    dense: asked.dense === 'none' ? null : dense,
    loss,
    lossAt: (steps, which) => context.lossAt(steps, which),
    curvatureTimes: (direction, out) => context.curvatureTimes(direction, out),
    note: (parameter, message) => context.note(parameter, message),
    ...changes,
  };
}

function statsFor({ inputs, outputFactor, outputRows }: Needs, stats: LayerStats | null): LayerStats | null {
  if (stats === null || !(inputs || outputFactor !== 'none' || outputRows)) return null;
  const [factor, rows] = [outputFactor === 'none' ? null : stats.outputFactor, outputRows ? stats.outputRows : null];
  const kind = outputFactor === 'none' ? 'none' : stats.kind;
  if (kind === stats.kind && factor === stats.outputFactor && rows === stats.outputRows) return stats;
  // Field by field: a network's report may compute them when asked.
  return { inputs: stats.inputs, positions: stats.positions, kind, outputFactor: factor, outputRows: rows };
}

/** @throws OptionsError for a part whose steps are changed before they are taken, and that would learn from what became of them */
export function requireNoJudge(name: string, path: string, part: Optimizer): void {
  if (part.judgesSteps === true)
    throw new OptionsError(name, [
      {
        path,
        value: part.name,
        message: `${part.name} with levenbergMarquardt judges its own steps, which ${name} changes; leave it out there`,
      },
    ]);
}

/** Entries of a record under names that begin with `prefix`. */
export const prefixed = (prefix: string, record: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [`${prefix}.${key}`, value]));
