import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ActivationName, Matrix, activate } from '../../lib/linalg/index.js';
import { CASES, DTYPES, FIXED, build, expectClose, expectThrows, random, refuses } from '../close.js';

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** The normal distribution function, by the series of Marsaglia 2004: 1/2 + density(x) (x + x^3/3 + x^5/(3 5) + ...). */
function distribution(x: number): number {
  if (Math.abs(x) > 7) return x > 0 ? 1 : 0;
  let [sum, term] = [x, x];
  for (let k = 3; k < 300; k += 2) sum += term *= (x * x) / k;
  return 0.5 + sum * density(x);
}

const coefficients = [0.5, -1, 0.25, 0.125];
const power = (x: number, k: number): number => (k === 0 ? 1 : x ** k);

interface Row {
  readonly name: ActivationName;
  readonly parameters?: Float64Array;
  readonly rises: boolean;
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
}

const ACTIVATIONS: readonly Row[] = [
  { name: 'relu', rises: true, value: (x) => Math.max(x, 0), slope: (x) => (x > 0 ? 1 : 0) },
  {
    name: 'leakyRelu',
    parameters: Float64Array.of(0.125),
    rises: true,
    value: (x) => (x > 0 ? x : x / 8),
    slope: (x) => (x > 0 ? 1 : 1 / 8),
  },
  { name: 'tanh', rises: true, value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  { name: 'sigmoid', rises: true, value: (x) => 1 / (1 + Math.exp(-x)), slope: (x) => 1 / (2 + Math.exp(x) + Math.exp(-x)) },
  {
    name: 'gelu',
    rises: false,
    value: (x) => (x === -Infinity ? 0 : x * distribution(x)),
    slope: (x) => distribution(x) + (Math.abs(x) === Infinity ? 0 : x * density(x)),
  },
  {
    name: 'erf',
    rises: true,
    value: (x) => 2 * distribution(x * Math.SQRT2) - 1,
    slope: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  },
  { name: 'sign', rises: true, value: Math.sign, slope: () => 0 },
  {
    name: 'polynomial',
    parameters: Float64Array.from(coefficients),
    rises: false,
    value: (x) => coefficients[0] + x * (coefficients[1] + x * (coefficients[2] + x * coefficients[3])),
    slope: (x) => coefficients[1] + x * (2 * coefficients[2] + x * 3 * coefficients[3]),
  },
];

describe.each(ACTIVATIONS)('activate $name', ({ name, parameters, rises, value, slope }) => {
  describe.each(CASES)('in $dtype on $layout', ({ dtype, epsilon, place }) => {
    it.each([
      [3, 5],
      [1, 1],
      [0, 4],
      [33, 9],
      [40, 30],
    ])('equals the plain function and its derivative on %i x %i', (m, n) => {
      const x = place(random(m, n, dtype));
      const [out, derivative] = [place(Matrix.zeros(m, n, dtype)), place(Matrix.zeros(m, n, dtype))];
      expect(activate(name, x, out, derivative, parameters)).toBe(out);
      expectClose(
        out,
        build(m, n, (i, j) => value(x.get(i, j))),
        4 * epsilon,
      );
      expectClose(
        derivative,
        build(m, n, (i, j) => slope(x.get(i, j))),
        8 * epsilon,
      );
    });

    it('has its limits at zero and infinity, and returns NaN for NaN', () => {
      const x = place(Matrix.from([[0, -0, Infinity, -Infinity, NaN]], dtype));
      const derivative = place(x.clone());
      const out = activate(name, x, place(x.clone()), derivative, parameters);
      expectClose(out, [...Array.from(x.data.subarray(0, 4), (v) => value(v) + 0), NaN], 0);
      expectClose(derivative.data.subarray(0, 4), Array.from(x.data.subarray(0, 4), slope), epsilon);
    });

    it('overflows for no argument whose value and derivative are finite', () => {
      const x = place(Matrix.from([[-1000, 1000, -100, 100, -30, 30]], dtype));
      const derivative = place(x.clone());
      const out = activate(name, x, place(x.clone()), derivative, parameters);
      expectClose(out, Array.from(x.data, value), 4 * epsilon);
      expectClose(derivative, Array.from(x.data, slope), 4 * epsilon);
    });
  });

  it.each(DTYPES)('has the derivative that is its slope, in $dtype', ({ dtype }) => {
    const number = fc.double({ min: -4, max: 4, noNaN: true });
    fc.assert(
      fc.property(number, fc.double({ min: 0.01, max: 1, noNaN: true }), (x, more) => {
        const points = Matrix.from([[x, x + more, x - 1e-4, x + 1e-4]]);
        const [out, derivative] = [points.clone(dtype), points.clone(dtype)];
        activate(name, points.clone(dtype), out, derivative, parameters);
        if (rises) expect(out.get(0, 1)).toBeGreaterThanOrEqual(out.get(0, 0));
        if (dtype === 'float64' && Math.abs(x) > 1e-3) expectClose([(out.get(0, 3) - out.get(0, 2)) / 2e-4], [derivative.get(0, 0)], 1e-7);
      }),
      FIXED,
    );
  });
});

describe.each(DTYPES)('in $dtype', ({ dtype, epsilon }) => {
  const at = (x: number, name: ActivationName, parameters?: Float64Array): [value: number, slope: number] => {
    const [out, derivative] = [Matrix.zeros(1, 1, dtype), Matrix.zeros(1, 1, dtype)];
    activate(name, Matrix.from([[x]], dtype), out, derivative, parameters);
    return [out.data[0], derivative.data[0]];
  };

  it.each([1, 2, 3, 6, 9])('activate polynomial with %i coefficients sums the powers', (count) => {
    const c = Float64Array.from({ length: count }, (_, k) => 1 / (1 + k) - 0.3);
    for (const x of [-1.5, -0.5, 0, 0.25, 2]) {
      const value = c.reduce((sum, ck, k) => sum + ck * power(x, k), 0);
      const slope = c.reduce((sum, ck, k) => sum + (k === 0 ? 0 : k * ck * power(x, k - 1)), 0);
      const [actualValue, actualSlope] = at(x, 'polynomial', c);
      expectClose([actualValue], [value], 16 * epsilon);
      expectClose([actualSlope], [slope], 16 * epsilon);
    }
    expect(at(NaN, 'polynomial', c)[0]).toBeNaN();
  });

  it('activate gelu and sigmoid keep their digits where they are tiny', () => {
    const relative = (actual: number, expected: number): number => Math.abs(actual / expected - 1);
    expect(relative(at(-5, 'gelu')[0], -5 * 2.866515718791939e-7)).toBeLessThan(20 * epsilon); // Phi(-5) of scipy.stats.norm
    expect(relative(at(-10, 'gelu')[0], -10 * 7.619853024160527e-24)).toBeLessThan(100 * epsilon);
    expect(relative(at(-40, 'sigmoid')[0], 4.248354255291589e-18)).toBeLessThan(20 * epsilon);
    expect(relative(at(40, 'sigmoid')[1], 4.248354255291589e-18)).toBeLessThan(20 * epsilon);
  });
});

const [x, y, d] = Array.from({ length: 3 }, () => Matrix.zeros(2, 2));
refuses('activate', [
  ['sizes differ', () => activate('relu', x, Matrix.zeros(2, 3), d), /activate: shapes differ, 2 x 2 and 2 x 3/],
  ['operands differ in dtype', () => activate('tanh', x, y, d.clone('float32')), /activate: operands have different dtypes/],
  [
    'the name is unknown',
    () => activate('swish' as never, x, y, d),
    /name must be one of relu, tanh, leakyRelu, sigmoid, gelu, polynomial, erf, sign; got "swish"/,
  ],
  ['the name is that of a method', () => activate('toString' as never, x, y, d), /activate: name must be one of/],
  ['leakyRelu has no slope', () => activate('leakyRelu', x, y, d), /leakyRelu takes one parameter, its slope below 0; got 0/],
  ['leakyRelu has two', () => activate('leakyRelu', x, y, d, Float64Array.of(1, 2)), /leakyRelu takes one parameter.*; got 2/],
  [
    'a polynomial has no coefficients',
    () => activate('polynomial', x, y, d),
    /polynomial takes its coefficients, lowest power first; got 0/,
  ],
  ...(['relu', 'tanh', 'sigmoid', 'gelu'] as const).map(
    (name) =>
      [
        `${name} gets a parameter`,
        () => activate(name, x, y, d, Float64Array.of(1)),
        new RegExp(`${name} takes no parameters; got 1`),
      ] as const,
  ),
]);
it.each([
  ['out is x', () => activate('relu', x, x, d)],
  ['out is the derivative', () => activate('relu', x, y, y)],
  ['the parameters are out', () => activate('leakyRelu', x.clone(), y, d, y.data.subarray(0, 1) as Float64Array)],
])('activate throws RangeError when %s', (_when, call) => {
  expectThrows(call, RangeError, 'ERR_NATIVE_ARGUMENT', /share memory/);
});
it('activate throws TypeError when the parameters are no Float64Array', () => {
  const call = (): Matrix => activate('leakyRelu', x, y, d, new Float32Array(1) as never);
  expectThrows(call, TypeError, 'ERR_NATIVE_ARGUMENT', /argument 2 must be a Float64Array, got a Float32Array/);
});
