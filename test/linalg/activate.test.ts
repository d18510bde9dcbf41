import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, activate } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses } from '../close.js';

const ACTIVATIONS = [
  { name: 'relu', value: (x: number) => Math.max(x, 0), slope: (x: number) => (x > 0 ? 1 : 0) },
  { name: 'tanh', value: Math.tanh, slope: (x: number) => 1 - Math.tanh(x) ** 2 },
] as const;

describe.each(ACTIVATIONS)('activate $name', ({ name, value, slope }) => {
  describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
    it.each([
      [3, 5],
      [1, 1],
      [0, 4],
      [33, 9],
    ])('equals the plain function and its derivative on %i x %i', (m, n) => {
      const x = place(random(m, n, dtype));
      const [out, derivative] = [place(Matrix.zeros(m, n, dtype)), place(Matrix.zeros(m, n, dtype))];
      expect(activate(name, x, out, derivative)).toBe(out);
      expectClose(
        out,
        build(m, n, (i, j) => value(x.get(i, j))),
        4 * epsilon,
      );
      expectClose(
        derivative,
        build(m, n, (i, j) => slope(x.get(i, j))),
        8 * epsilon,
      );
    });

    it('has its limits at zero and infinity, and returns NaN for NaN', () => {
      const x = place(Matrix.from([[0, -0, Infinity, -Infinity, NaN]], dtype));
      const derivative = place(x.clone());
      const out = activate(name, x, place(x.clone()), derivative);
      expectClose(out, [...Array.from(x.data.subarray(0, 4), (v) => value(v) + 0), NaN], 0);
      expectClose(derivative.data.subarray(0, 4), Array.from(x.data.subarray(0, 4), slope), 0);
    });
  });

  it.each(DTYPES)('rises, and its derivative is its slope, in $dtype', ({ dtype }) => {
    const number = fc.double({ min: -4, max: 4, noNaN: true });
    fc.assert(
      fc.property(number, fc.double({ min: 0.01, max: 1, noNaN: true }), (x, more) => {
        const points = Matrix.from([[x, x + more, x - 1e-4, x + 1e-4]]);
        const [out, derivative] = [points.clone(dtype), points.clone(dtype)];
        activate(name, points.clone(dtype), out, derivative);
        expect(out.get(0, 1)).toBeGreaterThanOrEqual(out.get(0, 0));
        if (dtype === 'float64' && Math.abs(x) > 1e-3) expectClose([(out.get(0, 3) - out.get(0, 2)) / 2e-4], [derivative.get(0, 0)], 1e-7);
      }),
      FIXED,
    );
  });
});

const [x, y, d] = Array.from({ length: 3 }, () => Matrix.zeros(2, 2));
refuses('activate', [
  ['sizes differ', () => activate('relu', x, Matrix.zeros(2, 3), d), /activate: shapes differ, 2 x 2 and 2 x 3/],
  ['operands differ in dtype', () => activate('tanh', x, y, d.clone('float32')), /activate: operands have different dtypes/],
]);
it.each([
  ['out is x', () => activate('relu', x, x, d)],
  ['out is the derivative', () => activate('relu', x, y, y)],
])('activate throws RangeError when %s', (_when, call) => {
  expectThrows(call, RangeError, 'ERR_NATIVE_ARGUMENT', /share memory/);
});
