/** What experiments share that compute their result in one go, where others train a network step by step. */
import { ArgumentError } from '../errors.js';
import type { Curve, NumberTable } from '../types.js';

export interface Computed {
  readonly metrics: Readonly<Record<string, Curve>>;
  readonly tables: Readonly<Record<string, NumberTable>>;
}

/** Lets the event loop run between two parts of the work. @throws Interruption when the run was asked to stop */
export type Pause = () => Promise<void>;

export class Interruption extends Error {}

export const pauseOf =
  (signal: AbortSignal | undefined): Pause =>
  async () => {
    await new Promise(setImmediate);
    if (signal?.aborted === true) throw new Interruption();
  };

/** Numbers that are there once the one step has been taken. */
export const afterOneStep = (values: Readonly<Record<string, number>>): Record<string, Curve> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { steps: [1], values: [value] }]));

export const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** 12 KiB, 340 MiB, 2.50 GiB. */
export function memoryText(bytes: number): string {
  if (bytes < 2 ** 20) return `${Math.ceil(bytes / 2 ** 10)} KiB`;
  return bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : gibibytes(bytes);
}

/** @throws ArgumentError where the machine has not so much memory left */
export function requireMemory(bytes: number): void {
  const available = process.availableMemory();
  if (bytes > available)
    throw new ArgumentError(
      `this configuration needs about ${gibibytes(bytes)} of memory, and ${gibibytes(available)} are available; lower dimension or samples, or free memory`,
    );
}
