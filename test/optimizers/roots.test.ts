import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { axpby, Matrix, symmetricEigenvalues, symmetricFunction } from '../../lib/linalg/index.js';
import { eigenRoot, inverseRoot, newtonRoot, rootWorks, type RootOptions } from '../../lib/optimizers/roots.js';
import { build, combine, expectClose, expectThrows, maxAbsDiff, multiply, random, randomPositive, sumOver, transposed } from '../close.js';
import { matricesMadeBy } from './byHand.js';

const METHODS = ['eigen', 'newton'] as const;
const A = Matrix.from([
  [1195, -944, -224],
  [-944, 746, 177],
  [-224, 177, 42],
]);
const A_ROOT = Matrix.from([
  [1, 1, 1],
  [1, 2, -3],
  [1, -3, 18],
]);

/** @param note  what inverseRoot is to return */
function root(a: Matrix, options: Partial<RootOptions> = {}, note: unknown = null): Matrix {
  const [work] = rootWorks([a.rows], a.dtype, true);
  const out = Matrix.zeros(a.rows, a.cols, a.dtype);
  expect(inverseRoot(out, a, { exponent: 1 / 2, epsilon: 0, scale: 1, method: 'eigen', ...options }, work)).toEqual(note);
  return out;
}

/** Symmetric, with eigenvalues from 1 down to 1 / condition in geometric progression. */
function conditioned(n: number, condition: number): Matrix {
  const q = reflection(n);
  return build(n, n, (i, j) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += q.get(i, k) * q.get(j, k) * condition ** (-k / (n - 1));
    return sum;
  });
}
/** Reflection about a vector: orthogonal to the last bit or two, without an eigensolver. */
function reflection(n: number): Matrix {
  const v = random(n, 1, 'float64', 3);
  const square = sumOver(v.data, (x) => x * x);
  return build(n, n, (i, j) => (i === j ? 1 : 0) - (2 * v.data[i] * v.data[j]) / square);
}

