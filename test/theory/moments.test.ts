import { describe, expect, it } from 'vitest';
import { ArgumentError, NumericalError, OptionsError } from '../../lib/errors.js';
import { hermiteCoefficients, teacherLink, teacherMoments, type Teacher } from '../../lib/theory/moments.js';
import { expectThrows } from '../close.js';

/** Closed forms at variance s^2: mean, E[t f(t)]/s^2 and E f^2. */
const ROWS: readonly (readonly [Teacher, (s: number) => readonly [number, number, number]])[] = [
  ['identity', (s) => [0, 1, s * s]],
  ['relu', (s) => [s / Math.sqrt(2 * Math.PI), 1 / 2, (s * s) / 2]],
  [{ name: 'leakyRelu', slope: -0.5 }, (s) => [(1.5 * s) / Math.sqrt(2 * Math.PI), 0.25, (1.25 * s * s) / 2]],
  ['sign', (s) => [0, Math.sqrt(2 / Math.PI) / s, 1]],
  ['erf', (s) => [0, 2 / Math.sqrt(Math.PI) / Math.sqrt(1 + 2 * s * s), (2 / Math.PI) * Math.asin((2 * s * s) / (1 + 2 * s * s))]],
  // f = 1 + 2 t + 3 t^2: E f^2 = 1 + 4 s^2 + 27 s^4 + 6 s^2.
  [{ name: 'polynomial', coefficients: [1, 2, 3] }, (s) => [1 + 3 * s * s, 2, 1 + 10 * s * s + 27 * s ** 4]],
  // h_3 = (t^3 - 3 t) / sqrt 6.
  [{ name: 'hermite', coefficients: [0, 0, 0, 1] }, (s) => [0, (3 * s * s - 3) / Math.sqrt(6), (15 * s ** 6 - 18 * s ** 4 + 9 * s * s) / 6]], // prettier-ignore
  [(t) => t ** 3, (s) => [0, 3 * s * s, 15 * s ** 6]],
  [(t) => (t > 0.7 ? 1 : 0), (s) => [tail(0.7 / s), Math.exp(-((0.7 / s) ** 2) / 2) / Math.sqrt(2 * Math.PI) / s, tail(0.7 / s)]], // prettier-ignore
];

/** P(z > x), by the series of Marsaglia 2004. */
function tail(x: number): number {
  if (x > 7) return 0; // below 1e-11
  let [sum, term] = [x, x];
  for (let k = 3; k < 300; k += 2) sum += term *= (x * x) / k;
  return 0.5 - (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

describe('teacherMoments', () => {
  it.each(ROWS)('of %j are the closed forms to 1e-10, at any variance', (teacher, closed) => {
    for (const s of [0.05, 0.6, 1, 2.5]) {
      const { mean, slope, second } = teacherMoments(teacher, s * s);
      [mean, slope, second].forEach((value, i) => {
        const expected = closed(s)[i];
        expect(Math.abs(value - expected), `number ${i} at s = ${s}`).toBeLessThan(1e-10 * Math.max(1, Math.abs(expected)));
      });
    }
  });

  it('of a narrow bump between nodes are those of the bump', () => {
    const { mean, second } = teacherMoments((t) => (t > 0.28 && t < 0.34 ? 1 : 0), 1);
    expect(mean).toBeCloseTo(tail(0.28) - tail(0.34), 10);
    expect(second).toBeCloseTo(mean, 12);
  });

  it('of tanh agree with a fine trapezoidal sum', () => {
    const [s, h] = [1.3, 1e-3];
    let [slope, second] = [0, 0];
    for (let z = -12; z <= 12; z += h) {
      const p = (h * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
      slope += (p * z * Math.tanh(s * z)) / s;
      second += p * Math.tanh(s * z) ** 2;
    }
    const found = teacherMoments('tanh', s * s);
    expect(found.slope).toBeCloseTo(slope, 11);
    expect(found.second).toBeCloseTo(second, 11);
    expect(teacherMoments({ name: 'tanh', gain: s }, 1).slope / s).toBeCloseTo(slope, 11);
  });

  it('throws for a variance that is none, a link that is none, and a function without moments', () => {
    for (const variance of [0, -1, NaN, Infinity])
      expectThrows(() => teacherMoments('tanh', variance), ArgumentError, 'ERR_ARGUMENT', /the variance must be positive/);
    expect(() => teacherMoments('tan' as 'tanh', 1)).toThrow(OptionsError);
    expect(() => teacherMoments((t) => Math.exp(t * t), 1)).toThrow(NumericalError);
  });
});

it('hermiteCoefficients expand the link: the sum of their squares is the second moment, a polynomial has its own', () => {
  const mu = hermiteCoefficients(teacherLink({ name: 'hermite', coefficients: [0.5, -1, 0, 2] }), 1, 6);
  [0.5, -1, 0, 2, 0, 0, 0].forEach((c, k) => expect(mu[k]).toBeCloseTo(c, 12));
  const tanh = hermiteCoefficients(teacherLink('tanh'), 0.8, 40);
  expect(tanh.reduce((sum, c) => sum + c * c, 0)).toBeCloseTo(teacherMoments('tanh', 0.64).second, 9);
});
