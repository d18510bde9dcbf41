import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Matrix, layerNormBackward, layerNormForward } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses, sumOver, withEntry } from '../close.js';

const SHAPES = [
  [6, 3],
  [1, 1],
  [0, 2],
  [4, 1],
  [1, 8],
  [17, 33],
] as const;
const epsilonLn = 1e-3;

const rowOf = (x: Matrix, i: number): number[] => x.toRows()[i];
const mean = (row: readonly number[]): number => sumOver(row, (x) => x) / row.length;

/** z and the inverse deviations, by plain loops. */
function normalise(x: Matrix): { normalised: Matrix; inverse: Matrix } {
  const inverse = build(1, x.rows, (_, i) => {
    const row = rowOf(x, i);
    return 1 / Math.sqrt(sumOver(row, (v) => (v - mean(row)) ** 2) / row.length + epsilonLn);
  });
  return { normalised: build(x.rows, x.cols, (i, j) => (x.get(i, j) - mean(rowOf(x, i))) * inverse.data[i]), inverse };
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  const zeros = (m: number, n: number): Matrix => place(Matrix.zeros(m, n, dtype));

  it.each(SHAPES)('layerNormForward writes normalised rows and inverse deviations of %i x %i as plain loops do', (n, d) => {
    const x = place(random(n, d, dtype));
    const [normalised, inverse] = [zeros(n, d), zeros(1, n)];
    const expected = normalise(x);
    expect(layerNormForward(x, epsilonLn, normalised, inverse)).toBe(normalised);
    expectClose(inverse, expected.inverse, 20 * epsilon);
    expectClose(normalised, expected.normalised, 20 * epsilon);
  });

  it.each(SHAPES)('layerNormBackward turns dy into the Jacobian product for %i x %i', (n, d) => {
    const reference = normalise(random(n, d));
    const [normalised, inverse] = [place(reference.normalised.clone(dtype)), place(reference.inverse.clone(dtype))];
    const gamma = place(build(1, d, (_, j) => 1 + 0.1 * j).clone(dtype));
    const dy = place(random(n, d, dtype, 2));
    const grads = zeros(2, d);
    const before = dy.clone();
    expect(layerNormBackward(normalised, inverse, gamma, dy, grads)).toBe(dy);
    expectClose(
      grads,
      build(2, d, (i, j) => sumOver(inverse.data, (_, k) => before.get(k, j) * (i === 0 ? normalised.get(k, j) : 1))),
      50 * epsilon,
    );
    // dx = (I - (1 1' + z z') / d) (gamma o dy) / deviation, row by row.
    const expected = build(n, d, (i, j) => {
      const [g, z] = [rowOf(before, i).map((v, k) => v * gamma.data[k]), rowOf(normalised, i)];
      return inverse.data[i] * (g[j] - mean(g) - z[j] * mean(g.map((v, k) => v * z[k])));
    });
    expectClose(dy, expected, 50 * epsilon);
  });

  it('a NaN stays in its row', () => {
    const x = place(withEntry(random(4, 3, dtype), 2, 1, NaN));
    const inverse = zeros(1, 4);
    const normalised = layerNormForward(x, epsilonLn, zeros(4, 3), inverse);
    const dy = layerNormBackward(normalised, inverse, place(random(1, 3, dtype)), place(random(4, 3, dtype, 2)), zeros(2, 3));
    for (const m of [normalised, dy]) for (let i = 0; i < 4; i++) expect(rowOf(m, i).every(Number.isNaN)).toBe(i === 2);
  });

  it('layerNormForward keeps the variance of rows with a large mean', () => {
    const offset = dtype === 'float64' ? 1e8 : 1e4;
    const x = place(build(1, 4, (_, j) => offset + j).clone(dtype));
    const inverse = zeros(1, 1);
    layerNormForward(x, 0, zeros(1, 4), inverse);
    expectClose(inverse, [1 / Math.sqrt(1.25)], 1e-6);
  });
});