describe('inverseRoot', () => {
  it.each(METHODS)('%s: [[1195, -944, -224], [-944, 746, 177], [-224, 177, 42]]^-1/2 is [[1, 1, 1], [1, 2, -3], [1, -3, 18]]', (method) => {
    expectClose(root(A, { method }), A_ROOT, method === 'eigen' ? 1e-10 : 1e-7);
  });

  it.each(METHODS.flatMap((method) => [1, 2, 3, 4, 5, 8].map((p) => ({ method, p }))))(
    '$method: the $p-th power of A^-1/$p, times A, is the identity',
    ({ method, p }) => {
      const a = randomPositive(6);
      let product = a;
      const x = root(a, { method, exponent: 1 / p });
      for (let k = 0; k < p; k++) product = multiply(product, x);
      expectClose(product, Matrix.identity(6), method === 'eigen' ? 1e-13 : 1e-6);
    },
  );

  it('makes the least eigenvalue epsilon where rounding left it far below zero, however large the others are', () => {
    // The Gram matrix of float32 columns: singular, with a least eigenvalue of about -1e-7 times the largest.
    const g = random(12, 3, 'float32').clone('float64');
    const gram = multiply(g, transposed(g)).clone('float32').clone('float64');
    const a = combine(1e12, gram, 0, gram);
    const least = symmetricEigenvalues(a)[0];
    expect(least).toBeLessThan(-1e4); // beside which 1e-12 is nothing
    const x = root(a, { exponent: 1 / 4, epsilon: 1e-12 });
    expect(symmetricEigenvalues(x).at(-1)! / 1e3).toBeCloseTo(1, 9); // (1e-12)^(-1/4)
  });

  it('takes real exponents by eigen-decomposition, also above 1', () => {
    const a = randomPositive(5);
    expectClose(
      root(a, { exponent: 0.37 }),
      symmetricFunction(a, (w) => w ** -0.37),
      1e-13,
    );
    expectClose(
      root(a, { exponent: 2 }),
      symmetricFunction(a, (w) => w ** -2),
      1e-12,
    );
  });

  it.each(METHODS)('%s: is the root of scale A + epsilon I', (method) => {
    const a = randomPositive(4);
    const shifted = combine(3, a, 0.7, Matrix.identity(4));
    expectClose(
      root(a, { method, exponent: 1 / 4, scale: 3, epsilon: 0.7 }),
      symmetricFunction(shifted, (w) => w ** (-1 / 4)),
      1e-7,
    );
  });

  it.each([1e4, 1e8, 1e12])('coupled Newton agrees with the eigen-decomposition at condition %s', (condition) => {
    const a = conditioned(6, condition);
    const exact = root(a, { exponent: 1 / 4 });
    // Relative to the largest entry, condition^(1/4); rounding of a alone moves the least eigenvalue by condition * 2^-52.
    expect(maxAbsDiff(root(a, { exponent: 1 / 4, method: 'newton' }), exact)).toBeLessThan(
      (1e-6 + condition * 1e-15) * condition ** (1 / 4),
    );
    let product = a;
    for (let k = 0; k < 4; k++) product = multiply(product, exact);
    expectClose(product, Matrix.identity(6), 1e-14 * condition);
  });

  it.each(METHODS)('%s: of a matrix of rank 2 is the root on its range and epsilon^-e off it', (method) => {
    const g = random(6, 2);
    const gram = multiply(g, transposed(g));
    const small = multiply(transposed(g), g); // the same nonzero eigenvalues
    const epsilon = 1e-6;
    const x = root(gram, { exponent: 1 / 4, epsilon, method });
    const onRange = multiply(
      g,
      symmetricFunction(small, (w) => (w + epsilon) ** (-1 / 4)),
    );
    expectClose(multiply(x, g), onRange, 1e-6);
    const trace = symmetricFunction(small, (w) => (w + epsilon) ** (-1 / 4))
      .toRows()
      .reduce((sum, row, i) => sum + row[i], 0);
    const traceOfX = x.toRows().reduce((sum, row, i) => sum + row[i], 0);
    expect(traceOfX).toBeCloseTo(trace + 4 * epsilon ** (-1 / 4), 3);
  });

  it('shifts all eigenvalues where one is negative, so that the least becomes epsilon, and none where all are positive', () => {
    expectClose(root(Matrix.diagonal([-3, 1, 5]), { exponent: 1, epsilon: 0.5 }), Matrix.diagonal([1 / 0.5, 1 / 4.5, 1 / 8.5]), 1e-15);
    expectClose(root(Matrix.diagonal([3, 1, 5]), { exponent: 1, epsilon: 0.5 }), Matrix.diagonal([1 / 3.5, 1 / 1.5, 1 / 5.5]), 1e-15);
  });

  it('of the zero matrix is epsilon^-e I', () => {
    for (const method of METHODS)
      expectClose(root(Matrix.zeros(3, 3), { exponent: 1 / 4, epsilon: 1e-12, method }), Matrix.diagonal([1e3, 1e3, 1e3]), 1e-6);
  });

  it('computes in float64 for a float32 matrix: correct to the last digits at condition 1e6', () => {
    const a = conditioned(6, 1e6).clone('float32');
    const exact = symmetricFunction(a.clone('float64'), (w) => w ** (-1 / 4));
    for (const method of METHODS) {
      const x = root(a, { exponent: 1 / 4, method });
      expect(x.dtype).toBe('float32');
      expectClose(x, exact, method === 'eigen' ? 2 ** -23 : 1e-6);
    }
  });

  it('is symmetric to the bit by eigen-decomposition', () => {
    const x = root(randomPositive(9), { exponent: 1 / 4 });
    expect(maxAbsDiff(x, transposed(x))).toBe(0);
  });

  it.each(METHODS)('%s: leaves A alone and makes no matrix', (method) => {
    const a = randomPositive(5, 'float32');
    const before = a.clone();
    const [work] = rootWorks([5], 'float32', true);
    const out = Matrix.zeros(5, 5, 'float32');
    const made = matricesMadeBy(() => inverseRoot(out, a, { exponent: 1 / 4, epsilon: 0, scale: 2, method }, work));
    expect(made).toBe(0);
    expect(maxAbsDiff(a, before)).toBe(0);
  });

  it('roots of several sizes share scratch memory without mixing', () => {
    const works = rootWorks([4, 0, 7, 1], 'float64', true);
    for (const [k, n] of [4, 0, 7, 1].entries())
      for (const method of METHODS) {
        const a = randomPositive(n);
        const out = Matrix.zeros(n, n);
        if (n > 0) inverseRoot(out, a, { exponent: 1 / 2, epsilon: 0, scale: 1, method }, works[k]);
        expectClose(multiply(multiply(out, out), a), Matrix.identity(n), 1e-6);
      }
  });

  it('falls back to the eigen-decomposition and says so where Newton does not converge', () => {
    const a = Matrix.diagonal([-1e-3, 1, 2]);
    const x = root(
      a,
      { exponent: 1 / 2, epsilon: 1e-6, method: 'newton' },
      expect.stringMatching(/coupled Newton did not converge \(max \|M - I\| was .* after \d+ iterations\); took the eigen/),
    );
    expectClose(x, root(a, { exponent: 1 / 2, epsilon: 1e-6 }), 0);
  });

  it('throws NumericalError NOT_FINITE on NaN and infinity, and SINGULAR on a singular matrix without epsilon', () => {
    for (const method of METHODS) {
      for (const bad of [NaN, Infinity])
        expectThrows(() => root(Matrix.diagonal([1, bad]), { method }), NumericalError, 'NOT_FINITE', /NaN or infinity/);
    }
    expectThrows(() => root(Matrix.diagonal([0, 1])), NumericalError, 'SINGULAR', /use an epsilon above 0/);
  });
});

