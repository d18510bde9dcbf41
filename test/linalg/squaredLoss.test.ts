import { describe, expect, it } from 'vitest';
import { Matrix, squaredLoss } from '../../lib/linalg/index.js';
import { CASES, expectClose, random, refuses, sumOver } from '../close.js';

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each([
    [6, 4],
    [1, 1],
    [3, 7],
    [100, 15],
  ])('squaredLoss is sum |f - y|^2 / 2n with gradient (f - y) / n for %i x %i', (n, d) => {
    const [f, y] = [place(random(n, d, dtype, 1)), place(random(n, d, dtype, 2))];
    const gradient = place(Matrix.zeros(n, d, dtype));
    const loss = squaredLoss(f, y, gradient);
    expectClose([loss], [sumOver(f.data, (x, i) => (x - y.data[i]) ** 2) / (2 * n)], 8 * epsilon);
    expectClose(
      gradient,
      Array.from(f.data, (x, i) => (x - y.data[i]) / n),
      4 * epsilon,
    );
  });

  it('squaredLoss of nothing is 0, of NaN NaN', () => {
    expect(squaredLoss(Matrix.zeros(0, 3, dtype), Matrix.zeros(0, 3, dtype), Matrix.zeros(0, 3, dtype))).toBe(0);
    expect(squaredLoss(Matrix.from([[NaN]], dtype), Matrix.zeros(1, 1, dtype), Matrix.zeros(1, 1, dtype))).toBeNaN();
  });

  it('squaredLoss may write its gradient over the outputs', () => {
    const [f, y] = [random(9, 5, dtype, 1), random(9, 5, dtype, 2)];
    const apart = Matrix.zeros(9, 5, dtype);
    const loss = squaredLoss(f, y, apart);
    expect(squaredLoss(f, y, f)).toBe(loss);
    expect(f.data).toEqual(apart.data);
  });
});

const m = random(2, 3);
refuses('squaredLoss', [
  ['shapes differ', () => squaredLoss(m, random(3, 2), m.clone()), /shapes differ, 2 x 3 and 3 x 2/],
  ['dtypes differ', () => squaredLoss(m, m.clone('float32'), m.clone()), /different dtypes/],
]);
