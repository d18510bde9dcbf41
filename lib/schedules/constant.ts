import { ArgumentError } from '../errors.js';
import type { Schedule } from '../types.js';

/** The same value at every step. @throws ArgumentError unless it is a finite number of at least 0 */
export function constant(value: number): Schedule {
  if (!(typeof value === 'number' && value >= 0 && value < Infinity))
    throw new ArgumentError(`constant: the value must be a finite number of at least 0, got ${JSON.stringify(value)}`);
  return { at: () => value };
}
