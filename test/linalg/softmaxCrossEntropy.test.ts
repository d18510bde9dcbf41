import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { type Dtype, Matrix, softmax, softmaxCrossEntropy } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses, withEntry } from '../close.js';

const labelsFor = (n: number, c: number, dtype: Dtype): Matrix => build(n, 1, (i) => (7 * i + 2) % c).clone(dtype);

/** Row by row exp(x) over its sum. */
function probabilities(logits: Matrix): Matrix {
  const rows = logits.toRows().map((row) => {
    const weights = row.map((x) => Math.exp(x - Math.max(...row)));
    const total = weights.reduce((sum, w) => sum + w, 0);
    return weights.map((w) => w / total);
  });
  return build(logits.rows, logits.cols, (i, j) => rows[i][j]);
}

function reference(logits: Matrix, labels: Matrix): { loss: number; gradient: Matrix } {
  const [n, p] = [logits.rows, probabilities(logits)];
  return {
    loss: labels.toRows().reduce((sum, [label], i) => sum - Math.log(p.get(i, label)) / n, 0),
    gradient: build(n, logits.cols, (i, j) => (p.get(i, j) - (labels.data[i] === j ? 1 : 0)) / n),
  };
}

const SHAPES = [
  [5, 3],
  [3, 5],
  [1, 1],
  [0, 4],
  [40, 10],
] as const;

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(SHAPES)('softmaxCrossEntropy of %i x %i returns the plain loss and writes its gradient, also over the logits', (n, c) => {
    const [logits, labels] = [place(random(n, c, dtype)), place(labelsFor(n, c, dtype))];
    const { loss, gradient } = reference(logits, labels);
    const [before, written] = [logits.clone(), place(Matrix.zeros(n, c, dtype))];
    expectClose([softmaxCrossEntropy(logits, labels, written)], [loss], 10 * epsilon);
    expectClose(written, gradient, 10 * epsilon);
    expectClose(logits, before, 0);
    expectClose([softmaxCrossEntropy(logits, labels, logits)], [loss], 10 * epsilon);
    expectClose(logits, written, 0);
  });

  it.each(SHAPES)('softmax of %i x %i is exp over its sum by rows, also in place', (n, c) => {
    const logits = place(random(n, c, dtype));
    const out = place(Matrix.zeros(n, c, dtype));
    const expected = probabilities(logits);
    expect(softmax(logits, out)).toBe(out);
    expectClose(out, expected, 4 * epsilon);
    expectClose(softmax(logits, logits), expected, 4 * epsilon);
  });

  it('softmax and softmaxCrossEntropy survive logits of any finite size', () => {
    const huge = dtype === 'float64' ? 1e308 : 3e38;
    for (const size of [1e4, huge]) {
      const logits = place(Matrix.from([[size, -size / 2, 0]], dtype));
      expectClose(softmax(logits, logits.clone()), [1, 0, 0], 0);
      const expected = logits.data[0] - logits.data[1];
      expect(softmaxCrossEntropy(logits, place(Matrix.from([[1]], dtype)), logits)).toBe(expected);
      expectClose(logits, [1, -1, 0], 0);
    }
  });

  it('softmax gives an entry of -Infinity no weight', () => {
    expectClose(softmax(place(Matrix.from([[-Infinity, 2, 2]], dtype)), place(Matrix.zeros(1, 3, dtype))), [0, 0.5, 0.5], 0);
  });

  it.each([0, 1, 2, 3])('softmaxCrossEntropy returns NaN for a NaN logit at %i, and spoils no other row; nor does softmax', (at) => {
    const logits = place(withEntry(random(3, 4, dtype), 1, at, NaN));
    const spoiled = (x: Matrix): boolean[] => x.toRows().map((row) => row.some(Number.isNaN));
    expect(spoiled(softmax(logits, logits.clone()))).toEqual([false, true, false]);
    expect(softmaxCrossEntropy(logits, labelsFor(3, 4, dtype), logits)).toBeNaN();
    expect(spoiled(logits)).toEqual([false, true, false]);
  });

  it.each([-1, 3, 0.5, 2 ** 31, NaN, Infinity])(
    'softmaxCrossEntropy throws ArgumentError when a label is %f of 3, and writes nothing',
    (label) => {
      const logits = place(random(2, 3, dtype));
      const before = logits.clone();
      const call = (): number => softmaxCrossEntropy(logits, place(Matrix.from([[0], [label]], dtype)), logits);
      expectThrows(
        call,
        ArgumentError,
        'ERR_ARGUMENT',
        new RegExp(`the label of row 1 is ${label}; it must be a whole number in \\[0, 3\\)`),
      );
      expect(logits.data).toEqual(before.data);
    },
  );

  it('softmax and softmaxCrossEntropy of nothing are nothing, and 0', () => {
    for (const c of [0, 3]) {
      const none = Matrix.zeros(0, c, dtype);
      expect(softmaxCrossEntropy(none, Matrix.zeros(0, 1, dtype), none)).toBe(0);
      expect(softmax(none, none)).toBe(none);
    }
    expect(softmax(Matrix.zeros(3, 0, dtype), Matrix.zeros(3, 0, dtype)).rows).toBe(3);
  });
});

