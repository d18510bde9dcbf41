/** Every operation, every argument, spoiled one at a time; what the refusals say. The fuzzer covers the combinations. */
import { describe, expect, it } from 'vitest';
import { native } from '../../lib/native/index.js';
import { DTYPES, expectThrows } from '../close.js';
import { OPS, type Op, SIGNATURES, type Slot, invoke } from './signatures.js';

const CODE = 'ERR_NATIVE_ARGUMENT';
type Dtype = (typeof DTYPES)[number]['dtype'];

/** Slots of a call with distinct sizes from 3 on and all flags 0 (or 1). */
function slotsOf(op: Op, flag: 0 | 1 = 0): Slot[] {
  let next = 3;
  return SIGNATURES[op]({ size: () => next++, flag: () => flag });
}

function argument(slot: Slot, dtype: Dtype): unknown {
  switch (slot.kind) {
    case 'absent':
      return null;
    case 'scalar':
      return 0.5;
    case 'ints':
      return Int32Array.from(slot.values);
    case 'floats':
      return (dtype === 'float64' ? new Float64Array(slot.length) : new Float32Array(slot.length)).fill(slot.below === undefined ? 0.5 : 0);
    case 'doubles':
      return Float64Array.from(slot.values);
    case 'indices':
      return new Int32Array(slot.length).fill(slot.low);
    case 'words':
      return new Uint32Array(slot.length);
    case 'fives':
      return new Uint8Array(slot.length);
  }
}

/** Arguments of a valid call, the one at `place` changed. */
function spoiled(op: Op, dtype: Dtype, place = -1, change: (x: never) => unknown = (x) => x, flag: 0 | 1 = 0): unknown[] {
  return slotsOf(op, flag).map((slot, i) => {
    const x = argument(slot, dtype);
    return i === place ? change(x as never) : x;
  });
}

type View = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;
type ViewClass = new (buffer: ArrayBufferLike | number, byteOffset?: number, length?: number) => View;
const classOf = (x: View): ViewClass => x.constructor as ViewClass;

const isArray = (slot: Slot): boolean => slot.kind !== 'scalar' && slot.kind !== 'absent';

/** An array of this slot may have any length: nothing else in the call says which. */
const free = (op: Op): boolean => ['nrm2', 'scale', 'uniform', 'normal', 'rademacher'].includes(op);

const REFUSALS: readonly {
  readonly claim: string;
  readonly type: typeof TypeError;
  readonly message: RegExp;
  readonly where: (slot: Slot, op: Op) => boolean;
  readonly change: (x: never) => unknown;
}[] = [
  {
    claim: 'an array is null',
    type: TypeError,
    message: /must be a typed array/,
    where: (s, op) => isArray(s) && !(s.kind === 'floats' && s.optional) && op !== 'gesdd', // below
    change: () => null,
  },
  { claim: 'an array is undefined', type: TypeError, message: /must be a typed array/, where: isArray, change: () => undefined },
  {
    claim: 'an array is a plain one',
    type: TypeError,
    message: /must be a typed array/,
    where: isArray,
    change: (x: View) => Array.from(x),
  },
  { claim: 'an array is an ArrayBuffer', type: TypeError, message: /must be a typed array/, where: isArray, change: (x: View) => x.buffer },
  {
    claim: 'an array holds bytes',
    type: TypeError,
    message: /must be a .*Array.*, got a Uint8Array/,
    where: (s) => isArray(s) && s.kind !== 'fives',
    change: (x: View) => new Uint8Array(x.buffer),
  },
  {
    claim: 'an array holds integers of the other sign',
    type: TypeError,
    message: /must be a .*Array.*, got a U?[Ii]nt32Array/,
    where: isArray,
    change: (x: View) => (x instanceof Int32Array ? new Uint32Array(x.length) : new Int32Array(x.length)),
  },
  {
    claim: 'an array is detached',
    type: TypeError,
    message: /is detached: its memory was transferred away/,
    where: isArray,
    change: detached,
  },
  { claim: 'an array is shared', type: TypeError, message: /is backed by shared memory/, where: isArray, change: shared },
  {
    claim: 'an array is one longer',
    type: RangeError,
    message: /must hold \d+ elements, holds \d+/,
    where: (s, op) => isArray(s) && !(s.kind === 'floats' && free(op)),
    change: (x: View) => new (classOf(x))(x.length + 1),
  },
  {
    claim: 'an array is empty',
    type: RangeError,
    message: /must hold \d+ elements, holds/,
    where: (s, op) => isArray(s) && !(s.kind === 'floats' && free(op)),
    change: (x: View) => new (classOf(x))(0),
  },
  { claim: 'a scalar is text', type: TypeError, message: /must be a number/, where: (s) => s.kind === 'scalar', change: () => '1' },
  {
    claim: 'a scalar is undefined',
    type: TypeError,
    message: /must be a number/,
    where: (s) => s.kind === 'scalar',
    change: () => undefined,
  },
  { claim: 'a scalar is a BigInt', type: TypeError, message: /must be a number/, where: (s) => s.kind === 'scalar', change: () => 1n },
  {
    claim: 'a scalar is an object',
    type: TypeError,
    message: /must be a number/,
    where: (s) => s.kind === 'scalar',
    change: () => ({ valueOf: () => 1 }),
  },
];

