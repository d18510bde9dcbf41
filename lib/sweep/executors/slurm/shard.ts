/** What tasks leave behind: lines of 'checksum JSON', bytes in base64, flushed to the disk in groups. A last line that was cut off is no line yet. */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Failure } from '../../states.js';
import { withBytesAs, type EncodedRecord } from '../../store/encode.js';
import type { Attempt } from '../../store/results.js';

export type ShardEntry = { readonly id: string; readonly attempt: Attempt } & (
  { readonly record: EncodedRecord } | { readonly failure: Failure }
);

export class ShardWriter {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /** On the disk when it returns. */
  append(entries: readonly ShardEntry[]): void {
    const text = entries.map((entry) => lineOf(JSON.stringify(withText(entry)))).join('');
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Reads on from where it was: a shard grows while it is read. */
export class ShardReader {
  readonly #path: string;
  #at = 0;
  /** Whole lines that are not as they were written: their trials count as missing. */
  damaged = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** What has come since the last time. */
  read(): ShardEntry[] {
    const text = this.#rest();
    const end = text.lastIndexOf(0x0a);
    if (end < 0) return [];
    this.#at += end + 1;
    const entries: ShardEntry[] = [];
    for (const line of text.subarray(0, end).toString().split('\n')) {
      const entry = entryOf(line);
      if (entry === undefined) this.damaged++;
      else entries.push(entry);
    }
    return entries;
  }

  #rest(): Buffer {
    const file = openSync(this.#path, 'r');
    try {
      const parts: Buffer[] = [];
      for (let position = this.#at; ;) {
        const part = Buffer.alloc(1 << 20);
        const count = readSync(file, part, 0, part.length, position);
        if (count === 0) return Buffer.concat(parts);
        parts.push(part.subarray(0, count));
        position += count;
      }
    } finally {
      closeSync(file);
    }
  }
}

const lineOf = (json: string): string => `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;

function entryOf(line: string): ShardEntry | undefined {
  const json = line.slice(9);
  if (lineOf(json) !== `${line}\n`) return undefined;
  return withBytes(JSON.parse(json) as Written);
}

type Written = { readonly id: string; readonly attempt: Attempt } & (
  { readonly record: EncodedRecord<string> } | { readonly failure: Failure }
);

const withText = (entry: ShardEntry): Written =>
  'failure' in entry ? entry : { ...entry, record: withBytesAs(entry.record, (bytes) => Buffer.from(bytes).toString('base64')) };

const withBytes = (entry: Written): ShardEntry =>
  'failure' in entry ? entry : { ...entry, record: withBytesAs(entry.record, (text) => new Uint8Array(Buffer.from(text, 'base64'))) };
