import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import {
  Matrix,
  addToDiagonal,
  fromEigen,
  symmetricEigen,
  symmetricEigenRange,
  symmetricEigenvalues,
  symmetricFunction,
  trace,
} from '../../lib/linalg/index.js';
import {
  CASES,
  DTYPES,
  FIXED,
  build,
  expectClose,
  expectOrthonormal,
  expectThrows,
  multiply,
  random,
  randomPositive,
  randomSymmetric,
  refuses,
  scaleColumns,
  transposed,
  withEntry,
} from '../close.js';

const ORDERS = [5, 2, 1, 33, 90] as const;

/** a with NaN above the diagonal, where no routine may look. */
const lowerOnly = (a: Matrix): Matrix => build(a.rows, a.rows, (i, j) => (j > i ? NaN : a.get(i, j))).clone(a.dtype);

/** Eigenvalues by Jacobi's rotations, ascending. */
function jacobi(symmetric: Matrix): number[] {
  const n = symmetric.rows;
  let a = symmetric.clone('float64');
  for (let sweep = 0; sweep < 12; sweep++)
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const angle = 0.5 * Math.atan2(2 * a.get(p, q), a.get(q, q) - a.get(p, p));
        const turn = Matrix.identity(n);
        turn.data[p * n + p] = turn.data[q * n + q] = Math.cos(angle);
        turn.data[p * n + q] = Math.sin(angle);
        turn.data[q * n + p] = -Math.sin(angle);
        a = multiply(transposed(turn), multiply(a, turn));
      }
  return Array.from({ length: n }, (_, i) => a.get(i, i)).sort((x, y) => x - y);
}

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(ORDERS)("symmetricEigen for n = %i: ascending values, orthonormal columns, V diag(w) V' is A", (n) => {
    const full = randomSymmetric(n, dtype);
    const a = place(lowerOnly(full));
    const before = a.clone();
    const { values, vectors } = symmetricEigen(a);
    const tolerance = 10 * (n + 1) * epsilon;
    expectOrthonormal(vectors, tolerance);
    expectClose(multiply(full, vectors), scaleColumns(vectors, values), tolerance);
    expectClose(
      values,
      [...values].sort((x, y) => x - y),
      0,
    );
    expectClose(symmetricEigenvalues(a), values, tolerance);
    expect(a.data).toEqual(before.data);
    const out = { values: values.slice().fill(0), vectors: place(Matrix.zeros(n, n, dtype)) };
    expect(symmetricEigen(a, out)).toBe(out);
    expectClose(out.vectors, vectors, 0);
    expectClose(out.values, values, 0);
    symmetricEigen(a, { values: out.values, vectors: a });
    expectClose(a, vectors, 0);
  });

  it('symmetricEigen agrees with Jacobi rotations in plain loops', () => {
    const a = place(randomSymmetric(7, dtype));
    expectClose(symmetricEigen(a).values, jacobi(a), 20 * epsilon);
  });

  it.each([
    [5, 1, 3],
    [5, 0, 4],
    [5, 4, 4],
    [1, 0, 0],
    [60, 50, 59],
    [60, 0, 9],
  ])('symmetricEigenRange of n = %i from %i to %i is that slice of symmetricEigen', (n, first, last) => {
    const full = randomSymmetric(n, dtype);
    const a = place(lowerOnly(full));
    const before = a.clone();
    const { values, vectors } = symmetricEigenRange(a, first, last);
    const tolerance = 20 * n * epsilon;
    expectClose(values, symmetricEigen(full).values.slice(first, last + 1), tolerance);
    expect([vectors.rows, vectors.cols]).toEqual([n, last - first + 1]);
    expectOrthonormal(vectors, tolerance);
    expectClose(multiply(full, vectors), scaleColumns(vectors, values), tolerance);
    expect(a.data).toEqual(before.data);
  });

  it('symmetricFunction applies f to the eigenvalues: squares, roots and inverses', () => {
    const a = place(randomPositive(9, dtype));
    expectClose(
      symmetricFunction(a, (w) => w * w),
      multiply(a, a),
      200 * epsilon,
    );
    const root = symmetricFunction(a, Math.sqrt);
    expectClose(multiply(root, root), a.clone('float64'), 200 * epsilon);
    expectClose(
      multiply(
        symmetricFunction(a, (w) => 1 / w),
        a,
      ),
      Matrix.identity(9),
      400 * epsilon,
    );
  });

  it('fromEigen multiplies out a part of the spectrum', () => {
    const v = place(random(4, 2, dtype));
    const before = v.clone();
    expectClose(fromEigen([2, -3], v), multiply(scaleColumns(v, [2, -3]), transposed(v)), 32 * epsilon);
    expectClose(v, before, 0);
  });

  it('fromEigen goes by blocks of rows, and rounds to another type in the end', () => {
    const v = place(random(300, 5, dtype));
    const values = [3, -1, 2, 0.5, 1];
    const whole = multiply(scaleColumns(v, values), transposed(v));
    expectClose(fromEigen(values, v), whole, 64 * epsilon);
    const other = dtype === 'float64' ? 'float32' : 'float64';
    const rounded = fromEigen(values, v, other);
    expect(rounded.dtype).toBe(other);
    expectClose(rounded, fromEigen(values, v).clone(other), 0);
  });

  it('size 0 gives empty results', () => {
    const empty = place(Matrix.zeros(0, 0, dtype));
    expect(symmetricEigen(empty).values).toHaveLength(0);
    expect(symmetricEigenvalues(empty)).toHaveLength(0);
    expect(symmetricFunction(empty, Math.sqrt)).toMatchObject({ rows: 0, cols: 0 });
  });

  it.each([NaN, Infinity])('every routine throws NumericalError NOT_FINITE when the lower triangle holds %d', (value) => {
    const a = place(withEntry(randomSymmetric(4, dtype), 2, 1, value));
    for (const [name, call] of [
      ['symmetricEigen', () => symmetricEigen(a)],
      ['symmetricEigenvalues', () => symmetricEigenvalues(a)],
      ['symmetricEigenRange', () => symmetricEigenRange(a, 0, 1)],
      ['symmetricEigen', () => symmetricFunction(a, Math.sqrt)],
    ] as const)
      expectThrows(call, NumericalError, 'NOT_FINITE', new RegExp(`^${name}: the input holds NaN or infinity`));
  });
});