function detached(x: View): View {
  structuredClone(x.buffer, { transfer: [x.buffer as ArrayBuffer] });
  return x;
}

function shared(x: View): View {
  return new (classOf(x))(new SharedArrayBuffer(x.byteLength));
}

describe.each(DTYPES)('in $dtype', ({ dtype }) => {
  it.each(OPS)('%s accepts the call that the others spoil', (op) => {
    for (const flag of [0, 1] as const)
      expect(['undefined', 'number', 'object']).toContain(typeof invoke(native, op, spoiled(op, dtype, -1, undefined, flag)));
  });

  describe.each(OPS)('%s', (op) => {
    const slots = slotsOf(op, 1);
    const claims = REFUSALS.filter(({ where }) => slots.some((slot) => where(slot, op)));
    if (claims.length > 0)
      it.each(claims.map((row) => [row.type.name, row.claim, row] as const))(
        `${op} throws %s when %s`,
        (_type, _claim, { type, message, where, change }) => {
          slots.forEach((slot, i) => {
            if (!where(slot, op)) return;
            const call = (): unknown => invoke(native, op, spoiled(op, dtype, i, change, 1));
            expectThrows(call, type, CODE, new RegExp(`^native\\.${op}: argument \\d .*${message.source}`));
          });
        },
      );

    it(`${op} throws TypeError when an argument is missing or there is one too many`, () => {
      const args = spoiled(op, dtype);
      const message = (got: number): RegExp => new RegExp(`^native\\.${op}: takes ${args.length} arguments, got ${got}$`);
      expectThrows(() => invoke(native, op, [...args, 1]), TypeError, CODE, message(args.length + 1));
      if (args.length > 0) expectThrows(() => invoke(native, op, args.slice(1)), TypeError, CODE, message(args.length - 1));
    });

    const integers = slots[0]?.kind === 'ints' ? slots[0].values.length : 0;
    if (integers > 0) {
      it(`${op} throws RangeError when an integer is negative, naming it`, () => {
        for (const value of [-1, -(2 ** 31)])
          for (let i = 0; i < integers; i++) {
            const call = (): unknown =>
              invoke(
                native,
                op,
                spoiled(op, dtype, 0, (x: Int32Array) => x.with(i, value)),
              );
            expectThrows(call, RangeError, CODE, new RegExp(`argument 1\\[${i}\\] is ${value}; it must not be negative`));
          }
      });

      it(`${op} throws RangeError when an integer is far too large`, () => {
        for (let i = 0; i < integers; i++) {
          const call = (): unknown =>
            invoke(
              native,
              op,
              spoiled(op, dtype, 0, (x: Int32Array) => x.with(i, 2 ** 31 - 1)),
            );
          expectThrows(
            call,
            RangeError,
            CODE,
            /must hold \d+ elements|is a flag: 0 or 1, got|must satisfy 1 <= first|is unknown|must be in \[1, 1024\]|must fit into the padded|padding is 0 here|lies outside the matrix/,
          );
        }
      });
    }

    const floats = slots.flatMap((slot, i) => (slot.kind === 'floats' ? [{ i, slot }] : []));
    if (floats.length > 1) {
      it(`${op} throws TypeError when one array differs from the rest in dtype`, () => {
        const other = dtype === 'float64' ? Float32Array : Float64Array;
        for (const { i } of floats) {
          const call = (): unknown =>
            invoke(
              native,
              op,
              spoiled(op, dtype, i, (x: View) => new other(x.length), 1),
            );
          expectThrows(call, TypeError, CODE, /must be a Float(64|32)Array, got a Float(32|64)Array/);
        }
      });
    }

    const pairs = floats.flatMap((a) => floats.filter((b) => b.i > a.i && (a.slot.written || b.slot.written)).map((b) => [a, b] as const));
    if (pairs.length > 0)
      it(`${op} throws RangeError when an output overlaps another array in part`, () => {
        for (const [a, b] of pairs) {
          const args = spoiled(op, dtype, -1, undefined, 1);
          const whole = new (classOf(args[a.i] as View))(a.slot.length + b.slot.length);
          args[a.i] = whole.subarray(0, a.slot.length);
          args[b.i] = whole.subarray(a.slot.length - 1, a.slot.length - 1 + b.slot.length);
          const message = new RegExp(`argument ${a.i + 1} and argument ${b.i + 1} share memory, and one of them is written`);
          expectThrows(() => invoke(native, op, args), RangeError, CODE, message);
        }
      });
  });
});

