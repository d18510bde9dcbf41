/** Sums over rows: SQLite notices a broken structure, not a flipped bit in a value. */
import { createHash } from 'node:crypto';

export type Cell = string | number | null | Uint8Array;

/** 8 bytes of sha256 over the values of a row, each with its kind and length. */
export function sealOf(...cells: readonly Cell[]): Uint8Array {
  const hash = createHash('sha256');
  for (const cell of cells) {
    const bytes = typeof cell === 'string' || cell instanceof Uint8Array ? Buffer.from(cell as string) : Buffer.from(String(cell));
    hash.update(`${cell === null ? 'null' : typeof cell}:${bytes.byteLength}:`).update(bytes);
  }
  return hash.digest().subarray(0, 8);
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const bytesOfHex = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
