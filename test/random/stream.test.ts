import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Floats, Matrix } from '../../lib/linalg/index.js';
import { native } from '../../lib/native/index.js';
import { Stream, type StreamState } from '../../lib/random/index.js';
import { DTYPES, FIXED, atOffset, expectThrows, refuses } from '../close.js';

const LIMIT = 2 ** 53;
const array = (dtype: 'float64' | 'float32', n: number): Floats => (dtype === 'float64' ? new Float64Array(n) : new Float32Array(n));

// ---- The model: a stream as the functions of position that its documentation promises, one value at a time. ----

/** The four words of the block that bit `position` of a stream belongs to. */
function block({ seed, stream }: StreamState, position: number): Uint32Array {
  const index = Math.floor(position / 128);
  const halves = (x: number): [number, number] => [x >>> 0, Math.floor(x / 2 ** 32)];
  const words = new Uint32Array(4);
  native.philox(Uint32Array.of(...halves(index), ...halves(stream)), Uint32Array.of(...halves(seed)), words);
  return words;
}

type Kind = 'uniform' | 'normal' | 'rademacher';
const bits = (kind: Kind): number => (kind === 'rademacher' ? 1 : 64);

function uniformAt(state: StreamState, position: number): number {
  const words = block(state, position);
  const at = position % 128 === 0 ? 0 : 2;
  return ((words[at] >>> 5) * 2 ** 26 + (words[at + 1] >>> 6)) / 2 ** 53;
}

function valueAt(kind: Kind, dtype: 'float64' | 'float32', state: StreamState, position: number): number {
  if (kind === 'rademacher') return (block(state, position)[(position % 128) >> 5] >>> (position % 32)) & 1 ? 1 : -1;
  if (kind === 'uniform') {
    const u = uniformAt(state, position);
    return dtype === 'float64' ? u : Math.floor(u * 2 ** 24) / 2 ** 24;
  }
  return new Stream(state.seed, state.stream, position).normal(array(dtype, 1))[0];
}

/** What a fill of n values returns, and where it leaves the stream. */
function modelFill(kind: Kind, dtype: 'float64' | 'float32', state: StreamState, n: number): { values: Floats; position: number } {
  const width = bits(kind);
  const start = Math.ceil(state.position / width) * width;
  return { values: array(dtype, n).map((_, i) => valueAt(kind, dtype, state, start + i * width)), position: start + n * width };
}

describe('philox', () => {
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('of counter %s and key %s gives the known answer', (counter, key, answer) => {
    const words = (hex: string): Uint32Array => Uint32Array.from(hex.split(' '), (w) => parseInt(w, 16));
    const out = new Uint32Array(4);
    native.philox(words(counter), words(key), out);
    expect(out).toEqual(words(answer));
  });
});

const integer = fc.oneof(fc.nat(1000), fc.integer({ min: 2 ** 32 - 200, max: 2 ** 32 + 200 }), fc.integer({ min: 0, max: 2 ** 52 }));
const states = fc.record({ seed: integer, stream: integer, position: integer });
const kinds = fc.constantFrom<Kind>('uniform', 'normal', 'rademacher');
const dtypes = fc.constantFrom('float64' as const, 'float32' as const);

describe('split invariance', () => {
  it('any sequence of fills, kinds and dtypes mixed, returns the values that belong to its positions', () => {
    const fills = fc.array(fc.tuple(kinds, dtypes, fc.integer({ min: 0, max: 150 })), { maxLength: 6 });
    fc.assert(
      fc.property(states, fills, (state, calls) => {
        const stream = Stream.from(state);
        for (const [kind, dtype, n] of calls) {
          const { values, position } = modelFill(kind, dtype, stream.state, n);
          expect(stream[kind](array(dtype, n))).toEqual(values);
          expect(stream.state).toEqual({ ...state, position });
        }
      }),
      FIXED,
    );
  });

  it('a fill split anywhere, many chunks long, returns the draws of one call', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(states, kinds, dtypes, lengths, (state, kind, dtype, parts) => {
        const [whole, split] = [Stream.from(state), Stream.from(state)];
        const one = whole[kind](
          array(
            dtype,
            parts.reduce((sum, n) => sum + n, 0),
          ),
        );
        const pieces = parts.flatMap((n) => Array.from(split[kind](array(dtype, n))));
        expect(Buffer.from(array(dtype, one.length).map((_, i) => pieces[i]).buffer).equals(Buffer.from(one.buffer))).toBe(true);
        expect(split.state).toEqual(whole.state);
      }),
      FIXED,
    );
  });

  it.each(DTYPES)('a matrix, an array and a view at an offset are filled alike in $dtype', ({ dtype }) => {
    for (const kind of ['uniform', 'normal', 'rademacher'] as const) {
      const flat = new Stream(7)[kind](array(dtype, 12));
      expect(new Stream(7)[kind](Matrix.zeros(3, 4, dtype)).data).toEqual(flat);
      expect(new Stream(7)[kind](atOffset(Matrix.zeros(3, 4, dtype))).data.slice()).toEqual(flat);
    }
  });
});

