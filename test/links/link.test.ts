import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { activationSchema, linkOf, linkSchema, type LinkOptions } from '../../lib/links/index.js';
import { build, DTYPES, expectClose, expectThrows } from '../close.js';

const x = build(3, 4, (i, j) => (4 * i + j - 5) / 3);
const ROWS: readonly (readonly [LinkOptions, (t: number) => number])[] = [
  ['identity', (t) => t],
  ['relu', (t) => Math.max(t, 0)],
  ['leakyRelu', (t) => (t > 0 ? t : 0.01 * t)],
  [{ name: 'leakyRelu', slope: -2 }, (t) => (t > 0 ? t : -2 * t)],
  ['tanh', Math.tanh],
  [{ name: 'tanh', gain: 3 }, (t) => Math.tanh(3 * t)],
  [{ name: 'identity', gain: -2 }, (t) => -2 * t],
  ['sign', Math.sign],
  [{ name: 'polynomial', coefficients: [1, 0, 2] }, (t) => 1 + 2 * t * t],
  [{ name: 'hermite', coefficients: [0, 0, Math.SQRT2] }, (t) => t * t - 1],
];

describe.each(DTYPES)('linkOf in $dtype', ({ dtype, epsilon }) => {
  it.each(ROWS)('%j is its formula, and leaves its argument alone', (options, formula) => {
    const link = linkOf(options);
    const given = x.clone(dtype);
    expectClose(
      link.apply(given, Matrix.zeros(3, 4, dtype)),
      build(3, 4, (i, j) => formula(given.get(i, j))),
      8 * epsilon,
    );
    expect(given.data).toEqual(x.clone(dtype).data);
  });

  it('takes a function of one number', () => {
    const cube = linkOf((t) => t ** 3);
    const given = x.clone(dtype);
    expectClose(
      cube.apply(given, Matrix.zeros(3, 4, dtype)),
      build(3, 4, (i, j) => given.get(i, j) ** 3),
      8 * epsilon,
    );
  });
});

describe('links', () => {
  it('refuse a function that gives no number', () => {
    const apply = (): Matrix => linkOf((() => 'one') as never).apply(x, Matrix.zeros(3, 4));
    expectThrows(apply, ArgumentError, 'ERR_ARGUMENT', /a link must give a number for a number; .* it gave string/);
  });

  it.each([{ name: 'tanh', gain: 0 }, { name: 'tan' }, 'tan', { name: 'hermite', coefficients: [] }, { name: 'polynomial', gain: 2 }])(
    'refuse %j',
    (options) => expect(linkSchema.safeParse(options).success).toBe(false),
  );

  it('include every activation', () => {
    for (const [options] of ROWS) if (activationSchema.safeParse(options).success) expect(linkSchema.safeParse(options).success).toBe(true);
    expect(activationSchema.safeParse('sign').success).toBe(false);
  });
});
