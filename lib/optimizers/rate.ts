/** Hyper-parameters that may change over steps and differ between layers. */
import { z } from 'zod';
import { OptionsError } from '../errors.js';
import { nonNegative } from '../options.js';
import type { Params, Schedule } from '../types.js';

const schedule = z.custom<Schedule>(
  (v) => typeof v === 'object' && v !== null && !Array.isArray(v) && typeof (v as Schedule).at === 'function',
  'must be a schedule',
);
const single = z.union([nonNegative(), schedule]);

/** A number, a schedule, or one of either for each layer, from the input on. */
export const rateSchema = z.union([nonNegative(), schedule, z.array(single).min(1)]);
export type Rate = z.output<typeof rateSchema>;

/** The value for a layer at step t (from 1). */
export function rateAt(rate: Rate, layer: number, t: number): number {
  const own = Array.isArray(rate) ? rate[layer] : rate;
  return typeof own === 'number' ? own : own.at(t);
}

export const layerCount = (params: Params): number => Math.max(...params.map((p) => p.layer)) + 1;

/** @throws OptionsError when a list has not one entry a layer */
export function requireRatePerLayer(optimizer: string, field: string, rate: Rate, params: Params): void {
  const layers = layerCount(params);
  if (Array.isArray(rate) && rate.length !== layers)
    throw new OptionsError(optimizer, [
      { path: field, value: JSON.stringify(rate), message: `must be one value or one a layer (${layers} layers); got ${rate.length}` },
    ]);
}
