import fc from 'fast-check';
import { ArgumentError } from '../../lib/errors.js';
import { describe, expect, it } from 'vitest';
import { Matrix, softmaxCrossEntropy } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses, withEntry } from '../close.js';

const labelsFor = (n: number, c: number): Int32Array => Int32Array.from({ length: n }, (_, i) => (7 * i + 2) % c);

function reference(logits: Matrix, labels: Int32Array): { loss: number; gradient: Matrix } {
  const n = logits.rows;
  const probabilities = logits.toRows().map((row) => {
    const top = Math.max(...row);
    const weights = row.map((x) => Math.exp(x - top));
    const total = weights.reduce((sum, w) => sum + w, 0);
    return weights.map((w) => w / total);
  });
  return {
    loss: probabilities.reduce((sum, row, i) => sum - Math.log(row[labels[i]]) / n, 0),
    gradient: build(n, logits.cols, (i, j) => (probabilities[i][j] - (labels[i] === j ? 1 : 0)) / n),
  };
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each([
    [5, 3],
    [3, 5],
    [1, 1],
    [0, 4],
    [40, 10],
  ])('softmaxCrossEntropy of %i x %i returns the plain loss and leaves its gradient', (n, c) => {
    const logits = place(random(n, c, dtype));
    const labels = labelsFor(n, c);
    const { loss, gradient } = reference(logits, labels);
    expectClose([softmaxCrossEntropy(logits, labels)], [loss], 10 * epsilon);
    expectClose(logits, gradient, 10 * epsilon);
  });

  it('softmaxCrossEntropy survives logits of any finite size', () => {
    const logits = place(Matrix.from([[1e4, -1e4, 0]], dtype));
    expect(softmaxCrossEntropy(logits, Int32Array.of(1))).toBe(2e4);
    expectClose(logits, [1, -1, 0], 0);
  });

  it('softmaxCrossEntropy returns NaN for a NaN logit, and spoils no other row', () => {
    const logits = place(withEntry(random(3, 4, dtype), 1, 2, NaN));
    expect(softmaxCrossEntropy(logits, labelsFor(3, 4))).toBeNaN();
    expect(logits.toRows().map((row) => row.some(Number.isNaN))).toEqual([false, true, false]);
  });

  it.each([-1, 3, 2 ** 31 - 1])('softmaxCrossEntropy throws ArgumentError when a label is %i of 3', (label) => {
    const logits = place(random(2, 3, dtype));
    const before = logits.clone();
    const call = (): number => softmaxCrossEntropy(logits, Int32Array.of(0, label));
    expectThrows(call, ArgumentError, 'ERR_ARGUMENT', new RegExp(`label 1 is ${label}, outside \\[0, 3\\)`));
    expect(logits.data).toEqual(before.data);
  });
});

it.each(DTYPES)('softmaxCrossEntropy ignores a shift of a row, and its gradient sums to zero, in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(size, size, fc.nat(), fc.double({ min: -3, max: 3, noNaN: true }), (n, c, seed, shift) => {
      const labels = labelsFor(n, c);
      const logits = random(n, c, dtype, seed);
      const shifted = build(n, c, (i, j) => logits.get(i, j) + shift).clone(dtype);
      expectClose([softmaxCrossEntropy(shifted, labels)], [softmaxCrossEntropy(logits, labels)], 20 * epsilon);
      expectClose(shifted, logits, 20 * epsilon);
      for (const row of logits.toRows()) expectClose([row.reduce((sum, x) => sum + x, 0)], [0], 20 * epsilon);
    }),
    FIXED,
  );
});

refuses('softmaxCrossEntropy', [
  ['there are too few labels', () => softmaxCrossEntropy(random(2, 3), new Int32Array(1)), /2 rows of logits need as many labels, got 1/],
]);
it('softmaxCrossEntropy throws TypeError when labels are floats', () => {
  const call = (): number => softmaxCrossEntropy(random(2, 3), new Float64Array(2) as never);
  expectThrows(call, TypeError, 'ERR_NATIVE_ARGUMENT', /argument 2 must be a Int32Array/);
});