it('layerNormBackward is the derivative of layerNormForward, by differences', () => {
  const size = fc.integer({ min: 1, max: 6 });
  fc.assert(
    fc.property(size, size, fc.nat(), (n, d, seed) => {
      const [x, weight, gamma] = [random(n, d, 'float64', seed), random(n, d, 'float64', seed + 1), random(1, d, 'float64', seed + 2)];
      const inverse = Matrix.zeros(1, n);
      const loss = (at: Matrix): number => {
        const z = layerNormForward(at, epsilonLn, Matrix.zeros(n, d), inverse);
        return sumOver(z.data, (value, k) => value * gamma.data[k % d] * weight.data[k]);
      };
      const differences = build(n, d, (i, j) => {
        const shifted = (by: number): number => loss(withEntry(x, i, j, x.get(i, j) + by));
        return (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
      });
      const normalised = layerNormForward(x, epsilonLn, Matrix.zeros(n, d), inverse);
      expectClose(layerNormBackward(normalised, inverse, gamma, weight.clone(), Matrix.zeros(2, d)), differences, 1e-5);
    }),
    FIXED,
  );
});

it.each(DTYPES)('layerNormForward ignores a shift of its rows in $dtype', ({ dtype, epsilon }) => {
  const x = random(9, 14, dtype);
  const run = (m: Matrix): Matrix => layerNormForward(m, epsilonLn, Matrix.zeros(9, 14, dtype), Matrix.zeros(1, 9, dtype));
  expectClose(run(build(9, 14, (i, j) => x.get(i, j) + 2).clone(dtype)), run(x), 50 * epsilon);
});

const [x, z, inverse, gamma, grads] = [random(3, 2), Matrix.zeros(3, 2), Matrix.zeros(1, 3), Matrix.zeros(1, 2), Matrix.zeros(2, 2)];
const single = (m: Matrix): Matrix => m.clone('float32');
refuses('layerNormForward', [
  ['sizes differ', () => layerNormForward(x, 0, grads, inverse), /layerNormForward: shapes differ, 3 x 2 and 2 x 2/],
  ['normalised has another dtype', () => layerNormForward(x, 0, single(z), inverse), /layerNormForward: operands have different dtypes/],
  ['there are too few deviations', () => layerNormForward(x, 0, z, gamma), /inverseDeviations must be 1 x 3, got 1 x 2/],
  ['deviations have another dtype', () => layerNormForward(x, 0, z, single(inverse)), /operands have different dtypes/],
]);
refuses('layerNormBackward', [
  ['sizes differ', () => layerNormBackward(z, inverse, gamma, grads.clone(), grads), /shapes differ, 3 x 2 and 2 x 2/],
  ['there are too few deviations', () => layerNormBackward(z, gamma, gamma, x, grads), /inverseDeviations must be 1 x 3, got 1 x 2/],
  ['gamma is long', () => layerNormBackward(z, inverse, inverse, x, grads), /gamma must be 1 x 2, got 1 x 3/],
  ['grads have another shape', () => layerNormBackward(z, inverse, gamma, x, gamma), /grads must be 2 x 2, got 1 x 2/],
  ['deviations have another dtype', () => layerNormBackward(z, single(inverse), gamma, x, grads), /different dtypes/],
  ['gamma has another dtype', () => layerNormBackward(z, inverse, single(gamma), x, grads), /different dtypes/],
  ['grads have another dtype', () => layerNormBackward(z, inverse, gamma, x, single(grads)), /different dtypes/],
]);

const none = Matrix.zeros(3, 0);
it.each([
  ['layerNormForward throws RangeError when normalised is x', () => layerNormForward(x, 0, x, inverse), /share memory/],
  ['layerNormForward throws RangeError when rows are empty', () => layerNormForward(none, 0, none.clone(), inverse), /at least one entry/],
  [
    'layerNormBackward throws RangeError when rows are empty',
    () => layerNormBackward(none, inverse, Matrix.zeros(1, 0), none.clone(), Matrix.zeros(2, 0)),
    /at least one entry/,
  ],
  ['layerNormBackward throws RangeError when dy is normalised', () => layerNormBackward(z, inverse, gamma, z, grads), /share memory/],
])('%s', (_title, call, message) => {
  expectThrows(call, RangeError, 'ERR_NATIVE_ARGUMENT', message);
});
