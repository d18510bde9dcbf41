/** What an experiment is: a schema for its configurations, and the way from one to a record. */
import { z } from 'zod';
import { ArgumentError } from '../errors.js';
import type { Assembled } from './assembled.js';
import type { Computed, Pause } from './computed.js';

interface Common<C> {
  /** As configurations name it. */
  readonly name: string;
  /** Raised whenever equal configurations begin to give other results, so that stored ones are not taken for new ones. */
  readonly semantics: number;
  /** An object with `experiment` and `seed` among its keys. */
  readonly schema: z.ZodType<C>;
  /** A configuration to begin with. */
  readonly start: unknown;
  /** Floating-point operations of a run, roughly: what runs are weighed by before any of them has been timed. Those of one that trains are
   *  taken to be of small matrices, 5e9 a second; those of one that computes in one go of large ones, 4e10. */
  readonly work?: (config: C) => number;
}

/** One that trains a network step by step. */
export interface Trained<C> extends Common<C> {
  readonly assemble: (config: C) => Assembled;
}

/** One that computes its result in one go. */
export interface InOneGo<C> extends Common<C> {
  readonly compute: (config: C, pause: Pause) => Promise<Computed> | Computed;
  /** Bytes it needs at its peak. */
  readonly memory: (config: C) => number;
}

export type Experiment<C> = Trained<C> | InOneGo<C>;

/** Every configuration has these. */
export interface AnyConfig {
  readonly experiment: string;
  readonly seed: number;
}

/** Checks an experiment of one's own: `defineExperiment({ name, semantics, schema, start, compute, memory })`. Its module, named under
 *  `modules` of a sweep, exports it as default; schemas are zod's (the `z` of this package will do).
 *  @throws ArgumentError naming what is missing or wrong */
export function defineExperiment<C extends AnyConfig>(own: Experiment<C>): Experiment<C> {
  const refuse = (message: string): never => {
    throw new ArgumentError(`defineExperiment: ${message}`);
  };
  const given = own as unknown as Partial<Record<string, unknown>> | null;
  if (typeof given !== 'object' || given === null) return refuse('takes an object { name, semantics, schema, start, compute, memory }');
  if (typeof given['name'] !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(given['name']))
    return refuse(`name must be lower-case letters, digits and dashes, got ${JSON.stringify(given['name'])}`);
  const of = `of ${given['name']}`;
  if (!Number.isInteger(given['semantics']) || (given['semantics'] as number) < 1)
    return refuse(`semantics ${of} must be an integer from 1, got ${JSON.stringify(given['semantics'])}`);
  if (!(given['schema'] instanceof z.ZodType)) return refuse(`schema ${of} must be a zod schema`);
  const trains = typeof given['assemble'] === 'function';
  const inOneGo = typeof given['compute'] === 'function' && typeof given['memory'] === 'function';
  if (trains === inOneGo) return refuse(`${given['name']} must have either assemble(config), or compute(config, pause) and memory(config)`);
  return own;
}