it.each(DTYPES)('softmaxCrossEntropy ignores a shift of a row, and its gradient sums to zero, in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(size, size, fc.nat(), fc.double({ min: -3, max: 3, noNaN: true }), (n, c, seed, shift) => {
      const labels = labelsFor(n, c, dtype);
      const logits = random(n, c, dtype, seed);
      const shifted = build(n, c, (i, j) => logits.get(i, j) + shift).clone(dtype);
      expectClose([softmaxCrossEntropy(shifted, labels, shifted)], [softmaxCrossEntropy(logits, labels, logits)], 20 * epsilon);
      expectClose(shifted, logits, 20 * epsilon);
      for (const row of logits.toRows()) expectClose([row.reduce((sum, x) => sum + x, 0)], [0], 20 * epsilon);
    }),
    FIXED,
  );
});

const [logits, labels] = [random(2, 3), Matrix.zeros(2, 1)];
refuses('softmaxCrossEntropy', [
  ['there are too few labels', () => softmaxCrossEntropy(logits, Matrix.zeros(1, 1), logits), /labels must be 2 x 1, got 1 x 1/],
  ['labels are a row', () => softmaxCrossEntropy(logits, Matrix.zeros(1, 2), logits), /labels must be 2 x 1, got 1 x 2/],
  ['labels have another dtype', () => softmaxCrossEntropy(logits, labels.clone('float32'), logits), /operands have different dtypes/],
  ['the gradient has another shape', () => softmaxCrossEntropy(logits, labels, random(3, 2)), /shapes differ, 2 x 3 and 3 x 2/],
  ['the gradient has another dtype', () => softmaxCrossEntropy(logits, labels, logits.clone('float32')), /operands have different dtypes/],
  ['there are no classes', () => softmaxCrossEntropy(Matrix.zeros(2, 0), labels, Matrix.zeros(2, 0)), /row 0 is 0; .* in \[0, 0\)/],
]);
refuses('softmax', [
  ['out has another shape', () => softmax(logits, random(3, 2)), /softmax: shapes differ, 2 x 3 and 3 x 2/],
  ['out has another dtype', () => softmax(logits, logits.clone('float32')), /softmax: operands have different dtypes/],
]);
it.each([
  ['softmaxCrossEntropy', (x: Matrix, out: Matrix) => softmaxCrossEntropy(x, labels, out)],
  ['softmax', softmax],
] as const)('%s throws RangeError when its output overlaps the logits in part', (_op, call) => {
  const memory = new Float64Array(7);
  const shifted = (at: number): Matrix => Matrix.wrap(memory.subarray(at, at + 6), 2, 3);
  expectThrows(() => call(shifted(0), shifted(1)), RangeError, 'ERR_NATIVE_ARGUMENT', /share memory/);
});

it('softmaxCrossEntropy keeps the digits of the loss beside logits of any size', () => {
  for (const size of [1, 1e9, 1e300]) {
    const equal = Matrix.from([[-size, -size]]);
    expect(softmaxCrossEntropy(equal, Matrix.from([[1]]), equal.clone())).toBeCloseTo(Math.LN2, 15);
  }
});