describe('values', () => {
  it('rademacher uses every bit of each block, in order', () => {
    const stream = new Stream(5, 9);
    const signs = stream.rademacher(new Float64Array(3 * 128));
    const words = [0, 128, 256].flatMap((position) => Array.from(block({ seed: 5, stream: 9, position: 0 }, position)));
    const packed = words.map((_, w) => signs.subarray(32 * w, 32 * w + 32).reduce((sum, s, i) => sum + (s > 0 ? 2 ** i : 0), 0));
    expect(packed).toEqual(words);
    expect(stream.state.position).toBe(3 * 128);
  });

  it.each(DTYPES)('rademacher draws plus or minus the scale, normal is multiplied by the deviation, in $dtype', ({ dtype }) => {
    const signs = new Stream(1).rademacher(array(dtype, 500));
    expect(new Stream(1).rademacher(array(dtype, 500), 0.3)).toEqual(array(dtype, 500).map((_, i) => signs[i] * 0.3));
    expect(new Set(signs)).toEqual(new Set([1, -1]));
    const wide = new Stream(1).normal(new Float64Array(500));
    expect(new Stream(1).normal(array(dtype, 500), 0.3)).toEqual(array(dtype, 500).map((_, i) => 0.3 * wide[i]));
  });

  it('float32 uniforms never reach 1, not even from the double next to it', () => {
    const at = (): Stream => new Stream(1, 0, 54_784_238 * 64); // found by search: the uniform here is 1 - 5.9e-9
    const [wide] = at().uniform(new Float64Array(1));
    expect(Math.fround(wide)).toBe(1);
    expect(at().uniform(new Float32Array(1))[0]).toBe(1 - 2 ** -24);
  });
});

describe('state', () => {
  it('a stream continues from its saved state, also through JSON, and seek returns to a position', () => {
    fc.assert(
      fc.property(states, kinds, fc.nat(300), (state, kind, n) => {
        const stream = Stream.from(state);
        stream.rademacher(new Float64Array(n));
        const saved = JSON.parse(JSON.stringify(stream.state)) as StreamState;
        const next = stream[kind](new Float64Array(50));
        expect(Stream.from(saved)[kind](new Float64Array(50))).toEqual(next);
        stream.seek(saved.position);
        expect(stream.state).toEqual(saved);
        expect(stream[kind](new Float64Array(50))).toEqual(next);
      }),
      FIXED,
    );
  });

  it('the state is a copy: drawing on leaves a saved one as it was', () => {
    const stream = new Stream(3, 4);
    const { state } = stream;
    stream.uniform(new Float64Array(2));
    expect([state, stream.state]).toEqual([
      { seed: 3, stream: 4, position: 0 },
      { seed: 3, stream: 4, position: 128 },
    ]);
  });

  it.each([
    ['uniform', LIMIT - 64, 1],
    ['normal', LIMIT - 127, 1],
    ['rademacher', LIMIT - 2, 2],
  ] as const)('%s on a stream used up throws RangeError and stays where it is', (kind, position, n) => {
    const stream = new Stream(1, 2, position);
    const draw = (): unknown => stream[kind](new Float64Array(n));
    expectThrows(draw, RangeError, 'ERR_NATIVE_ARGUMENT', /this stream is used up: 2\^53 bits; take a substream/);
    expect(stream.state.position).toBe(position);
  });

  it('the last bits of a stream can be drawn', () => {
    expect(new Stream(1, 2, LIMIT - 2).rademacher(new Float64Array(1))).toHaveLength(1);
    expect(new Stream(1, 2, LIMIT - 128).uniform(new Float64Array(1))).toHaveLength(1);
  });

  it('a refused fill draws nothing', () => {
    const state = Float64Array.of(1, 2, 3, 0);
    const overlapping = (): unknown => native.uniform(state.subarray(0, 3), state.subarray(2));
    expectThrows(overlapping, RangeError, 'ERR_NATIVE_ARGUMENT', /share memory/);
    expect(state).toEqual(Float64Array.of(1, 2, 3, 0));
  });
});