it.each(DTYPES)('symmetricEigen: a shift moves values alone, and they sum to the trace, in $dtype', ({ dtype, epsilon }) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.nat(), (n, seed) => {
      const a = randomSymmetric(n, dtype, seed);
      const values = symmetricEigenvalues(a);
      expectClose([Array.from(values).reduce((sum, w) => sum + w, 0)], [trace(a)], 500 * epsilon);
      expectClose(
        symmetricEigenvalues(addToDiagonal(a, 3)),
        Array.from(values, (w) => w + 3),
        100 * epsilon,
      );
    }),
    FIXED,
  );
});

it.each(DTYPES)('symmetricEigen keeps orthonormal vectors where eigenvalues repeat in $dtype', ({ dtype, epsilon }) => {
  const a = addToDiagonal(Matrix.zeros(40, 40, dtype), 2);
  a.data[0] = 1;
  const { values, vectors } = symmetricEigen(a);
  expectOrthonormal(vectors, 20 * epsilon);
  expectClose(values, [1, ...Array.from({ length: 39 }, () => 2)], 4 * epsilon);
  expectOrthonormal(symmetricEigenRange(a, 10, 30).vectors, 40 * epsilon);
});

const [a, wide] = [randomSymmetric(3), random(2, 3)];
const values = new Float64Array(3);
refuses('symmetricEigen', [
  ['a is not square', () => symmetricEigen(wide), /symmetricEigen: a must be square, got 2 x 3/],
  ['vectors have another shape', () => symmetricEigen(a, { values, vectors: wide }), /symmetricEigen: out must be 3 x 3, got 2 x 3/],
  ['vectors differ in dtype', () => symmetricEigen(a, { values, vectors: a.clone('float32') }), /symmetricEigen: operands have different/],
  ['vectors overlap a', () => symmetricEigen(a, { values, vectors: Matrix.wrap(a.data, 3, 3) }), /symmetricEigen: out shares memory/],
]);
refuses('symmetricEigenvalues', [['a is not square', () => symmetricEigenvalues(wide), /symmetricEigenvalues: a must be square/]]);
refuses('fromEigen', [
  ['there are fewer values than vectors', () => fromEigen([1, 2], a), /fromEigen: values must hold 3 entries of float64/],
]);
refuses('symmetricEigenRange', [
  ['a is not square', () => symmetricEigenRange(wide, 0, 0), /symmetricEigenRange: a must be square/],
  ...(
    [
      [-1, 0],
      [2, 1],
      [0, 3],
      [0.5, 1],
      [0, NaN],
    ] as const
  ).map(
    ([first, last]) =>
      [
        `the range is ${first} to ${last} of 3`,
        () => symmetricEigenRange(a, first, last),
        new RegExp(`symmetricEigenRange: the range must satisfy 0 <= first <= last < 3, got ${first} to ${last}`),
      ] as const,
  ),
  ['a has no eigenvalues', () => symmetricEigenRange(Matrix.zeros(0, 0), 0, 0), /symmetricEigenRange: the range must satisfy/],
]);

refuses('symmetricEigen', [
  [
    'out.values has another length',
    () => symmetricEigen(a, { values: new Float64Array(2), vectors: Matrix.zeros(3, 3) }),
    /must hold 3 entries of float64/,
  ],
  [
    'out.values has another dtype',
    () => symmetricEigen(a, { values: new Float32Array(3), vectors: Matrix.zeros(3, 3) }),
    /must hold 3 entries of float64/,
  ],
]);
