import { describe, expect, it } from 'vitest';
import { Matrix } from '../../lib/linalg/index.js';
import { activationSchema, hermiteToPowers } from '../../lib/links/index.js';
import { expectClose } from '../close.js';
import { ACTIVATIONS, activation, dense, expectNear, nameOf, networkOf } from './cases.js';

/** The normal distribution function, by Simpson's rule. */
function normal(x: number): number {
  const steps = 2000;
  const h = x / steps;
  const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 0 ? 2 : 4) * density(i * h);
  return 0.5 + (sum * h) / 3;
}

const FORMULAS: readonly ((x: number) => number)[] = [
  (x) => x,
  (x) => Math.max(x, 0),
  (x) => (x > 0 ? x : 0.01 * x),
  Math.tanh,
  (x) => 1 / (1 + Math.exp(-x)),
  (x) => x * normal(x),
  (x) => (x > 0 ? x : -0.4 * x),
  (x) => 0.3 - 0.7 * x + 0.2 * x ** 2 + 0.1 * x ** 3,
  (x) => 0.2 + x - (0.5 * (x ** 2 - 1)) / Math.sqrt(2) + (0.3 * (x ** 3 - 3 * x)) / Math.sqrt(6),
];

describe('activations', () => {
  it.each(ACTIVATIONS.map((a, i) => ({ a, formula: FORMULAS[i], name: nameOf(a) })))('$name is its formula', ({ a, formula }) => {
    const network = networkOf({ inputs: 1, layers: [dense(1, false), activation(a)] });
    network.params[0].value.data[0] = 1;
    const x = Matrix.from(Array.from({ length: 41 }, (_, i) => [i / 8 - 2.5]));
    const expected = x.data.map(formula);
    expectClose(network.forward(x).data, expected, 1e-12);
    expectClose(network.predict(x).data, expected, 1e-12);
  });

  it.each([
    ['an empty polynomial', { name: 'polynomial', coefficients: [] }],
    ['a coefficient that is no number', { name: 'hermite', coefficients: [NaN] }],
    ['an infinite slope', { name: 'leakyRelu', slope: Infinity }],
    ['numbers it does not take', { name: 'leakyRelu', slope: 0.1, coefficients: [1] }],
    ['a name that takes none', { name: 'tanh', slope: 1 }],
    ['a gain, which links have', { name: 'tanh', gain: 2 }],
    ['a step, which has no gradient', 'sign'],
  ])('refuse %s', (_what, value) => {
    expect(activationSchema.safeParse(value).success).toBe(false);
  });
});

describe('hermiteToPowers', () => {
  it.each([
    [0, [1], 1],
    [1, [0, 1], 1],
    [2, [-1, 0, 1], 2],
    [3, [0, -3, 0, 1], 6],
    [4, [3, 0, -6, 0, 1], 24],
    [5, [0, 15, 0, -10, 0, 1], 120],
    [6, [-15, 0, 45, 0, -15, 0, 1], 720],
  ])('gives He_%i / sqrt(k!)', (k, powers, factorial) => {
    const unit = Array.from({ length: k + 1 }, (_, i) => (i === k ? 1 : 0));
    expectNear(
      hermiteToPowers(unit),
      powers.map((c) => c / Math.sqrt(factorial)),
      1e-15,
    );
  });

  it('gives polynomials that are orthonormal under the standard normal', () => {
    const size = 9;
    const moment = (n: number): number => (n % 2 === 1 ? 0 : Array.from({ length: n / 2 }, (_, i) => 2 * i + 1).reduce((a, b) => a * b, 1));
    const units = Array.from({ length: size }, (_, k) => hermiteToPowers(Array.from({ length: size }, (_, i) => (i === k ? 1 : 0))));
    for (let k = 0; k < size; k++)
      for (let l = 0; l < size; l++) {
        let product = 0;
        units[k].forEach((a, i) => units[l].forEach((b, j) => (product += a * b * moment(i + j))));
        expect(product).toBeCloseTo(k === l ? 1 : 0, 9);
      }
  });

  it('is linear in the coefficients', () => {
    const [a, b] = [
      [1, -2, 0.5, 3],
      [0.3, 0, 2, -1],
    ];
    const sum = hermiteToPowers(a.map((x, i) => 2 * x + b[i]));
    expectNear(
      sum,
      hermiteToPowers(a).map((x, i) => 2 * x + hermiteToPowers(b)[i]),
      1e-14,
    );
  });
});
