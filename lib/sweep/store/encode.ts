/** Records as they are stored and sent: curves as typed arrays, the rest as a few words, and a digest over what must repeat. */
import { createHash, type Hash } from 'node:crypto';
import type { ExperimentRecord, ParsedConfig, Provenance } from '../../experiments/index.js';
import { parse, stringify } from '../../json.js';
import type { Curve, RunTiming, UpdateEvent } from '../../types.js';
import type { ResultState } from '../states.js';

/** Little-endian float64. */
export type Bytes = Uint8Array;

export interface EncodedCurve<B = Bytes> {
  readonly name: string;
  readonly steps: B;
  readonly values: B;
}
/** A column of a table of the record. */
export interface EncodedColumn<B = Bytes> {
  readonly table: string;
  readonly name: string;
  readonly values: B;
}

/** @typeParam B  what its bytes are held in */
export interface EncodedRecord<B = Bytes> {
  readonly state: ResultState;
  readonly reason: string | null;
  readonly steps: number;
  /** JSON. */
  readonly events: string | null;
  readonly curves: readonly EncodedCurve<B>[];
  readonly columns: readonly EncodedColumn<B>[];
  /** sha256 over all of the above: what an equal trial must repeat. */
  readonly digest: B;
  /** Seconds of training, and the rest of the timing as JSON but for `at`. */
  readonly timing: string;
  readonly at: B;
  /** JSON. */
  readonly provenance: string;
}

/** What SQLite gives back as it was given: halves of surrogate pairs, as a text that was cut has at its ends, are replaced. */
export const wellFormed = (text: string): string => Buffer.from(text).toString();

export const bytesOf = (values: ArrayLike<number>): Bytes => new Uint8Array(Float64Array.from(values).buffer);

/** @throws RangeError when the bytes are no whole numbers */
export function numbersOf(bytes: Bytes): Float64Array {
  if (bytes.byteLength % 8 !== 0) throw new RangeError('not a list of numbers');
  return new Float64Array(new Uint8Array(bytes).buffer); // a copy: bytes may begin anywhere, and a Buffer's slice is none
}

export function encodeRecord(record: ExperimentRecord, state: ResultState): EncodedRecord {
  const { reason, steps, metrics, tables = {}, events, timing, provenance } = record;
  const { at, ...rest } = timing;
  const content = {
    state,
    reason: reason === undefined ? null : wellFormed(reason),
    steps,
    events: events === undefined ? null : stringify(events),
    curves: Object.entries(metrics).map(([name, curve]) => ({ name, steps: bytesOf(curve.steps), values: bytesOf(curve.values) })),
    columns: Object.entries(tables).flatMap(([table, columns]) =>
      Object.entries(columns).map(([name, values]) => ({ table, name, values: bytesOf(values) })),
    ),
  };
  return { ...content, digest: digestOf(content), timing: stringify(rest), at: bytesOf(at), provenance: JSON.stringify(provenance) };
}

/** The same record with its bytes held otherwise. */
export const withBytesAs = <A, B>(record: EncodedRecord<A>, as: (bytes: A) => B): EncodedRecord<B> => ({
  ...record,
  curves: record.curves.map(({ name, steps, values }) => ({ name, steps: as(steps), values: as(values) })),
  columns: record.columns.map((column) => ({ ...column, values: as(column.values) })),
  digest: as(record.digest),
  at: as(record.at),
});

export function decodeRecord(encoded: Omit<EncodedRecord, 'digest'>, config: ParsedConfig): ExperimentRecord {
  const { state, reason, steps, events, curves, columns, timing, at, provenance } = encoded;
  // By entries: a name like __proto__ is a name.
  const metrics: Record<string, Curve> = Object.fromEntries(
    curves.map(({ name, steps: grid, values }) => [name, { steps: [...numbersOf(grid)], values: [...numbersOf(values)] }]),
  );
  const tables = new Map<string, [string, number[]][]>();
  for (const { table, name, values } of columns) tables.set(table, [...(tables.get(table) ?? []), [name, [...numbersOf(values)]]]);
  return {
    status: state === 'pruned' ? 'stopped' : state,
    ...(reason === null ? {} : { reason }),
    steps,
    metrics,
    ...(columns.length === 0
      ? {}
      : { tables: Object.fromEntries([...tables].map(([table, columns_]) => [table, Object.fromEntries(columns_)])) }),
    ...(events === null ? {} : { events: parse(events) as UpdateEvent[] }),
    timing: { ...(parse(timing) as Omit<RunTiming, 'at'>), at: [...numbersOf(at)] },
    config,
    provenance: JSON.parse(provenance) as Provenance,
  };
}

type Content = Pick<EncodedRecord, 'state' | 'reason' | 'steps' | 'events' | 'curves' | 'columns'>;

export function digestOf({ state, reason, steps, events, curves, columns }: Content): Bytes {
  const hash = createHash('sha256');
  part(hash, JSON.stringify([state, reason, steps, events, curves.length, columns.length]));
  for (const { name, steps: at, values } of curves) part(part(part(hash, name), at), values);
  for (const { table, name, values } of columns) part(part(part(hash, table), name), values);
  return hash.digest();
}

/** With its length before it, so that no two contents read alike. */
const part = (hash: Hash, content: string | Bytes): Hash => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return hash.update(`${bytes.byteLength}:`).update(bytes);
};
