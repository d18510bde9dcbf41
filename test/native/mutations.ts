/** Mutations of a call's arguments for the fuzzer: each spoils the call in one way, or leaves it alone where it does not apply. */
import type { Stream } from '../../lib/random/index.js';

/** Whole numbers from a stream. */
export class Random {
  readonly #stream: Stream;
  readonly #buffer = new Float64Array(1024);
  #used = 1024;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  uniform(): number {
    if (this.#used === this.#buffer.length) {
      this.#stream.uniform(this.#buffer);
      this.#used = 0;
    }
    return this.#buffer[this.#used++];
  }

  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

export type View = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;
export interface ViewClass {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): View;
  readonly BYTES_PER_ELEMENT: number;
}
const CLASSES: readonly ViewClass[] = [Float64Array, Float32Array, Int32Array, Uint32Array, Uint8Array];
export const isView = (x: unknown): x is View => ArrayBuffer.isView(x) && CLASSES.some((type) => x instanceof type);
/** The true element count, also of an array that claims another. */
const lengthOf = (x: View): number => x.byteLength / x.BYTES_PER_ELEMENT;

/** Numbers that are not ordinary. */
export const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1e308, 1e-308, -1];
/** Sizes this large never fit the arrays given with them, unless another size is 0. */
const INTEGERS = [-1, -(2 ** 31), 2 ** 31 - 1, 2 ** 30, 65_536, 46_341, 0, 1, 2, 3];

/** A call in the making. */
export interface Draft {
  readonly args: unknown[];
  /** Names of the mutations made. */
  readonly mutations: string[];
}

export type Mutation = (call: Draft, random: Random) => void;

/** Applies to one argument that `accepts` lets through. */
const onArgument =
  <T>(name: string, accepts: (x: unknown) => x is T, change: (x: T, random: Random, call: Draft) => unknown): Mutation =>
  (call, random) => {
    const places = call.args.flatMap((x, i) => (accepts(x) ? [i] : []));
    if (places.length === 0) return;
    const at = random.pick(places);
    call.args[at] = change(call.args[at] as T, random, call);
    call.mutations.push(name);
  };

const isNumber = (x: unknown): x is number => typeof x === 'number';
const isInts = (x: unknown): x is Int32Array => isView(x) && x instanceof Int32Array && x.length > 0;
/** Over memory of this thread that has not been transferred away. */
const isPlain = (x: unknown): x is View => isView(x) && x.buffer instanceof ArrayBuffer && x.buffer.byteLength > 0;
const isStream = (x: unknown): x is Float64Array => isView(x) && x instanceof Float64Array && lengthOf(x) > 0;

const sameClass = (x: View): ViewClass => CLASSES.find((type) => x instanceof type)!;

/** The same entries in a new array of some class and length. */
function remade(x: View, type: ViewClass, length = lengthOf(x)): View {
  const view = new type(new ArrayBuffer(length * 8), 0, length);
  for (let i = 0; i < Math.min(length, lengthOf(x)); i++) view[i] = x[i];
  return view;
}

const IMPOSTORS: readonly (() => unknown)[] = [
  () => null,
  () => undefined,
  () => 'text',
  () => 3,
  () => NaN,
  () => 10n,
  () => Symbol('x'),
  () => true,
  () => [1, 2, 3, 4],
  () => new DataView(new ArrayBuffer(64)),
  () => new BigInt64Array(4),
  () => new Uint8Array(32),
  () => new ArrayBuffer(64),
  () => () => 1,
  () => new Proxy(new Float64Array(4), {}),
  () => Object.create(Float64Array.prototype) as unknown,
  () => {
    const trap = (): never => {
      throw new Error('a getter of an argument was run');
    };
    return Object.defineProperties(
      {},
      Object.fromEntries(['length', 'buffer', 'byteOffset', '0', 'valueOf'].map((key) => [key, { get: trap }])),
    );
  },
];

/** A resizable buffer (ES2024), here without the types of its time. */
const resizable = (bytes: number, most: number): ArrayBuffer & { resize(bytes: number): void } =>
  Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: most }]) as ArrayBuffer & { resize(bytes: number): void };

export const MUTATIONS: readonly Mutation[] = [
  (call) => {
    if (call.args.pop() !== undefined) call.mutations.push('one argument fewer');
  },
  (call, random) => {
    call.args.splice(random.below(call.args.length + 1), 0, random.pick(IMPOSTORS)());
    call.mutations.push('one argument more');
  },
  (call, random) => {
    const [i, j] = [random.below(call.args.length), random.below(call.args.length)];
    if (call.args[i] === call.args[j]) return;
    [call.args[i], call.args[j]] = [call.args[j], call.args[i]];
    call.mutations.push('swapped');
  },
  (call, random) => {
    call.args[random.below(call.args.length)] = random.pick(IMPOSTORS)();
    call.mutations.push('impostor');
  },
  onArgument('number', isNumber, (_x, random) => random.pick(SPECIAL)),
  onArgument('integer', isInts, (x, random) => {
    x[random.below(x.length)] = random.pick(INTEGERS);
    return x;
  }),
  onArgument('integer', isInts, (x, random) => {
    x[random.below(x.length)] += random.pick([-1, 1]);
    return x;
  }),
  onArgument('entry', isStream, (x, random) => {
    x[random.below(lengthOf(x))] = random.pick([...SPECIAL, 0.5, 2 ** 53, 2 ** 53 - 1, 2 ** 53 - 64]);
    return x;
  }),
  onArgument('length', isView, (x, random) =>
    remade(x, sameClass(x), Math.max(0, random.pick([0, 1, lengthOf(x) - 1, lengthOf(x) + 1, 2 * lengthOf(x)]))),
  ),
  onArgument('class', isView, (x, random) => remade(x, random.pick(CLASSES))),
  onArgument('detached', isPlain, (x) => {
    structuredClone(x.buffer, { transfer: [x.buffer as ArrayBuffer] });
    return x;
  }),
  onArgument('shared', isView, (x) => new (sameClass(x))(new SharedArrayBuffer(x.byteLength), 0, lengthOf(x))),
  onArgument('resizable', isView, (x, random) => {
    const buffer = resizable(x.byteLength, 4 * x.byteLength + 64);
    const view = new (sameClass(x))(buffer, 0, random.below(2) === 0 ? lengthOf(x) : undefined);
    buffer.resize(random.pick([x.byteLength, Math.floor(x.byteLength / 2), 0, 2 * x.byteLength, 4 * x.byteLength + 64]));
    return view;
  }),
  onArgument('subclass', isView, (x) => {
    class Odd extends Float64Array {
      override get length(): number {
        return 2 ** 31;
      }
    }
    return new Odd(new ArrayBuffer(8 * lengthOf(x)), 0, lengthOf(x));
  }),
  onArgument('aliased', isView, (x, random, call) => {
    const other = random.pick(call.args.filter(isPlain));
    if (other === undefined) return x;
    const shift = random.below(3) * 8;
    const room = Math.floor((other.buffer.byteLength - other.byteOffset - shift) / x.BYTES_PER_ELEMENT);
    return room >= lengthOf(x) ? new (sameClass(x))(other.buffer, other.byteOffset + shift, lengthOf(x)) : other;
  }),
];
