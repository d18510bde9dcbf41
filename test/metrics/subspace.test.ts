import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError, NumericalError } from '../../lib/errors.js';
import { Matrix } from '../../lib/linalg/index.js';
import { distanceBetween, principalAngles, subspaceDistance } from '../../lib/metrics/index.js';
import { Stream, orthonormalRows } from '../../lib/random/index.js';
import { expectClose, FIXED, multiply, random } from '../close.js';
import { smallNetwork, smallTask } from '../fixtures.js';

const frame = (k: number, d: number, seed: number): Matrix => orthonormalRows(k, d, new Stream(seed));

/** Rows e_i cos(angle_i) + e_(k+i) sin(angle_i): at these principal angles from the first k axes. */
function rotated(angles: readonly number[], d: number): Matrix {
  const m = Matrix.zeros(angles.length, d);
  angles.forEach((a, i) => {
    m.data[i * d + i] = Math.cos(a);
    m.data[i * d + angles.length + i] = Math.sin(a);
  });
  return m;
}
const axes = (k: number, d: number): Matrix => rotated(Array<number>(k).fill(0), d);

describe('subspace distance', () => {
  it('is the sine of the largest principal angle', () => {
    expect(distanceBetween(rotated([0.1, 0.7, 0.3], 8), axes(3, 8))).toBeCloseTo(Math.sin(0.7), 14);
  });

  it('is below 1e-15 for equal spaces in any basis, and keeps relative accuracy for tiny angles', () => {
    const a = frame(4, 30, 1);
    expect(distanceBetween(multiply(random(4, 4), a), a)).toBeLessThan(2e-15);
    expect(distanceBetween(a, a)).toBeLessThan(1e-15);
    expect(distanceBetween(rotated([1e-9, 2e-9], 6), axes(2, 6)) / 2e-9).toBeCloseTo(1, 6);
  });

  it('is 1 for orthogonal spaces', () => {
    expect(distanceBetween(rotated([Math.PI / 2], 5), axes(1, 5))).toBeCloseTo(1, 15);
  });

  it("with unequal dimensions is the smaller space's distance from the larger one", () => {
    const teacher = axes(2, 8);
    const wide = Matrix.from([...axes(2, 8).toRows(), ...frame(2, 8, 3).toRows()]);
    expect(distanceBetween(wide, teacher)).toBeLessThan(1e-14);
    expect(distanceBetween(teacher, wide)).toBeLessThan(1e-14);
    expect(distanceBetween(rotated([0.2], 8), axes(3, 8))).toBeCloseTo(0, 14);
  });

  it('is symmetric and does not depend on the bases (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 12 }), fc.nat(1e6), (k, d, seed) => {
        const [a, b] = [frame(k, d, seed), frame(k, d, seed + 1)];
        const plain = distanceBetween(a, b);
        expect(distanceBetween(b, a)).toBeCloseTo(plain, 12);
        expect(distanceBetween(multiply(random(k, k, 'float64', seed + 2), a), b)).toBeCloseTo(plain, 7);
      }),
      FIXED,
    );
  });

  it('judges the features of a network in float32 in double precision', () => {
    const task = smallTask({ dtype: 'float32' });
    const network = smallNetwork({ dtype: 'float32' });
    network.features.data.set(task.features.data);
    expect(subspaceDistance(task)(network)).toBeLessThan(2e-7);
  });

  it('throws NumericalError when the features have collapsed, where QR would make up a direction', () => {
    const a = frame(3, 8, 1);
    const twice = Matrix.from([a.toRows()[0], a.toRows()[1], a.toRows()[0]]);
    for (const collapsed of [Matrix.zeros(3, 8), twice]) {
      expect(() => distanceBetween(collapsed, a)).toThrow(NumericalError);
      expect(() => principalAngles(collapsed, a)).toThrow(/collapsed/);
    }
  });

  it('throws ArgumentError when dimensions do not fit', () => {
    expect(() => distanceBetween(frame(2, 5, 1), frame(2, 6, 1))).toThrow(ArgumentError);
    expect(() => distanceBetween(random(6, 5), frame(2, 5, 1))).toThrow(/6 features cannot be independent in dimension 5/);
  });
});

describe('principalAngles', () => {
  it('finds small and large angles to full accuracy, ascending', () => {
    const angles = [1e-10, 1e-3, 0.5, 1.2, Math.PI / 2];
    const found = principalAngles(multiply(random(5, 5), rotated(angles, 12)), axes(5, 12));
    expectClose(found, angles, 1e-12);
    expect(found[0] / 1e-10).toBeCloseTo(1, 4);
  });

  it('counts the smaller dimension', () => {
    expectClose(principalAngles(rotated([0.3, 0.1], 9), axes(4, 9)), [0, 0], 1e-7);
    expect(principalAngles(frame(2, 9, 1), frame(4, 9, 2))).toHaveLength(2);
  });
});
