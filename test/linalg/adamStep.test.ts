import { describe, expect, it } from 'vitest';
import { Matrix, adamStep } from '../../lib/linalg/index.js';
import { CASES, build, expectClose, expectThrows, refuses, random } from '../close.js';

const [rate, beta1, beta2, epsilon1] = [0.1, 0.9, 0.99, 1e-8];

/** [learningRate, beta1, beta2, epsilon, 1 - beta1^t, 1 - beta2^t] */
const hyper = (t: number): Float64Array => Float64Array.of(rate, beta1, beta2, epsilon1, 1 - beta1 ** t, 1 - beta2 ** t);

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  const zeros = (m: number, n: number): Matrix => place(Matrix.zeros(m, n, dtype));

  describe.each([false, true])('with AMSGrad %s', (amsgrad) => {
    it.each([
      [3, 5],
      [1, 1],
      [0, 4],
      [17, 9],
    ])('adamStep follows the plain formula for five steps of %i x %i', (rows, cols) => {
      const [mean, square, most, step] = [zeros(rows, cols), zeros(rows, cols), zeros(rows, cols), zeros(rows, cols)];
      let [m, v, top] = [Matrix.zeros(rows, cols), Matrix.zeros(rows, cols), Matrix.zeros(rows, cols)];
      for (let t = 1; t <= 5; t++) {
        const g = place(random(rows, cols, dtype, t));
        const entry = (x: Matrix, f: (x: number, g: number) => number): Matrix => build(rows, cols, (i, j) => f(x.get(i, j), g.get(i, j)));
        m = entry(m, (x, y) => beta1 * x + (1 - beta1) * y);
        v = entry(v, (x, y) => beta2 * x + (1 - beta2) * y * y);
        top = build(rows, cols, (i, j) => Math.max(top.get(i, j), v.get(i, j)));
        const second = amsgrad ? top : v;
        const expected = build(
          rows,
          cols,
          (i, j) => (-rate * (m.get(i, j) / (1 - beta1 ** t))) / (Math.sqrt(second.get(i, j) / (1 - beta2 ** t)) + epsilon1),
        );
        expect(adamStep(hyper(t), g, mean, square, amsgrad ? most : null, step)).toBe(step);
        expectClose(step, expected, 50 * epsilon);
        expectClose(mean, m, 10 * epsilon);
        expectClose(square, v, 10 * epsilon);
        expectClose(most, amsgrad ? top : Matrix.zeros(rows, cols), 10 * epsilon);
      }
    });
  });

  it('adamStep keeps a NaN in its entry', () => {
    const g = place(Matrix.from([[1, NaN, 2]], dtype));
    const step = adamStep(hyper(1), g, zeros(1, 3), zeros(1, 3), null, zeros(1, 3));
    expect(Array.from(step.data, Number.isNaN)).toEqual([false, true, false]);
  });
});

const [g, m, v, step] = Array.from({ length: 4 }, () => Matrix.zeros(2, 2));
refuses('adamStep', [
  ['operands differ in dtype', () => adamStep(hyper(1), g, m.clone('float32'), v, null, step), /operands have different dtypes/],
  ['sizes differ', () => adamStep(hyper(1), g, m, Matrix.zeros(2, 3), null, step), /shapes differ, 2 x 2 and 2 x 3/],
  ['most has another size', () => adamStep(hyper(1), g, m, v, Matrix.zeros(1, 1), step), /shapes differ, 2 x 2 and 1 x 1/],
]);
it.each([
  ['hyper has another length', () => adamStep(new Float64Array(5), g, m, v, null, step), /argument 1 must hold 6 elements/],
  ['the step is the gradient', () => adamStep(hyper(1), g, m, v, null, g), /share memory/],
] as const)('adamStep throws RangeError when %s', (_when, call, message) => {
  expectThrows(call, RangeError, 'ERR_NATIVE_ARGUMENT', message);
});
