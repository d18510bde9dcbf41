/** Hyper-parameters that may change over steps and differ between layers. */
import { z } from 'zod';
import { ArgumentError, OptionsError } from '../errors.js';
import { fraction, nonNegative, positive } from '../options.js';
import type { Params, Schedule } from '../types.js';

const schedule = z.custom<Schedule>(
  (v) => typeof v === 'object' && v !== null && !Array.isArray(v) && typeof (v as Schedule).at === 'function',
  'must be a schedule (of a program; in a file, the key schedule moves the learning rate)',
);

/** A number, a schedule, or one of either for each layer, from the input on. */
const rateOf = (number: z.ZodNumber) => z.union([number, schedule, z.array(z.union([number, schedule])).min(1)]);

/** Of at least 0: learning rates, damping, weight decay. */
export const rateSchema = rateOf(nonNegative());
/** A number above 0 or a schedule, the same for all layers. */
export const sharedRateSchema = z.union([positive(), schedule]);
/** In [0, 1]: decays of what is a sum at 1. */
export const sumDecaySchema = rateOf(nonNegative().max(1));
/** In [0, 1): momentum and decays of averages. */
export const decaySchema = rateOf(fraction());
export type Rate = z.output<typeof rateSchema>;

/** The value for a layer at step t (from 1). */
export function rateAt(rate: Rate, layer: number, t: number): number {
  const own = Array.isArray(rate) ? rate[layer] : rate;
  if (typeof own === 'number') return own;
  const value: unknown = own.at(t);
  if (!(typeof value === 'number' && value >= 0 && value < Infinity))
    throw new ArgumentError(
      `a schedule gave ${typeof value === 'string' ? JSON.stringify(value) : String(value)} at step ${t}; rates, dampings and decays are finite numbers of at least 0`,
    );
  return value;
}

/** The same for momentum and decays of averages, which are below 1. */
export function decayAt(rate: Rate, layer: number, t: number): number {
  const value = rateAt(rate, layer, t);
  if (!(value < 1)) throw new ArgumentError(`a schedule gave ${value} at step ${t}; momentum and decays are in [0, 1)`);
  return value;
}

/** The same for decays of sums, which may be 1. */
export function sumDecayAt(rate: Rate, layer: number, t: number): number {
  const value = rateAt(rate, layer, t);
  if (!(value <= 1)) throw new ArgumentError(`a schedule gave ${value} at step ${t}; this decay is in [0, 1]`);
  return value;
}

/** Whether the hyper-parameter can be anything but 0. */
export const mayBePositive = (rate: Rate): boolean => (Array.isArray(rate) ? rate.some(mayBePositive) : rate !== 0);

export const layerCount = (params: Params): number => Math.max(...params.map((p) => p.layer)) + 1;

/** Checks every hyper-parameter of an options object that is a list. @throws OptionsError when one has not one entry a layer */
export function requireRatesPerLayer(optimizer: string, options: object, params: Params): void {
  if (!Array.isArray(params) || params.length === 0)
    throw new ArgumentError(`${optimizer}: init takes the parameters of a network, a list of at least one`);
  const layers = layerCount(params);
  for (const [field, value] of Object.entries(options))
    if (Array.isArray(value) && value.length !== layers)
      throw new OptionsError(optimizer, [
        { path: field, value: JSON.stringify(value), message: `must be one value or one a layer (${layers} layers); got ${value.length}` },
      ]);
}
