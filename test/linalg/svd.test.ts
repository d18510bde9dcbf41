import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, gemm, norm, qr, singularValues, svd, transpose } from '../../lib/linalg/index.js';
import {
  CASES,
  DTYPES,
  FIXED,
  expectClose,
  expectOrthonormal,
  expectThrows,
  multiply,
  random,
  scaleColumns,
  transposed,
  withEntry,
} from '../close.js';

const SHAPES = [
  [7, 4],
  [4, 7],
  [1, 1],
  [0, 3],
  [3, 0],
  [5, 1],
  [1, 5],
  [60, 40],
] as const;

describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
  it.each(SHAPES)("svd of %i x %i: orthonormal factors, descending values, U diag(s) V' is A", (m, n) => {
    const a = place(random(m, n, dtype));
    const before = a.clone();
    const { u, s, vt } = svd(a);
    const k = Math.min(m, n);
    const tolerance = 10 * (m + n) * epsilon;
    expect([u.rows, u.cols, s.length, vt.rows, vt.cols]).toEqual([m, k, k, k, n]);
    expectOrthonormal(u, tolerance);
    expectOrthonormal(transposed(vt), tolerance);
    expectClose(multiply(scaleColumns(u, s), vt), a.clone('float64'), tolerance);
    s.forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual(i + 1 < k ? s[i + 1] : 0);
    });
    expectClose(singularValues(a), s, tolerance);
    expect(a.data).toEqual(before.data);
  });

  it('svd finds the values a matrix was made from', () => {
    const s = [5, 3, 1e-3, 0, 0, 0];
    const [u, v] = [qr(random(9, 6)).q, qr(random(6, 6, 'float64', 2)).q];
    const a = place(multiply(scaleColumns(u, s), transposed(v)).clone(dtype));
    expectClose(svd(a).s, s, 20 * epsilon);
    expectClose(singularValues(a), s, 20 * epsilon);
  });

  it.each([NaN, Infinity, -Infinity])('svd and singularValues throw NumericalError NOT_FINITE when a holds %d', (value) => {
    const a = place(withEntry(random(3, 4, dtype), 2, 1, value));
    expectThrows(() => svd(a), NumericalError, 'NOT_FINITE', /^svd: the input holds NaN or infinity; look for a diverged run/);
    expectThrows(() => singularValues(a), NumericalError, 'NOT_FINITE', /^singularValues: the input holds NaN or infinity/);
  });
});

it.each(DTYPES)('singularValues: unchanged by transposition and rotation, their squares sum to |A|^2, in $dtype', ({ dtype, epsilon }) => {
  const size = fc.integer({ min: 0, max: 25 });
  fc.assert(
    fc.property(size, size, fc.nat(), (m, n, seed) => {
      const a = random(m, n, dtype, seed);
      const s = singularValues(a);
      expectClose(singularValues(transpose(a)), s, 100 * epsilon);
      expectClose(singularValues(gemm(qr(random(m, m, dtype, seed + 1)).q, a)), s, 100 * epsilon);
      expectClose([Math.hypot(...s)], [norm(a)], 100 * epsilon);
    }),
    FIXED,
  );
});

it('svd of entries near the largest float32 stays finite', () => {
  const s = singularValues(
    Matrix.from(
      [
        [3e38, 0],
        [0, 1e38],
      ],
      'float32',
    ),
  );
  expectClose([s[0] / 3e38, s[1] / 1e38], [1, 1], 1e-6);
});
