import { expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { squared } from '../../lib/losses/index.js';
import { DTYPES, expectClose, random, sumOver } from '../close.js';

it.each(DTYPES)('squared is sum |f - y|^2 / 2n, its gradient (f - y)/n, in $dtype', ({ dtype, epsilon }) => {
  const [f, y] = [random(6, 4, dtype, 1), random(6, 4, dtype, 2)];
  const gradient = Matrix.zeros(6, 4, dtype);
  const loss = squared.evaluate(f, y, gradient);
  expect(loss).toBeCloseTo(sumOver(f.data, (x, i) => (x - y.data[i]) ** 2) / 12, dtype === 'float64' ? 13 : 5);
  expectClose(
    gradient,
    Array.from(f.data, (x, i) => (x - y.data[i]) / 6),
    4 * epsilon,
  );
});
