/**
 * Random calls of native operations, most of them wrong in one or two ways. Whatever the arguments, a call must succeed or throw an
 * Error with a code of the native layer; it may write its outputs and nothing else; and a refused call writes nothing at all.
 */
import type { Native } from '../../lib/native/index.js';
import { Stream } from '../../lib/random/index.js';
import { type Draft, MUTATIONS, Random, SPECIAL, type View, type ViewClass, isView } from './mutations.js';
import { OPS, type Op, SIGNATURES, type Slot, invoke } from './signatures.js';

export interface Totals {
  readonly calls: number;
  refused: number;
  succeeded: number;
  /** What went wrong, with the operation, the mutations and the arguments. */
  readonly failures: string[];
}

/** Makes `calls` random calls, the same ones for the same seed. */
export function fuzz(native: Native, calls: number, seed: number): Totals {
  const random = new Random(new Stream(seed).substream('fuzz'));
  const totals: Totals = { calls, refused: 0, succeeded: 0, failures: [] };
  for (let i = 0; i < calls; i++) {
    const op = random.pick(OPS);
    const call = new Call(op, random);
    if (random.below(4) > 0) for (let j = random.below(2); j >= 0; j--) random.pick(MUTATIONS)(call, random);
    const before = call.toString(); // a call may change its arguments
    const outcome = call.make(native);
    if (outcome.verdict === 'failed') totals.failures.push(`call ${i}: ${before}: ${outcome.why}`);
    else totals[outcome.verdict]++;
  }
  native.setThreads(Int32Array.of(1));
  return totals;
}

const SIZES = [0, 1, 1, 2, 3, 3, 5, 8, 17, 33];
const EXTREMES = [0, 0, 1, 2 ** 31 - 1];
const MARGIN = 64;
const PATTERN = 0xa5;

/** An array of the caller's in a larger buffer of a known pattern, with a copy of what it held. */
interface Guarded {
  readonly view: View;
  readonly bytes: Uint8Array;
  readonly before: Uint8Array;
  readonly written: boolean;
}

/** A recipe followed with random sizes, now and then the largest ones, as long as the arrays themselves stay small. */
function slotsOf(op: Op, random: Random): Slot[] {
  const follow = (list: readonly number[]): Slot[] =>
    SIGNATURES[op]({ size: (least = 0) => Math.max(least, random.pick(list)), flag: () => (random.below(2) === 1 ? 1 : 0) });
  if (random.below(8) === 0) {
    const slots = follow(EXTREMES);
    if (slots.every((slot) => !('length' in slot) || slot.length < 1000)) return slots;
  }
  return follow(SIZES);
}

/** A call of random, fitting arguments, which mutations may then spoil. */
class Call implements Draft {
  readonly op: Op;
  readonly args: unknown[];
  readonly mutations: string[] = [];
  readonly #guarded: Guarded[] = [];

  constructor(op: Op, random: Random) {
    this.op = op;
    const floats = random.pick<ViewClass>([Float64Array, Float32Array]);
    const slots = slotsOf(op, random);
    const special = random.below(3) === 0 ? random.uniform() : 0; // the share of entries that are not ordinary numbers
    this.args = slots.map((slot) => this.#argument(slot, floats, special, random));
  }

  #argument(slot: Slot, floats: ViewClass, special: number, random: Random): unknown {
    const number = (): number => (random.uniform() < special ? random.pick(SPECIAL) : 4 * random.uniform() - 2);
    const whole = (below: number) => (): number => random.below(Math.min(below, 2 ** 24));
    switch (slot.kind) {
      case 'absent':
        return null;
      case 'scalar':
        return random.pick([0, 1, 0.5, slot.least === 0 ? 1e-12 : number()]);
      case 'ints':
        return Int32Array.from(slot.values);
      case 'floats':
        if (slot.optional && random.below(2) === 0) return null;
        return this.#guard(floats, slot.length, slot.below === undefined ? number : whole(slot.below), slot.written);
      case 'doubles':
        return this.#guard(Float64Array, slot.values.length, (i) => slot.values[i], slot.written);
      case 'indices':
        return this.#guard(Int32Array, slot.length, () => slot.low + random.below(slot.high - slot.low + 1), slot.written);
      case 'words':
        return this.#guard(Uint32Array, slot.length, () => random.below(2 ** 32), slot.written);
      case 'fives':
        return this.#guard(Uint8Array, slot.length, () => random.below(32), slot.written);
    }
  }

  #guard(type: ViewClass, length: number, entry: (i: number) => number, written: boolean): View {
    const bytes = new Uint8Array(2 * MARGIN + type.BYTES_PER_ELEMENT * length).fill(PATTERN);
    const view = new type(bytes.buffer, MARGIN, length);
    for (let i = 0; i < length; i++) view[i] = entry(i);
    this.#guarded.push({ view, bytes, before: bytes.slice(), written });
    return view;
  }

  make(native: Native): { verdict: 'succeeded' | 'refused' } | { verdict: 'failed'; why: string } {
    const guarded = this.#guarded.filter(({ bytes }) => bytes.length > 0); // not those that a mutation detached
    for (const { bytes, before } of guarded) before.set(bytes); // mutations may have changed entries
    let verdict: 'succeeded' | 'refused' = 'succeeded';
    try {
      const result = invoke(native, this.op, this.args);
      if (result !== undefined && typeof result !== (this.op === 'systemInfo' ? 'object' : 'number'))
        return { verdict: 'failed', why: `returned a ${typeof result}` };
    } catch (error) {
      const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
      if (code !== 'ERR_NATIVE_ARGUMENT' && code !== 'ERR_NATIVE_MEMORY') return { verdict: 'failed', why: `threw ${String(error)}` };
      if (this.mutations.length === 0) return { verdict: 'failed', why: `refused a valid call: ${String(error)}` };
      verdict = 'refused';
    }
    const moved = this.mutations.some((m) => m === 'swapped' || m === 'aliased'); // any array may then stand where an output does
    for (const { view, bytes, before, written } of guarded) {
      const outputs = moved ? this.args.filter((x): x is View => isView(x) && x.buffer === bytes.buffer) : written ? [view] : [];
      const ranges = verdict === 'succeeded' ? outputs.map((x) => [x.byteOffset, x.byteOffset + x.byteLength]) : [];
      if (bytes.some((byte, i) => byte !== before[i] && !ranges.some(([start, end]) => i >= start && i < end)))
        return { verdict: 'failed', why: `${verdict}, and wrote outside its outputs` };
    }
    return { verdict };
  }

  toString(): string {
    return `${this.op}(${this.args.map(describe).join(', ')})${this.mutations.length > 0 ? ` [${this.mutations.join(', ')}]` : ''}`;
  }
}

function describe(x: unknown): string {
  if (isView(x)) {
    const type = Object.getPrototypeOf(x) as { constructor: { name: string } };
    const entries = x instanceof Int32Array ? `: ${Array.from({ length: Math.min(8, x.length) }, (_, i) => x[i]).join(' ')}` : '';
    return `${type.constructor.name}(${x.length}${x.buffer instanceof SharedArrayBuffer ? ', shared' : ''}${entries})`;
  }
  return typeof x === 'object' && x !== null ? Object.prototype.toString.call(x) : `${typeof x} ${String(x)}`;
}