describe('newtonRoot', () => {
  const options = { exponent: 1 / 4, epsilon: 0, scale: 1 };
  const run = (a: Matrix, tolerance?: number, most?: number) => {
    const [work] = rootWorks([a.rows], 'float64', true);
    const out = Matrix.zeros(a.rows, a.rows);
    return { out, ...newtonRoot(out, a, options, work, tolerance, most) };
  };

  it('converges quadratically: at tolerance 1e-12 it has all digits, one or two iterations later', () => {
    const a = randomPositive(6);
    const [loose, tight] = [run(a, 1e-6), run(a, 1e-12)];
    expect(tight.iterations - loose.iterations).toBeLessThanOrEqual(2);
    expectClose(
      tight.out,
      symmetricFunction(a, (w) => w ** (-1 / 4)),
      1e-12,
    );
  });

  it('stops at maxIterations and says that it did not converge, leaving out alone', () => {
    const { out, converged, iterations } = run(conditioned(6, 1e12), 1e-6, 3);
    expect([converged, iterations, maxAbsDiff(out, Matrix.zeros(6, 6))]).toEqual([false, 3, 0]);
  });

  it('throws NumericalError NOT_FINITE on NaN before it iterates', () => {
    expectThrows(() => run(Matrix.diagonal([1, NaN])), NumericalError, 'NOT_FINITE', /a factor holds NaN/);
  });

  it('converges although max |M - I| grows in the first iteration, as where one direction dominates all entries', () => {
    const a = combine(1, build(5, 5, () => 1), 0.01, Matrix.identity(5)); // prettier-ignore
    const { out, converged } = run(a);
    expect(converged).toBe(true);
    expectClose(
      out,
      symmetricFunction(a, (w) => w ** (-1 / 4)),
      1e-6,
    );
  });

  it('stops at once when the error grows', () => {
    const { converged, iterations } = run(Matrix.diagonal([1, -0.9]));
    expect(converged).toBe(false);
    expect(iterations).toBe(2);
  });
});

describe('eigenRoot', () => {
  it('agrees with symmetricFunction on a matrix with repeated eigenvalues', () => {
    const a = axpby(2, Matrix.identity(4), 0, Matrix.zeros(4, 4));
    const out = Matrix.zeros(4, 4);
    eigenRoot(out, a, { exponent: 1 / 2, epsilon: 0, scale: 1 }, rootWorks([4], 'float64', false)[0]);
    expectClose(out, Matrix.diagonal([1, 1, 1, 1].map(() => Math.SQRT1_2)), 1e-15);
  });
});
