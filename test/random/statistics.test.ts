/** Fixed seeds, so each of these passes or fails for good; levels are set so that a correct generator fails one in 10,000 or fewer. */
import { describe, expect, it } from 'vitest';
import { Stream } from '../../lib/random/index.js';
import { maxAbsDiff } from '../close.js';

const N = 100_000;
type Kind = 'uniform' | 'normal' | 'rademacher';
const draws = (kind: Kind, stream: Stream, n = N): Float64Array => stream[kind](new Float64Array(n));

/** The normal quantile of 1 - 1e-5 / 2: a sum is refused beyond this many standard deviations. */
const SIGMAS = 4.42;

const mean = (x: ArrayLike<number>): number => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;

/** Normal distribution function, to 1.2e-7 (Press et al., Numerical Recipes, section 6.2). */
function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const powers = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
  ];
  const tail = 0.5 * t * Math.exp(-z * z + powers.reduceRight((sum, c) => sum * t + c, 0));
  return x >= 0 ? 1 - tail : tail;
}

/** Kolmogorov's statistic, sqrt(n) sup |F_n - F|. */
function kolmogorov(x: Float64Array, cdf: (x: number) => number): number {
  let most = 0;
  x.slice()
    .sort()
    .forEach((value, i) => {
      const f = cdf(value);
      most = Math.max(most, f - i / x.length, (i + 1) / x.length - f);
    });
  return Math.sqrt(x.length) * most;
}

/** Its quantile of 1 - alpha for large n, from the first term of Kolmogorov's series, 2 exp(-2 d^2) = alpha. */
const kolmogorovLimit = (alpha: number): number => Math.sqrt(-Math.log(alpha / 2) / 2);

/** The quantile of chi-square with `df` degrees that lies `sigmas` normal deviations from the middle (Wilson & Hilferty 1931). */
const chiSquareQuantile = (df: number, sigmas: number): number => df * (1 - 2 / (9 * df) + sigmas * Math.sqrt(2 / (9 * df))) ** 3;

function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, c) => sum + c, 0) / counts.length;
  return counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
}

/** Asserts that draws fall into equally likely cells as evenly as chance leaves them: no less, and no more. */
function expectEqualCounts(cells: number, cellOf: (i: number) => number, n: number): void {
  const counts = new Array<number>(cells).fill(0);
  for (let i = 0; i < n; i++) counts[cellOf(i)]++;
  expect(chiSquare(counts)).toBeLessThan(chiSquareQuantile(cells - 1, SIGMAS));
  expect(chiSquare(counts)).toBeGreaterThan(chiSquareQuantile(cells - 1, -SIGMAS));
}

function correlation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [a, b] = [mean(x), mean(y)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xx += (x[i] - a) ** 2;
    yy += (y[i] - b) ** 2;
    xy += (x[i] - a) * (y[i] - b);
  }
  return xy / Math.sqrt(xx * yy);
}

/** E x^k for k = 0 to 8. */
const MOMENTS: Record<Kind, readonly number[]> = {
  uniform: [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 7, 1 / 8, 1 / 9],
  normal: [1, 0, 1, 0, 3, 0, 15, 0, 105],
  rademacher: [1, 0, 1, 0, 1, 0, 1, 0, 1],
};

