import { describe, expect, it } from 'vitest';
import { ArgumentError, NumericalError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { naming, requireFinite } from '../../lib/optimizers/guards.js';
import { DTYPES, expectThrows } from '../close.js';

describe('requireFinite', () => {
  it.each(DTYPES)('throws NumericalError NOT_FINITE on NaN and either infinity in $dtype, and passes large numbers', ({ dtype }) => {
    for (const bad of [NaN, Infinity, -Infinity])
      expectThrows(
        () => requireFinite('a step', Matrix.from([[1, bad]], dtype)),
        NumericalError,
        'NOT_FINITE',
        /^a step holds NaN or infinity/,
      );
    requireFinite('a step', Matrix.from([[1e30, -1e30, 0]], dtype));
    requireFinite('a step', Matrix.zeros(0, 0, dtype));
  });
});

describe('naming', () => {
  const fails = (error: Error) => () =>
    naming('W0', () => {
      throw error;
    });

  it('puts the subject before the message of a NumericalError, keeps its code, and has it as the cause', () => {
    const cause = new NumericalError('SINGULAR', 'of no inverse');
    expectThrows(fails(cause), NumericalError, 'SINGULAR', /^W0: of no inverse$/);
    expect(fails(cause)).toThrow(expect.objectContaining({ cause }));
  });

  it('passes other errors and results on as they are', () => {
    const error = new ArgumentError('a shape');
    expect(fails(error)).toThrow(error);
    expect(naming('W0', () => 3)).toBe(3);
  });
});
