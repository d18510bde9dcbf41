/**
 * Different optimisers for different layers: groups([{ layers: [0], optimizer: adamw() }, { layers: 'rest', optimizer: muon() }]).
 * A parameter belongs to the group of its layer. Each optimiser keeps state for its own parameters alone, under the indices they have in
 * the network; a list of rates has one entry a layer of the whole network.
 */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { Matrix } from '../linalg/index.js';
import { parseOptions } from '../options.js';
import type { Optimizer, OptimizerState, Params, UpdateContext } from '../types.js';
import { combinedNeeds, combinedOrder, contextFor, optimizerSchema } from './inner.js';
import { layerCount } from './rate.js';
import { emptied } from './scratch.js';

export const groupsSchema = z
  .array(
    z.strictObject({
      /** Layers from 0 at the input, or all that no other group has. */
      layers: z.union([z.array(z.int().min(0)).min(1), z.literal('rest')]),
      optimizer: optimizerSchema,
    }),
  )
  .min(1);
export type GroupsOptions = z.input<typeof groupsSchema>;
type Parsed = z.output<typeof groupsSchema>;

interface GroupsState {
  /** One a group. */
  inner: OptimizerState[];
  work: {
    /** The group of each parameter. */
    groupOf: Int32Array;
    /** One a group, made when first needed. */
    curvature: (CurvatureWork | undefined)[];
  };
}
/** One matrix a parameter each: zero directions for the parameters of other groups, and where their results go. */
interface CurvatureWork {
  direction: Matrix[];
  out: Matrix[];
}

/** @throws OptionsError when a layer is in two groups, an optimiser works on all parameters jointly, or they do not go together */
export function groups(options: GroupsOptions): Optimizer<GroupsState> {
  const all = parseOptions(groupsSchema, options, 'groups');
  const parts = all.map(({ optimizer }) => optimizer);
  requireDisjoint(all);
  for (const [g, part] of parts.entries())
    if (part.needs(1).dense !== 'none')
      refuse(`[${g}].optimizer`, part.name, `${part.name} works on all parameters jointly and cannot have a part of them`);
  const name = `groups(${parts.map((part) => part.name).join(', ')})`;
  return {
    name,
    needs: combinedNeeds(name, parts),
    ...combinedOrder(name, parts),
    init(params) {
      const groupOf = groupsOf(all, params);
      const inner = parts.map((part, g) => part.init(emptied(params, (_, i) => groupOf[i] === g)));
      return { inner, work: { groupOf, curvature: [] } };
    },
    update(context, { inner, work }, steps, which) {
      for (const [g, part] of parts.entries()) {
        const own = which.filter((i) => work.groupOf[i] === g);
        if (own.length > 0) part.update(contextFor(part, context, curvatureOf(g, context, work)), inner[g], steps, own);
      }
    },
    inspect({ inner, work }, i) {
      const g = work.groupOf[i];
      return parts[g].inspect?.(inner[g], i) ?? {};
    },
  };
}

const refuse = (path: string, value: string, message: string): never => {
  throw new OptionsError('groups', [{ path, value, message }]);
};

function requireDisjoint(all: Parsed): void {
  const seen = new Set<number | 'rest'>();
  for (const [g, { layers }] of all.entries())
    for (const layer of layers === 'rest' ? [layers] : layers) {
      if (seen.has(layer)) refuse(`[${g}].layers`, String(layer), layer === 'rest' ? `a second 'rest'` : `layer ${layer} is listed twice`);
      seen.add(layer);
    }
}

function groupsOf(all: Parsed, params: Params): Int32Array {
  const count = layerCount(params);
  const rest = all.findIndex(({ layers }) => layers === 'rest');
  for (const [g, { layers }] of all.entries())
    for (const layer of layers === 'rest' ? [] : layers)
      if (layer >= count) refuse(`[${g}].layers`, String(layer), `the network has layers 0 to ${count - 1}; got ${layer}`);
  return Int32Array.from(params, ({ layer }) => {
    const own = all.findIndex(({ layers }) => layers !== 'rest' && layers.includes(layer));
    if (own < 0 && rest < 0) refuse('layers', String(layer), `layer ${layer} is in no group; add { layers: 'rest', optimizer }`);
    return own < 0 ? rest : own;
  });
}

/** C direction within the group: directions are zero, and results dropped, for the parameters of others. */
function curvatureOf(g: number, context: UpdateContext, work: GroupsState['work']): Pick<UpdateContext, 'curvatureTimes'> {
  const zeros = (): Matrix[] => context.params.map(({ value: p }) => Matrix.zeros(p.rows, p.cols, p.dtype));
  return {
    curvatureTimes(direction, out) {
      const { direction: none, out: dropped } = (work.curvature[g] ??= { direction: zeros(), out: zeros() });
      const own = (i: number): boolean => work.groupOf[i] === g;
      context.curvatureTimes(
        none.map((zero, i) => (own(i) ? direction[i] : zero)),
        dropped.map((drop, i) => (own(i) ? out[i] : drop)),
      );
    },
  };
}
