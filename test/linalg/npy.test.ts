import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, readNpy, readNpz, writeNpy, writeNpz } from '../../lib/linalg/index.js';
import { CASES, FIXED, atOffset, random, refuses } from '../close.js';

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** A .npy file with any header text. */
function npy(header: string, body: Uint8Array, version = 1): Uint8Array {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(header.length, 0, length.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Uint8Array.of(version, 0), length, Buffer.from(header, 'latin1'), body]);
}
const header = (shape: string, descr = '<f8', order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
const eights = (n: number): Uint8Array => new Uint8Array(Float64Array.from({ length: n }, (_, i) => i).buffer);

describe.each(CASES)('in $dtype on $layout', ({ dtype, place }) => {
  it.each([
    [2, 3],
    [1, 1],
    [0, 3],
    [3, 0],
    [17, 100],
  ])('readNpy returns what writeNpy was given, %i x %i', (m, n) => {
    const matrix = place(random(m, n, dtype));
    const bytes = writeNpy(matrix);
    const read = readNpy(bytes);
    expect([read.rows, read.cols, read.dtype]).toEqual([m, n, dtype]);
    expect(read.data).toEqual(matrix.data.slice());
    expect(readNpy(new Uint8Array([9, ...bytes]).subarray(1)).data).toEqual(read.data); // a view at an odd offset
  });

  it('writeNpy writes the header numpy writes: magic, version 1.0, padded to 64 bytes, then the entries', () => {
    const matrix = place(
      Matrix.from(
        [
          [1, -0],
          [NaN, Infinity],
        ],
        dtype,
      ),
    );
    const bytes = writeNpy(matrix);
    const descr = dtype === 'float64' ? '<f8' : '<f4';
    expect(latin1(bytes.subarray(0, 128))).toBe(
      `\x93NUMPY\x01\x00\x76\x00{'descr': '${descr}', 'fortran_order': False, 'shape': (2, 2), }`.padEnd(127) + '\n',
    );
    expect(Buffer.from(bytes.subarray(128))).toEqual(Buffer.from(matrix.data.slice().buffer));
  });
});

it('readNpy undoes writeNpy for every float, to the bit', () => {
  fc.assert(
    fc.property(fc.float64Array(), fc.float32Array(), (wide, narrow) => {
      for (const data of [wide, narrow]) expect(readNpy(writeNpy(Matrix.wrap(data, data.length, 1))).data).toEqual(data);
    }),
    FIXED,
  );
});

it('readNpy reads one dimension as a column, and headers of version 2', () => {
  expect(readNpy(npy(header('(3,)'), eights(3))).toRows()).toEqual([[0], [1], [2]]);
  expect(readNpy(npy(header('(3,)', '<f8', 'True'), eights(3))).toRows()).toEqual([[0], [1], [2]]);
  expect(readNpy(npy(header('(1, 2)'), eights(2), 2)).toRows()).toEqual([[0, 1]]);
});

const numpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;
const SCRIPT = `import io, sys, numpy
a = numpy.load(io.BytesIO(sys.stdin.buffer.read()))
out = io.BytesIO()
numpy.save(out, 2 * a)
sys.stdout.buffer.write(out.getvalue())`;

it.skipIf(!numpy).each(CASES)('numpy reads what writeNpy writes and readNpy what numpy saves, in $dtype on $layout', ({ dtype, place }) => {
  const matrix = place(random(3, 5, dtype));
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT], { input: writeNpy(matrix) });
  expect(stderr.toString()).toBe('');
  const doubled = readNpy(stdout);
  expect([doubled.rows, doubled.cols, doubled.dtype]).toEqual([3, 5, dtype]);
  expect(doubled.data).toEqual(matrix.data.map((x) => 2 * x));
  expect(latin1(writeNpy(doubled))).toBe(latin1(stdout));
});

