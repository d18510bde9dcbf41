/** RFC 4180 text of rows that share their keys; the header is the first row's keys. */
export function csv(rows: readonly Readonly<Record<string, string | number>>[]): string {
  if (rows.length === 0) return '';
  const keys = Object.keys(rows[0]);
  const cell = (v: string | number): string => (typeof v === 'string' && /[",\n\r]/.test(v) ? `"${v.replaceAll('"', '""')}"` : String(v));
  return [keys.join(','), ...rows.map((row) => keys.map((k) => cell(row[k])).join(','))].join('\n') + '\n';
}
