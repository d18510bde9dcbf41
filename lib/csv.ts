/** RFC 4180 text, line by line; absent values are empty cells. */
export type Cell = string | number | boolean | null | undefined;

export const csvLine = (cells: readonly Cell[]): string => `${cells.map(written).join(',')}\n`;

function written(value: Cell): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' && /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value);
}

/** Rows that share their keys; the header is the first row's. */
export function csv(rows: readonly Readonly<Record<string, Cell>>[]): string {
  if (rows.length === 0) return '';
  const keys = Object.keys(rows[0]);
  return [keys, ...rows.map((row) => keys.map((k) => row[k]))].map(csvLine).join('');
}