describe('substream', () => {
  it('keeps its id from release to release (golden): stored results depend on it', () => {
    const ids = ['batches', 'a name of more than eight bytes', ''].map((name) => new Stream(5).substream(name).state.stream);
    expect(ids).toEqual([2017437203373583, 8268085152723745, 8927907751922423]);
    expect(new Stream(5).substream('a').substream('b').state.stream).toBe(4061953185900121);
  });

  const first = (stream: Stream): Float64Array => stream.uniform(new Float64Array(8));

  it('depends on seed, parent and name, and not on what the parent has drawn', () => {
    fc.assert(
      fc.property(states, fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(100), (state, name, n) => {
        const parent = Stream.from(state);
        const child = parent.substream(name);
        const before = parent.state;
        parent.uniform(new Float64Array(n));
        expect(parent.substream(name).state).toEqual(child.state);
        expect(child.state).toMatchObject({ seed: state.seed, position: 0 });
        expect(before).toEqual(state);
      }),
      FIXED,
    );
  });

  it('has another stream id for every name and parent, prefixes and long names included', () => {
    const names = [
      '',
      'a',
      'aa',
      'a\0',
      'data',
      'noise',
      'trial 7',
      'trial 70',
      'eightlet',
      'eightlets',
      'é',
      'x'.repeat(100),
      'x'.repeat(101),
    ];
    const parents = [new Stream(1), new Stream(1, 1), new Stream(1).substream('parent')];
    const streams = parents.flatMap((parent) => [parent, ...names.map((name) => parent.substream(name))]);
    const ids = new Set(streams.map((stream) => stream.state.stream));
    expect(ids.size).toBe(streams.length);
    for (const id of ids) expect(Number.isSafeInteger(id) && id >= 0).toBe(true);
  });

  it('has distinct ids for 10,000 trials', () => {
    const parent = new Stream(0);
    const ids = new Set(Array.from({ length: 10_000 }, (_, i) => parent.substream(`trial ${i}`).state.stream));
    expect(ids.size).toBe(10_000);
  });

  it('draws differ from the parent, its siblings and the same name under another seed', () => {
    const draws = [
      new Stream(1),
      new Stream(2),
      new Stream(1).substream('data'),
      new Stream(1).substream('noise'),
      new Stream(2).substream('data'),
    ];
    expect(new Set(draws.map((stream) => first(stream).join())).size).toBe(draws.length);
  });
});

const bad = [-1, 0.5, NaN, Infinity, LIMIT];
refuses(
  'Stream',
  (['seed', 'stream', 'position'] as const).flatMap((what) =>
    bad.map((value) => {
      const state = { seed: 1, stream: 1, position: 1, [what]: value };
      return [
        `${what} is ${value}`,
        () => Stream.from(state),
        new RegExp(`Stream: ${what} must be an integer in \\[0, 2\\^53\\), got`),
      ] as const;
    }),
  ),
);
refuses(
  'seek',
  bad.map((value) => [`position is ${value}`, () => new Stream(1).seek(value), /Stream: position must be an integer/] as const),
);

it.each(['uniform', 'normal', 'rademacher'] as const)('%s throws TypeError when out holds no floats, and accepts an empty out', (kind) => {
  const stream = new Stream(1);
  expectThrows(
    () => stream[kind](new Int32Array(4) as never),
    TypeError,
    'ERR_NATIVE_ARGUMENT',
    /must be a Float64Array or a Float32Array/,
  );
  expect(stream[kind](new Float64Array(0))).toHaveLength(0);
  expect(stream.state.position).toBe(0);
});
