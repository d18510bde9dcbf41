import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, logisticLoss } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses, sumOver, withEntry } from '../close.js';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const targetsFor = (n: number, c: number): Matrix => build(n, c, (i, j) => ((i + 3 * j) % 5) / 4);

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each([
    [6, 4],
    [1, 1],
    [0, 3],
    [3, 0],
    [50, 7],
  ])('logisticLoss of %i x %i is the plain loss with its gradient, also over the logits', (n, c) => {
    const [f, y] = [place(random(n, c, dtype)), place(targetsFor(n, c).clone(dtype))];
    const gradient = place(Matrix.zeros(n, c, dtype));
    const before = f.clone();
    const loss = n === 0 ? 0 : sumOver(f.data, (x, i) => Math.log(1 + Math.exp(x)) - y.data[i] * x) / n;
    const expected = build(n, c, (i, j) => (sigmoid(f.get(i, j)) - y.get(i, j)) / n);
    expectClose([logisticLoss(f, y, gradient)], [loss], 10 * epsilon);
    expectClose(gradient, expected, 4 * epsilon);
    expectClose(f, before, 0);
    expectClose([logisticLoss(f, y, f)], [loss], 10 * epsilon);
    expectClose(f, gradient, 0);
  });

  it('logisticLoss survives logits of any size', () => {
    const huge = dtype === 'float64' ? 1e308 : 3e38;
    const run = (logit: number, target: number): [loss: number, gradient: number] => {
      const gradient = place(Matrix.zeros(1, 1, dtype));
      return [logisticLoss(place(Matrix.from([[logit]], dtype)), place(Matrix.from([[target]], dtype)), gradient), gradient.data[0]];
    };
    for (const size of [1000, huge]) {
      const held = Matrix.from([[size]], dtype).data[0];
      expect(run(size, 1).map(Math.abs)).toEqual([0, 0]);
      expect(run(-size, 0).map(Math.abs)).toEqual([0, 0]);
      expect(run(size, 0)).toEqual([held, 1]);
      expect(run(-size, 1)).toEqual([held, -1]);
    }
    expect(run(Infinity, 0)).toEqual([Infinity, 1]);
  });

  it('logisticLoss keeps its digits where it is tiny', () => {
    const tail = Math.exp(-30);
    for (const [logit, target, sign] of [
      [30, 1, -1],
      [-30, 0, 1],
    ]) {
      const f = place(Matrix.from([[logit]], dtype));
      const loss = logisticLoss(f, Matrix.from([[target]], dtype), f);
      expect(Math.abs(loss / Math.log1p(tail) - 1)).toBeLessThan(20 * epsilon);
      expect(Math.abs((f.data[0] / (sign * tail)) * (1 + tail) - 1)).toBeLessThan(20 * epsilon);
    }
  });

  it('logisticLoss is NaN for a NaN, which stays in its entry of the gradient', () => {
    for (const spoil of [0, 1]) {
      const operands = [random(3, 4, dtype), targetsFor(3, 4).clone(dtype)];
      const [f, y] = operands.map((m, i) => place(i === spoil ? withEntry(m, 1, 2, NaN) : m));
      const gradient = place(Matrix.zeros(3, 4, dtype));
      expect(logisticLoss(f, y, gradient)).toBeNaN();
      expect(Array.from(gradient.data, Number.isNaN).flatMap((nan, i) => (nan ? [i] : []))).toEqual([6]);
    }
  });
});

it.each(DTYPES)('logisticLoss has its gradient as derivative, and is symmetric in the two outcomes, in $dtype', ({ dtype, epsilon }) => {
  fc.assert(
    fc.property(fc.double({ min: -8, max: 8, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (x, t) => {
      const run = (logit: number, target: number): [number, number] => {
        const f = Matrix.from([[logit]], dtype);
        return [logisticLoss(f, Matrix.from([[target]], dtype), f), f.data[0]];
      };
      const [[loss, gradient], [mirrored, opposite]] = [run(x, t), run(-x, 1 - t)];
      expectClose([loss, gradient], [mirrored, -opposite], 40 * epsilon);
      if (dtype === 'float64') expectClose([gradient], [(run(x + 1e-5, t)[0] - run(x - 1e-5, t)[0]) / 2e-5], 1e-8);
    }),
    FIXED,
  );
});

const m = random(2, 3);
refuses('logisticLoss', [
  ['targets have another shape', () => logisticLoss(m, random(3, 2), m.clone()), /logisticLoss: shapes differ, 2 x 3 and 3 x 2/],
  ['the gradient has another shape', () => logisticLoss(m, m.clone(), random(3, 2)), /logisticLoss: shapes differ, 2 x 3 and 3 x 2/],
  ['targets have another dtype', () => logisticLoss(m, m.clone('float32'), m.clone()), /operands have different dtypes/],
  ['the gradient has another dtype', () => logisticLoss(m, m.clone(), m.clone('float32')), /operands have different dtypes/],
]);
it('logisticLoss throws RangeError when the gradient overlaps the logits in part', () => {
  const memory = new Float64Array(7);
  const shifted = (at: number): Matrix => Matrix.wrap(memory.subarray(at, at + 6), 2, 3);
  expectThrows(() => logisticLoss(shifted(0), m, shifted(1)), RangeError, 'ERR_NATIVE_ARGUMENT', /share memory/);
});
