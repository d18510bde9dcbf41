import { ArgumentError } from '../errors.js';
import { type Floats, Matrix } from '../linalg/matrix.js';
import type { SignMatrix } from '../linalg/signMatrix.js';
import { native } from '../native/index.js';

/** What a stream is: three integers below 2^53. Saving them saves the stream. */
export interface StreamState {
  readonly seed: number;
  readonly stream: number;
  /** Bits drawn so far. */
  readonly position: number;
}

/**
 * A stream of random numbers, a pure function of (seed, stream id, position): the same draws however calls are split and whatever the
 * thread count or machine. Philox4x32-10, Salmon et al. 2011; 64 bits of seed and stream id each, 2^53 bits a stream.
 */
export class Stream {
  readonly #state: Float64Array;

  /** @throws ArgumentError unless all are integers in [0, 2^53) */
  constructor(seed: number, stream = 0, position = 0) {
    requireInteger('seed', seed);
    requireInteger('stream', stream);
    requireInteger('position', position);
    this.#state = Float64Array.of(seed, stream, position);
  }

  static from(state: StreamState): Stream {
    return new Stream(state.seed, state.stream, state.position);
  }

  get state(): StreamState {
    const [seed, stream, position] = this.#state;
    return { seed, stream, position };
  }

  /** Continues from a saved position of this very stream. */
  seek(position: number): void {
    requireInteger('position', position);
    this.#state[2] = position;
  }

  /** An independent stream of the same seed, named within this one: 'data', 'noise', 'trial 7'. Does not draw from this one. */
  substream(name: string): Stream {
    return new Stream(this.#state[0], childId(this.#state[1], name));
  }

  /** Fills with uniforms on [0, 1). @returns out */
  uniform<T extends Floats | Matrix>(out: T): T {
    native.uniform(this.#state, entries(out));
    return out;
  }

  /** Fills with normals of mean 0. @returns out @throws ArgumentError unless the deviation is at least 0 */
  normal<T extends Floats | Matrix>(out: T, deviation = 1): T {
    if (!(deviation >= 0)) throw new ArgumentError(`Stream.normal: the standard deviation must be at least 0, got ${deviation}`);
    native.normal(this.#state, deviation, entries(out));
    return out;
  }

  /** Fills with -scale or +scale, each with probability 1/2. @returns out */
  rademacher<T extends Floats | Matrix>(out: T, scale = 1): T {
    native.rademacher(this.#state, scale, entries(out));
    return out;
  }

  /** Fills with signs, those that `rademacher` would draw into a matrix of its shape. @returns out */
  signs(out: SignMatrix): SignMatrix {
    out.refill((shape, bits, fives) => {
      native.signs(shape, this.#state, bits, fives);
    });
    return out;
  }
}

function requireInteger(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new ArgumentError(`Stream: ${what} must be an integer in [0, 2^53), got ${value}`);
}

const entries = (out: Floats | Matrix): Floats => (out instanceof Matrix ? out.data : out);

/** 53 bits of a hash of (parent id, name): Philox, keyed by the parent, chained over the name's bytes. */
function childId(parent: number, name: string): number {
  const bytes = new TextEncoder().encode(name);
  const key = Uint32Array.of(parent >>> 0, Math.floor(parent / 2 ** 32));
  const counter = Uint32Array.of(0, 0, bytes.length, 0x6c617965); // the last word sets these blocks apart from draws
  const hash = new Uint32Array(4);
  for (let i = 0; i < Math.max(1, bytes.length); i += 8) {
    for (let j = 0; j < 8; j++) counter[j >> 2] ^= (bytes[i + j] ?? 0) << (8 * (j & 3));
    native.philox(counter, key, hash);
    counter.set(hash);
    counter[3] ^= 0x6c617965;
  }
  return (hash[1] >>> 11) * 2 ** 32 + hash[0];
}
