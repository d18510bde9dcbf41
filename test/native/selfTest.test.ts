import { describe, expect, it } from 'vitest';
import { LibraryError } from '../../lib/errors.js';
import { type Floats, native } from '../../lib/native/index.js';
import { type Checked, selfTest } from '../../lib/native/selfTest.js';
import { DTYPES, expectThrows } from '../close.js';
import { invoke } from './signatures.js';

it('selfTest passes on this machine', () => {
  expect(() => selfTest(native)).not.toThrow();
});

/** Which argument of each operation holds its result. */
const RESULTS = { gemm: 5, syrk: 4, potrf: 1, syevd: 1 } as const;
type Operation = keyof typeof RESULTS;

/** The native layer with one operation wrong in one dtype: it changes an entry of the largest result. */
function sabotaged(operation: Operation, dtype: 'float64' | 'float32', change: (x: number) => number): Checked {
  const wrong = (...args: unknown[]): unknown => {
    const info = invoke(native, operation, args);
    const result = args[RESULTS[operation]] as Floats;
    if (result.length > 1000 && result instanceof Float64Array === (dtype === 'float64')) result[74] = change(result[74]);
    return info;
  };
  return { ...native, [operation]: wrong };
}

describe.each(DTYPES)('in $dtype', ({ dtype }) => {
  describe.each(Object.keys(RESULTS) as Operation[])('selfTest throws LibraryError when %s', (operation) => {
    const { kernel } = native.systemInfo();
    const message = (error: string): RegExp =>
      new RegExp(
        `computes ${operation} wrongly in ${dtype} on this processor: error ${error} where \\d\\.\\de-\\d+ is allowed ` +
          `\\(shape \\d+x\\d+(x\\d+)?, kernel ${kernel}\\)\\. Set OPENBLAS_CORETYPE to an older kernel \\(Haswell, or Sandybridge\\)`,
      );
    it.each([
      ['is off by a hundredth', (x: number) => x + 0.01, '\\d\\.\\de-\\d'],
      ['returns NaN', () => NaN, 'Infinity'],
      ['returns infinity', () => Infinity, 'Infinity'],
    ])('%s in one entry', (_what, change, error) => {
      expectThrows(() => selfTest(sabotaged(operation, dtype, change)), LibraryError, 'ERR_LIBRARY', message(error));
    });
  });
});

it.each(['potrf', 'syevd'] as const)('selfTest throws LibraryError when %s fails on a good matrix', (operation) => {
  const failing = { ...native, [operation]: () => 1 };
  expectThrows(
    () => selfTest(failing),
    LibraryError,
    'ERR_LIBRARY',
    new RegExp(`computes ${operation} wrongly in float64 .* error Infinity`),
  );
});

it('selfTest throws LibraryError when gemm does nothing', () => {
  expectThrows(() => selfTest({ ...native, gemm: () => undefined }), LibraryError, 'ERR_LIBRARY', /computes gemm wrongly in float64/);
});
