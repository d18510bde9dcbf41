/**
 * JSON that keeps every number: NaN and the infinities, which JSON lacks, are written as the strings "NaN", "Infinity" and "-Infinity" and
 * read back as numbers. Finite numbers are written in the shortest form that reads back to the same bits.
 */
const SPECIAL: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

export function stringify(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v), indent);
}

export function parse(text: string): unknown {
  return JSON.parse(text, (_, v: unknown) => (typeof v === 'string' && Object.hasOwn(SPECIAL, v) ? SPECIAL[v] : v));
}
