import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { Matrix, symmetricEigen } from '../../lib/linalg/index.js';
import { applyInverse, clippedEigen, invert, makeInverse, type Inverse } from '../../lib/optimizers/inverse.js';
import {
  build,
  DTYPES,
  expectClose,
  expectThrows,
  maxAbsDiff,
  multiply,
  random,
  randomPositive,
  scaleColumns,
  transposed,
} from '../close.js';
import { kron, plusDiagonal, power, solveFor } from './kroneckerByHand.js';

const CHOLESKY = 0;
const EXPLICIT = 1;

/** An orthonormal basis, and a symmetric matrix with these eigenvalues in it. */
const basis = (n: number): Matrix => symmetricEigen(randomPositive(n, 'float64', 11)).vectors;
const withEigenvalues = (values: readonly number[], dtype: 'float64' | 'float32' = 'float64'): Matrix => {
  const q = basis(values.length);
  const a = multiply(scaleColumns(q, values), transposed(q));
  return build(a.rows, a.cols, (i, j) => (i < j ? a.get(i, j) : a.get(j, i))).clone(dtype);
};

function inverted(factor: Matrix, damping: number, exponent = 1, held: Inverse = makeInverse(factor, factor.rows)) {
  const notes: string[] = [];
  const before = factor.clone();
  invert(held, factor, damping, exponent, (message) => notes.push(message));
  expect(maxAbsDiff(factor, before), 'the factor stays').toBe(0);
  return { held, notes };
}

/** (F + damping I)^-e as applied to the identity from the left, and x from both sides by dense solves. */
function expectInverse(held: Inverse, powered: Matrix, tolerance: number): void {
  const { dtype } = held.matrix;
  const n = powered.rows;
  for (const other of [1, 3, n + 2]) {
    const [x, y] = [random(n, other, dtype), random(other, n, dtype)];
    const left = solveFor(kron(powered, Matrix.identity(other)), x.clone('float64'));
    const right = solveFor(kron(Matrix.identity(other), powered), y.clone('float64'));
    const of = (m: Matrix): Matrix => Matrix.zeros(m.rows, m.cols, dtype);
    expectClose(applyInverse(held, x, 'left', of(x)), left.clone(dtype), tolerance);
    expectClose(applyInverse(held, y, 'right', of(y)), right.clone(dtype), tolerance);
  }
}

describe.each(DTYPES)('an inverse in $dtype', ({ dtype, epsilon }) => {
  it.each([1, 2, 5, 8])('of a %i x %i factor is the dense inverse with damping, by Cholesky, from both sides', (n) => {
    const factor = randomPositive(n, dtype);
    const { held, notes } = inverted(factor, 0.3);
    expect([held.form, held.damping, held.clipped, held.fallbacks, notes]).toEqual([CHOLESKY, 0.3, 0, 0, []]);
    expectInverse(held, plusDiagonal(factor, 0.3), 200 * epsilon);
  });

  it.each([0.3, 0.5, 0.9])('to the power %f is the dense power with damping, formed, from both sides', (exponent) => {
    const factor = randomPositive(6, dtype);
    const { held, notes } = inverted(factor, 0.3, exponent);
    expect([held.form, held.damping, held.clipped, held.fallbacks, notes]).toEqual([EXPLICIT, 0.3, 0, 0, []]);
    expectInverse(held, power(plusDiagonal(factor.clone('float64'), 0.3), exponent), 200 * epsilon);
  });

  it('goes from one form to the other and back as its factor asks for it', () => {
    const held = makeInverse(Matrix.zeros(0, 0, dtype), 5);
    for (const damping of [0.3, 0, 0.2]) {
      const factor = damping === 0 ? withEigenvalues([-1, 1, 2, 3, 4], dtype) : randomPositive(5, dtype);
      inverted(factor, damping === 0 ? 0.01 : damping, 1, held);
      expect(held.form).toBe(damping === 0 ? EXPLICIT : CHOLESKY);
      if (damping > 0) expectInverse(held, plusDiagonal(factor, damping), 200 * epsilon);
    }
    expect([held.damping, held.clipped, held.fallbacks]).toEqual([0.2, 0, 1]);
  });
});

