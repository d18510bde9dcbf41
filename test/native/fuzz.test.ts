import { expect, it } from 'vitest';
import { type Native, native } from '../../lib/native/index.js';
import { fuzz } from './fuzz.js';

it('every one of 3,000 random calls succeeds or is refused with a code, and writes nothing but its outputs', () => {
  const { failures, refused, succeeded } = fuzz(native, 3000, 1);
  expect(failures).toEqual([]);
  expect(refused).toBeGreaterThan(1000);
  expect(succeeded).toBeGreaterThan(700);
});

it('the same seed makes the same calls', () => {
  expect(fuzz(native, 300, 7)).toEqual(fuzz(native, 300, 7));
});

it.each<[string, Partial<Native>, RegExp]>([
  [
    'throws without a code',
    {
      dot: () => {
        throw new TypeError('no code');
      },
    },
    /dot\(.*threw TypeError: no code/,
  ],
  [
    'writes before its output',
    {
      scale: (alpha, x) => {
        native.scale(alpha, x);
        if (x.byteOffset > 0) new Uint8Array(x.buffer)[x.byteOffset - 1] = 0;
      },
    },
    /scale\(.*succeeded, and wrote outside its outputs/,
  ],
  [
    'writes an input',
    {
      nrm2: (x) => {
        const norm = native.nrm2(x);
        x.fill(3);
        return norm;
      },
    },
    /nrm2\(.*succeeded, and wrote outside its outputs/,
  ],
  [
    'writes in a refused call',
    {
      uniform: (stream, out) => {
        if (stream instanceof Float64Array) stream[0]++;
        native.uniform(stream, out);
      },
    },
    /uniform\(.*refused, and wrote outside its outputs/,
  ],
])('a native layer that %s is found out', (_what, sabotage, failure) => {
  expect(fuzz({ ...native, ...sabotage }, 2000, 1).failures.join('\n')).toMatch(failure);
});