it('readNpz returns what writeNpz was given, and equal content gives equal bytes', () => {
  const arrays = { weights: random(2, 3), 'layer.1': atOffset(random(4, 1, 'float32')) };
  const bytes = writeNpz(arrays, { 'meta.json': '{"é": 1}' });
  const read = readNpz(bytes);
  expect(Object.entries(read.arrays).map(([name, m]) => [name, m.dtype, m.toRows()])).toEqual(
    Object.entries(arrays).map(([name, m]) => [name, m.dtype, m.toRows()]),
  );
  expect(read.text).toEqual({ 'meta.json': '{"é": 1}' });
  expect(writeNpz(arrays, read.text)).toEqual(bytes);
  expect(readNpz(writeNpz({}))).toEqual({ arrays: {}, text: {} });
});

const good = npy(header('(2, 3)'), eights(6));
refuses('readNpy', [
  ['there are no bytes', () => readNpy(new Uint8Array(0)), /not a .npy file/],
  ['the magic is another', () => readNpy(Uint8Array.from({ length: 128 }, () => 65)), /not a .npy file/],
  ['the file ends within the first ten bytes', () => readNpy(good.subarray(0, 9)), /not a .npy file/],
  ['the file ends within a long header length', () => readNpy(npy('', eights(0), 2).subarray(0, 10)), /not a .npy file/],
  ['the file ends within the header', () => readNpy(good.subarray(0, 30)), /readNpy: (arrays of|only arrays|.* needs)/],
  ['the data are cut short', () => readNpy(good.subarray(0, -1)), /2 x 3 float64 needs 48 bytes, the file holds 47/],
  ['there are data to spare', () => readNpy(Buffer.concat([good, eights(1)])), /2 x 3 float64 needs 48 bytes, the file holds 56/],
  [
    'the shape asks for more than any memory',
    () => readNpy(npy(header('(99999999, 99999999)'), eights(1))),
    /needs \d+ bytes, the file holds 8/,
  ],
  [
    'entries are integers',
    () => readNpy(npy(header('(1, 1)', '<i8'), eights(1))),
    /arrays of <i8 are not read; save as float64 or float32/,
  ],
  ['entries are big-endian', () => readNpy(npy(header('(1, 1)', '>f8'), eights(1))), /arrays of >f8 are not read/],
  ['there is no descr', () => readNpy(npy('{}', eights(1))), /arrays of unknown are not read/],
  ['there is no shape', () => readNpy(npy("{'descr': '<f8'}", eights(1))), /only arrays of one or two dimensions/],
  ['there are no dimensions', () => readNpy(npy(header('()'), eights(1))), /only arrays of one or two dimensions/],
  ['there are three dimensions', () => readNpy(npy(header('(1, 1, 1)'), eights(1))), /only arrays of one or two dimensions/],
  ['the shape is not made of numbers', () => readNpy(npy(header('(one, 1)'), eights(1))), /readNpy/],
  ['sizes are negative', () => readNpy(npy(header('(-1, -1)'), eights(1))), /rows must be an integer/],
  [
    'the array is in Fortran order',
    () => readNpy(npy(header('(2, 3)', '<f8', 'True'), eights(6))),
    /Fortran order; save numpy.ascontiguousarray/,
  ],
]);
refuses('readNpz', [
  ['the bytes are not a zip', () => readNpz(Uint8Array.of(1, 2, 3)), /readNpz: not a complete .npz file/],
  ['the zip is cut short', () => readNpz(writeNpz({ a: random(2, 2) }).subarray(0, -8)), /readNpz: not a complete .npz file/],
  ['an entry is not a .npy', () => readNpz(writeNpz({}, { 'a.npy': 'text' })), /readNpy: not a .npy file/],
]);

it('readNpy throws nothing but ArgumentError on any change to a good file', () => {
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, end) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = value;
      try {
        readNpy(bytes.subarray(0, end % 5 === 0 ? bytes.length : end));
      } catch (error) {
        expect(error).toMatchObject({ name: 'ArgumentError', code: 'ERR_ARGUMENT' });
      }
    }),
    { ...FIXED, numRuns: 500 },
  );
});