describe.each([0, 1, 123_456_789_012_345])('with seed %i', (seed) => {
  describe.each(Object.entries(MOMENTS) as [Kind, readonly number[]][])('%s', (kind, moments) => {
    it.each([1, 2, 3, 4])('has the right moment of order %i', (order) => {
      const deviation = Math.sqrt((moments[2 * order] - moments[order] ** 2) / N);
      const error = Math.abs(mean(draws(kind, new Stream(seed)).map((x) => x ** order)) - moments[order]);
      expect(error).toBeLessThanOrEqual(SIGMAS * deviation);
    });

    it.each([1, 2, 3, 7, 64, 128])('is uncorrelated with itself %i draws later', (lag) => {
      const x = draws(kind, new Stream(seed), N + lag);
      const [early, late] = [x.subarray(0, N), x.subarray(lag)];
      expect(Math.abs(correlation(early, late))).toBeLessThan(SIGMAS / Math.sqrt(N));
      const squares = (y: Float64Array): Float64Array => y.map((v) => v * v);
      if (kind !== 'rademacher') expect(Math.abs(correlation(squares(early), squares(late)))).toBeLessThan(SIGMAS / Math.sqrt(N));
    });
  });

  it.each([
    ['uniform', (x: number) => x],
    ['normal', normalCdf],
  ] as const)('%s passes the Kolmogorov-Smirnov test', (kind, cdf) => {
    const statistic = kolmogorov(draws(kind, new Stream(seed)), cdf);
    expect(statistic).toBeLessThan(kolmogorovLimit(1e-4));
    expect(statistic).toBeGreaterThan(0.3); // below this with probability 1e-5: too even to be random
  });

  it('consecutive uniforms fill the square evenly, and consecutive normals the plane', () => {
    const u = draws('uniform', new Stream(seed), 2 * N);
    expectEqualCounts(400, (i) => Math.floor(20 * u[2 * i]) * 20 + Math.floor(20 * u[2 * i + 1]), N);
    const z = draws('normal', new Stream(seed), 2 * N);
    expectEqualCounts(400, (i) => Math.floor(20 * normalCdf(z[2 * i])) * 20 + Math.floor(20 * normalCdf(z[2 * i + 1])), N);
  });

  it('bytes of rademacher signs are equally frequent', () => {
    const signs = draws('rademacher', new Stream(seed), 8 * N);
    expectEqualCounts(256, (i) => signs.subarray(8 * i, 8 * i + 8).reduce((byte, s) => 2 * byte + (s > 0 ? 1 : 0), 0), N);
  });
});

describe('independence', () => {
  const root = new Stream(1);
  const PAIRS: readonly (readonly [string, Stream, Stream])[] = [
    ['neighbouring seeds', new Stream(1), new Stream(2)],
    ['neighbouring streams', new Stream(1, 1), new Stream(1, 2)],
    ['seed and stream swapped', new Stream(1, 2), new Stream(2, 1)],
    ['a stream and its substream', root, root.substream('data')],
    ['two substreams', root.substream('trial 1'), root.substream('trial 2')],
    ['a substream under two seeds', root.substream('data'), new Stream(2).substream('data')],
    ['a substream and its own substream', root.substream('data'), root.substream('data').substream('data')],
    ['two stretches of one stream', new Stream(1), new Stream(1, 0, 2 ** 40)],
  ];

  it.each(PAIRS)('%s are uncorrelated and fill the square evenly', (_what, one, other) => {
    const fresh = (kind: Kind, stream: Stream): Float64Array => draws(kind, Stream.from(stream.state));
    for (const kind of ['uniform', 'normal', 'rademacher'] as const)
      expect(Math.abs(correlation(fresh(kind, one), fresh(kind, other)))).toBeLessThan(SIGMAS / Math.sqrt(N));
    const [x, y] = [fresh('uniform', one), fresh('uniform', other)];
    expectEqualCounts(400, (i) => Math.floor(20 * x[i]) * 20 + Math.floor(20 * y[i]), N);
  });
});

it("normal is Box and Muller's transform of the uniforms at the same positions, to 1e-13", () => {
  const u = draws('uniform', new Stream(11), 4 * N);
  const z = draws('normal', new Stream(11), 4 * N);
  const expected = new Float64Array(4 * N);
  for (let i = 0; i < u.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - u[i]));
    expected[i] = radius * Math.cos(2 * Math.PI * u[i + 1]);
    expected[i + 1] = radius * Math.sin(2 * Math.PI * u[i + 1]);
  }
  expect(maxAbsDiff(z, expected)).toBeLessThan(1e-13);
});
