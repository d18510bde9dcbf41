/** What experiments share that compute their result in one go, where others train a network step by step. */
import { inspect } from 'node:util';
import { ArgumentError } from '../errors.js';
import type { Curve, NumberTable } from '../types.js';

export interface Computed {
  readonly metrics: Readonly<Record<string, Curve>>;
  readonly tables: Readonly<Record<string, NumberTable>>;
}

/** What an experiment has computed, in plain lists. @throws ArgumentError where it is not as `Computed` says */
export function requireComputed(name: string, given: unknown): Computed {
  const refuse = (place: string, message: string): never => {
    throw new ArgumentError(`compute of ${name}: ${place} ${message}`);
  };
  const record = (value: unknown, place: string, of: string): Readonly<Record<string, unknown>> =>
    isPlain(value) ? value : refuse(place, `must be an object of ${of}, got ${inspect(value, { depth: 0 })}`);
  const numbers = (value: unknown, place: string): number[] => {
    if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && !(value instanceof DataView)))
      return refuse(place, `must be a list of numbers, got ${inspect(value, { depth: 0 })}`);
    const list = Array.from(value as ArrayLike<unknown>);
    const wrong = list.find((x) => typeof x !== 'number');
    if (list.some((x) => typeof x !== 'number')) refuse(place, `must hold numbers alone, and holds ${inspect(wrong, { depth: 0 })}`);
    return list as number[];
  };
  const alike = (lists: readonly (readonly number[])[], place: string): void => {
    if (lists.some(({ length }) => length !== lists[0].length))
      refuse(place, `must have lists of one length, got ${lists.map(({ length }) => length).join(' and ')}`);
  };
  const { metrics, tables = {} } = record(given, 'the result', 'metrics and tables');
  const named = (key: string, what: string): string =>
    Buffer.from(key).toString() === key ? key : refuse(what, `has a name that is no text: ${JSON.stringify(key)}`);
  const curves = Object.entries(record(metrics, 'metrics', 'curves')).map(([key, own]): [string, Curve] => {
    const place = `metrics.${key}`;
    const curve = record(own, place, 'steps and values');
    const [steps, values] = [numbers(curve['steps'], `${place}.steps`), numbers(curve['values'], `${place}.values`)];
    alike([steps, values], place);
    if (!steps.every((step, i) => Number.isSafeInteger(step) && step >= 0 && (i === 0 || step > steps[i - 1])))
      refuse(`${place}.steps`, 'must be whole numbers from 0 on, each larger than the one before it');
    return [named(key, 'metrics'), { steps, values }];
  });
  const columns = Object.entries(record(tables, 'tables', 'tables')).map(([key, own]): [string, NumberTable] => {
    const place = `tables.${key}`;
    const lists = Object.entries(record(own, place, 'columns')).map(([c, v]): [string, number[]] => [
      named(c, place),
      numbers(v, `${place}.${c}`),
    ]);
    alike(
      lists.map(([, list]) => list),
      place,
    );
    return [named(key, 'tables'), Object.fromEntries(lists)];
  });
  return { metrics: Object.fromEntries(curves), tables: Object.fromEntries(columns) };
}

/** A Map, say, has entries that no key of it names. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
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
