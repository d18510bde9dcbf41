/** Tables as csv and parquet, in parts: nothing holds the whole of it. */
import { ByteWriter, ParquetWriter, schemaFromColumnData, type ColumnSource } from 'hyparquet-writer';
import { csvLine } from '../../../csv.js';
import type { Kind, Row, Table } from './tables.js';

export type Write = (part: Uint8Array) => void;

/** Rows written together. */
const GROUP = { csv: 1000, parquet: 100_000 };

/** Lists of at most so many. */
function* grouped<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Nothing at all, not even names of columns, where there are no rows. */
export function writeCsv({ columns, rows }: Table, write: Write): void {
  const names = columns.map(({ name }) => name);
  let head = csvLine(names);
  for (const group of grouped(rows(), GROUP.csv)) {
    write(Buffer.from(head + group.map((row) => csvLine(names.map((name) => row[name]))).join('')));
    head = '';
  }
}

const TYPES = { number: 'DOUBLE', boolean: 'BOOLEAN', string: 'STRING' } as const;

/** Numbers are doubles, truth values booleans, all else and mixed columns strings. */
export function writeParquet({ columns, rows }: Table, write: Write): void {
  const source = (group: readonly Row[]): ColumnSource[] =>
    columns.map(({ name, kind }) => ({ name, data: group.map((row) => cellAs(kind, row[name])), type: TYPES[kind], nullable: true }));
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData: source([]) }) });
  const pass = (): void => {
    write(writer.getBytes().slice());
    writer.index = 0;
  };
  for (const group of grouped(rows(), GROUP.parquet)) {
    void parquet.write({ columnData: source(group), rowGroupSize: GROUP.parquet }); // at once: this writer never waits
    pass();
  }
  void parquet.finish();
  pass();
}

function cellAs(kind: Kind, cell: Row[string]): string | number | boolean | null {
  if (cell === null || cell === undefined) return null;
  return kind === 'string' ? String(cell) : cell;
}
