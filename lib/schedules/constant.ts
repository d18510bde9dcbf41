import type { Schedule } from '../types.js';

/** The same value at every step. */
export function constant(value: number): Schedule {
  return { at: () => value };
}