describe('where the factorisation fails', () => {
  it('with damping and not with ten times that, it is done with ten times that, and noted', () => {
    const factor = withEigenvalues([-2e-3, 1, 2, 3]);
    const { held, notes } = inverted(factor, 1e-3);
    expect(notes).toEqual(['factorisation failed with damping 0.001, done with 0.01']);
    expect([held.form, held.damping, held.clipped, held.fallbacks]).toEqual([CHOLESKY, 0.01, 0, 1]);
    expectInverse(held, plusDiagonal(factor, 0.01), 1e-11);
  });

  it('with both, it is done by eigen-decomposition with the eigenvalues clipped at n eps times the largest, and noted', () => {
    const factor = withEigenvalues([-1, -0.5, 2, 3, 4]);
    const { held, notes } = inverted(factor, 1e-3);
    expect(notes).toEqual(['factorisation failed with damping 0.001 and ten times that: eigen-decomposition, 2 eigenvalues clipped']);
    expect([held.form, held.damping, held.clipped, held.fallbacks]).toEqual([EXPLICIT, 1e-3, 2, 1]);
    const floor = 5 * 2 ** -52 * 4;
    expectInverse(held, withEigenvalues([floor + 1e-3, floor + 1e-3, 2.001, 3.001, 4.001]), 1e-11);
  });

  it('without damping there is nothing to take ten times of', () => {
    const { held, notes } = inverted(withEigenvalues([-1, 1, 2]), 0);
    expect(notes).toEqual(['factorisation failed without damping: eigen-decomposition, 1 eigenvalues clipped']);
    expect([held.form, held.damping, held.clipped, held.fallbacks]).toEqual([EXPLICIT, 0, 1, 1]);
  });

  it('at a pivot of the size of rounding it counts as failed: a singular factor without damping never passes', () => {
    for (const { dtype } of DTYPES)
      for (let seed = 1; seed <= 20; seed++) {
        const rows = random(3, 7, dtype, seed);
        const { held } = inverted(multiply(transposed(rows), rows).clone(dtype), 0);
        expect([held.form, held.clipped]).toEqual([EXPLICIT, 4]);
      }
  });

  it.each(DTYPES)('at a pivot that rounding alone keeps above 0 it counts as failed too, in $dtype', ({ dtype, epsilon }) => {
    const { held, notes } = inverted(Matrix.from([[1, 1], [1, 1 + epsilon]], dtype), 0); // prettier-ignore
    expect(notes).toEqual(['factorisation failed without damping: eigen-decomposition, 1 eigenvalues clipped']);
    expect(held.form).toBe(EXPLICIT);
    expect(inverted(Matrix.from([[1, 1], [1, 1 + 8 * epsilon]], dtype), 0).notes).toEqual([]); // prettier-ignore
  });

  it('every renewal that fails counts once', () => {
    const held = makeInverse(Matrix.zeros(0, 0), 3);
    for (let k = 1; k <= 3; k++) {
      inverted(withEigenvalues([-1, 1, 2]), 0.01, 1, held);
      expect(held.fallbacks).toBe(k);
    }
  });

  it('a power has eigenvalues clipped in any case, and notes it where there is no damping beside them', () => {
    const singular = withEigenvalues([0, 0, 1, 2]);
    expect(inverted(singular, 0, 0.5).notes).toEqual(['undamped and singular, 2 eigenvalues clipped']);
    const { held, notes } = inverted(singular, 0.1, 0.5);
    expect(notes).toEqual([]);
    expect(held.clipped).toBe(2);
    expectInverse(held, withEigenvalues([0.1, 0.1, 1.1, 2.1].map(Math.sqrt)), 1e-12);
  });
});

describe('invert throws NumericalError', () => {
  it.each([1, 0.5])('SINGULAR for a zero factor without damping, and advises damping (exponent %f)', (exponent) => {
    for (const { dtype } of DTYPES)
      expectThrows(
        () => inverted(Matrix.zeros(3, 3, dtype), 0, exponent),
        NumericalError,
        'SINGULAR',
        /^a factor is zero \(no signal has reached this layer\) and undamped; use damping above 0$/,
      );
  });

  it('SINGULAR for a factor so small that its inverse leaves the range of float32', () => {
    const tiny = Matrix.diagonal([1e-42, 1e-41], 'float32');
    expectThrows(() => inverted(tiny, 0, 0.99), NumericalError, 'SINGULAR', /use damping above 0/);
  });

  it.each([NaN, Infinity, -Infinity])('NOT_FINITE for a factor with %f in it, whatever the damping and exponent', (value) => {
    for (const exponent of [1, 0.5])
      for (const damping of [0, 0.1])
        for (const at of [0, 4, 7]) {
          const factor = randomPositive(3);
          factor.data[at] = value;
          if (at === 7) factor.data[5] = value;
          const before = makeInverse(factor, 3);
          expectThrows(() => { invert(before, factor, damping, exponent, () => undefined); }, NumericalError, 'NOT_FINITE', /holds NaN or infinity/); // prettier-ignore
        }
  });

  it('nothing for a zero factor with damping: a multiple of the identity', () => {
    expectInverse(inverted(Matrix.zeros(3, 3), 0.5).held, plusDiagonal(Matrix.zeros(3, 3), 0.5), 1e-15);
    expectInverse(inverted(Matrix.zeros(3, 3), 0.25, 0.5).held, plusDiagonal(Matrix.zeros(3, 3), 0.5), 1e-15);
  });
});

describe('clippedEigen', () => {
  it('raises eigenvalues to n eps times the largest, counts them and leaves the others', () => {
    const into = { values: new Float64Array(4), vectors: Matrix.zeros(4, 4) };
    expect(clippedEigen(withEigenvalues([-1, 1e-20, 1, 8]), into)).toBe(2);
    const floor = 4 * 2 ** -52 * into.values[3];
    expect([into.values[0], into.values[1]]).toEqual([floor, floor]);
    expectClose(into.values.subarray(2), [1, 8], 1e-14);
    expect(clippedEigen(withEigenvalues([1e-10, 1, 1, 8]), into)).toBe(0);
    expect(into.values[0]).toBeCloseTo(1e-10, 14);
  });

  it('of a negative matrix is zero throughout', () => {
    const into = { values: new Float64Array(2), vectors: Matrix.zeros(2, 2) };
    expect(clippedEigen(withEigenvalues([-2, -1]), into)).toBe(2);
    expect(Array.from(into.values)).toEqual([0, 0]);
  });
});
