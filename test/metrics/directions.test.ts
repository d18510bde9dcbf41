import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../lib/errors.js';
import { gemm } from '../../lib/linalg/index.js';
import { directionAngle, directionOverlap, directionShare, principalAngles } from '../../lib/metrics/index.js';
import { indexModel } from '../../lib/data/index.js';
import { twoLayer } from '../../lib/networks/index.js';
import { orthonormalRows, Stream } from '../../lib/random/index.js';
import { build, combine, expectThrows, random } from '../close.js';

const basis = orthonormalRows(3, 20, new Stream(1));

describe('directionOverlap', () => {
  it.each([2, 40])('is 1, at angle 0, for features of width %d + 3 that span the directions above all else', (extra) => {
    const mixed = gemm(random(3 + extra, 3), basis);
    const g = combine(1, mixed, 1e-9, random(3 + extra, 20, 'float64', 4));
    const { share, angle, matrix } = directionOverlap(g, basis)!;
    expect(share).toBeCloseTo(1, 12);
    expect(angle).toBeLessThan(1e-6);
    expect([matrix.rows, matrix.cols]).toEqual([3, 3]);
  });

  it('sees what has become of the start, and nothing where that has not moved', () => {
    const start = random(50, 20);
    expect(directionOverlap(start, basis, start)).toBeNull();
    const moved = combine(1, start, 0.01, gemm(random(50, 3, 'float64', 9), basis));
    expect(directionOverlap(moved, basis, start)!.share).toBeCloseTo(1, 8);
    expect(directionOverlap(moved, basis)!.share).toBeLessThan(0.6);
  });

  it('has the principal angles of the leading right singular vectors', () => {
    const g = random(5, 20, 'float64', 3);
    const leading = directionOverlap(g, orthonormalRows(5, 20, new Stream(2)))!;
    const angles = principalAngles(g, orthonormalRows(5, 20, new Stream(2)));
    expect(leading.angle).toBeCloseTo(angles[4], 9);
    expect(leading.share).toBeCloseTo(angles.reduce((sum, a) => sum + Math.cos(a) ** 2, 0) / 5, 9);
  });

  it('is about r/d by chance', () => {
    let total = 0;
    for (let seed = 0; seed < 200; seed++) total += directionOverlap(random(30, 20, 'float64', seed), basis)!.share;
    expect(total / 200).toBeCloseTo(3 / 20, 1);
  });

  it('throws ArgumentError where widths differ, and is null for fewer features than directions', () => {
    expectThrows(() => directionOverlap(random(3, 4), basis), ArgumentError, 'ERR_ARGUMENT', /features have 4 columns, the directions 20/);
    expect(directionOverlap(random(2, 20), basis)).toBeNull();
  });
});

it('directionShare and directionAngle are metrics of a network, in both dtypes', () => {
  for (const dtype of ['float64', 'float32'] as const) {
    const task = indexModel({ inputs: 12, directions: 2, covariance: { family: 'isotropic' }, dtype });
    const network = twoLayer({ inputs: 12, hidden: 30, outputs: 1, activation: 'relu', dtype });
    const [share, angle] = [directionShare(task, network.features), directionAngle(task, network.features)];
    expect([share(network), angle(network)]).toEqual([NaN, Math.PI / 2]);
    const step = gemm(build(30, 2, (i, j) => Math.sin(3 * i + j)), task.directions); // prettier-ignore
    network.features.data.forEach((x, k) => (network.features.data[k] = x + step.data[k]));
    expect(share(network)).toBeCloseTo(1, 5);
    expect(angle(network)).toBeLessThan(1e-2);
  }
});
