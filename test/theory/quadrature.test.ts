import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../lib/errors.js';
import { gaussianExpectation, gaussLegendre, integrate } from '../../lib/theory/quadrature.js';
import { expectThrows } from '../close.js';

const of =
  (f: (x: number) => number) =>
  (points: Float64Array, values: Float64Array): void => {
    for (let i = 0; i < points.length; i++) values[i] = f(points[i]);
  };

describe('gaussLegendre', () => {
  it.each([1, 2, 5, 16])('integrates polynomials of degree below 2n exactly, n = %i', (n) => {
    const { nodes, weights } = gaussLegendre(n);
    for (let k = 0; k < 2 * n; k++) {
      const sum = nodes.reduce((total, x, i) => total + weights[i] * x ** k, 0);
      expect(sum).toBeCloseTo(k % 2 === 0 ? 2 / (k + 1) : 0, 13);
    }
  });
});

describe('integrate', () => {
  it.each([
    ['a smooth function', (x: number) => Math.exp(x), [0, 1], Math.E - 1],
    ['a root at the end', Math.sqrt, [0, 1], 2 / 3],
    ['an integrable pole at the end', (x: number) => x ** -0.5, [0, 1], 2],
    ['a narrow peak', (x: number) => 1e-4 / (x * x + 1e-8), [-1, 1], 2 * Math.atan(1e4)],
    ['a jump that it is not told of', (x: number) => (x > 1 / Math.PI ? 1 : 0), [0, 1], 1 - 1 / Math.PI],
    ['many waves', (x: number) => Math.cos(500 * x), [0, 1], Math.sin(500) / 500],
    ['zero', () => 0, [0, 1], 0],
  ])('%s: to twelve digits, and within the error it tells', (_name, f, breaks, exact) => {
    const { value, error } = integrate(of(f), breaks);
    expect(Math.abs(value - exact)).toBeLessThan(1e-11 * Math.max(1e-3, Math.abs(exact)));
    expect(error).toBeLessThan(1e-11);
  });

  it('throws NumericalError for what has no integral, and never loops without end', () => {
    const attempt = (f: (x: number) => number) => (): unknown => integrate(of(f), [0, 1]);
    expect(attempt((x) => 1 / x)).toThrow(NumericalError);
    expect(attempt((x) => Math.sin(1 / x) / x)).toThrow(NumericalError);
    const waves = attempt((x) => Math.sin(1e9 * x) ** 3);
    expectThrows(waves, NumericalError, 'NOT_CONVERGED', /still off by about .* after 20000 panels/);
    const broken = attempt((x) => (x > 0.3 ? NaN : 1));
    expectThrows(broken, NumericalError, 'NOT_FINITE', /not finite between 0 and 1/);
  });
});

describe('gaussianExpectation', () => {
  it('has the moments of the normal: 1, 0, 1, 0, 3, 0, 15 ... up to the twentieth', () => {
    for (let k = 0, odd = 1; k <= 20; k += 2, odd *= k - 1) {
      expect(gaussianExpectation(of((z) => z ** k)).value / odd).toBeCloseTo(1, 11);
      expect(Math.abs(gaussianExpectation(of((z) => z ** (k + 1))).value) / (odd * (k + 1))).toBeLessThan(1e-12);
    }
    expect(gaussianExpectation(of((z) => Math.exp(z))).value).toBeCloseTo(Math.exp(0.5), 12);
  });

  it('throws NumericalError for a function whose mean does not exist', () => {
    const attempt = (f: (z: number) => number) => (): unknown => gaussianExpectation(of(f));
    expectThrows(
      attempt((z) => Math.exp(0.495 * Math.min(z * z, 1400))),
      NumericalError,
      'NOT_CONVERGED',
      /may not exist/,
    );
    expect(attempt((z) => Math.exp(z * z))).toThrow(NumericalError);
  });
});