describe('meaning that the native layer checks, because it is memory safety', () => {
  const a = new Float64Array(9);
  it.each([
    [
      'getrs refuses a pivot of 0',
      () => native.getrs(Int32Array.of(3, 1), a, Int32Array.of(1, 0, 3), new Float64Array(3)),
      /pivot 1 is outside/,
    ],
    [
      'getrs refuses a pivot above n',
      () => native.getrs(Int32Array.of(3, 1), a, Int32Array.of(4, 2, 3), new Float64Array(3)),
      /pivot 0 is outside/,
    ],
    [
      'softmaxCrossEntropy refuses a label',
      () => native.softmaxCrossEntropy(Int32Array.of(3, 3), a, Float64Array.of(0, 3, 0), a),
      /label 1 is no whole number in \[0, 3\)/,
    ],
    ['syevr refuses an empty range', () => native.syevr(Int32Array.of(3, 2, 1), a, new Float64Array(0), null), /1 <= first <= last <= n/],
    ['syevr refuses a range from 0', () => native.syevr(Int32Array.of(3, 0, 1), a, new Float64Array(2), null), /1 <= first <= last <= n/],
    [
      'gelsd refuses a negative rcond',
      () => native.gelsd(Int32Array.of(3, 3, 1), a, new Float64Array(3), new Float64Array(3), new Float64Array(3), -1),
      /rcond/,
    ],
    [
      'activation refuses an unknown kind',
      () => native.activation(Int32Array.of(8), new Float64Array(0), a, a.slice(), a.slice()),
      /activation kind 8 is unknown/,
    ],
    ['setThreads refuses 0', () => native.setThreads(Int32Array.of(0)), /threads must be in \[1, 1024\]/],
    [
      'batchNormForward refuses an empty batch',
      () => native.batchNormForward(Int32Array.of(0, 1), 0, new Float64Array(0), new Float64Array(2), new Float64Array(0)),
      /at least one row/,
    ],
    ...([NaN, -1, 0.5, 2 ** 53, Infinity] as const).map(
      (x) =>
        [
          `uniform refuses a stream of ${x}`,
          () => native.uniform(Float64Array.of(1, x, 0), a.slice()),
          /three integers in \[0, 2\^53\)/,
        ] as const,
    ),
  ] as const)('%s', (_title, call, message) => {
    expectThrows(call, RangeError, CODE, message);
  });

  it("gesdd throws TypeError when U is given without V'", () => {
    const call = (): unknown => native.gesdd(Int32Array.of(3, 3), a, new Float64Array(9), new Float64Array(3), null);
    expectThrows(call, TypeError, CODE, /U and V' are given together or are both null/);
  });

  it('sizes of 2^31 - 1 are accepted at once where the other size is 0', () => {
    const none = new Float64Array(0);
    const most = 2 ** 31 - 1;
    native.transpose(Int32Array.of(most, 0), none, none.slice());
    native.transpose(Int32Array.of(0, most), none, none.slice());
    native.affineRows(Int32Array.of(most, 0), none, none.slice(), none.slice());
    native.batchNormForward(Int32Array.of(most, 0), 0, none, none.slice(), none.slice());
    native.batchNormBackward(Int32Array.of(most, 0), 0, none, none.slice(), none.slice(), none.slice());
    expect(native.qr(Int32Array.of(most, 0), none, none.slice(), none.slice())).toBe(0);
    expect(native.gesdd(Int32Array.of(0, most), none, null, none.slice(), null)).toBe(0);
  });
});
