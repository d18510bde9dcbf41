import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError, OptionsError } from '../../lib/errors.js';
import { gemm, Matrix, ridgePath, symmetricEigen, syrk } from '../../lib/linalg/index.js';
import { mean, standardError } from '../../lib/metrics/index.js';
import { Stream } from '../../lib/random/index.js';
import { alignment, bestLambda, effectiveRidge, teacherMoments } from '../../lib/theory/index.js';
import { expectThrows, FIXED } from '../close.js';

const normalised = (values: number[]): number[] => values.map((v) => (v * values.length) / values.reduce((a, b) => a + b, 0));
const power = (d: number): number[] => normalised(Array.from({ length: d }, (_, i) => 1 / (i + 1)));

/** X with rows N(0, diag(eigenvalues)). */
function gaussian(n: number, eigenvalues: readonly number[], stream: Stream): Matrix {
  const x = stream.normal(Matrix.zeros(n, eigenvalues.length));
  for (let i = 0; i < n; i++) for (let j = 0; j < eigenvalues.length; j++) x.data[i * eigenvalues.length + j] *= Math.sqrt(eigenvalues[j]);
  return x;
}

const spectra = fc
  .array(fc.double({ min: -7, max: 3, noNaN: true }), { minLength: 1, maxLength: 40 })
  .map((logs) => logs.map((x) => 10 ** x));

describe('effectiveRidge', () => {
  it('satisfies its equation for random spectra, sample sizes and lambdas, lambda = 0 included', () => {
    fc.assert(
      fc.property(
        spectra,
        fc.double({ min: 0.3, max: 200, noNaN: true }),
        fc.option(fc.double({ min: -8, max: 5, noNaN: true })),
        (values, n, log) => {
          const lambda = log === null ? 0 : 10 ** log;
          const { kappa, df1, df2 } = effectiveRidge(values, n, lambda);
          const sum = values.reduce((total, l) => total + l / (l + kappa), 0);
          expect(df1).toBeCloseTo(sum, 10);
          expect(Math.abs(kappa * (1 - sum / n) - lambda)).toBeLessThanOrEqual(1e-9 * (lambda + kappa));
          expect(df2).toBeLessThanOrEqual(df1 * (1 + 1e-12));
          if (lambda > 0 || values.length > n) expect(kappa).toBeGreaterThan(0);
          expect(kappa).toBeGreaterThanOrEqual(lambda);
          // The largest root: beyond it the right-hand side rises.
          expect(1 - df2 / n).toBeGreaterThanOrEqual(-1e-6);
        },
      ),
      FIXED,
    );
  });

  it('of the identity is the root of a quadratic', () => {
    const [n, d, lambda] = [60, 30, 0.7];
    const b = 1 - d / n - lambda;
    expect(effectiveRidge(new Array<number>(d).fill(1), n, lambda).kappa).toBeCloseTo((-b + Math.sqrt(b * b + 4 * lambda)) / 2, 13);
  });

  it('throws ArgumentError for what is no spectrum, no sample size, no lambda', () => {
    expectThrows(() => effectiveRidge([1, -1], 3, 1), ArgumentError, 'ERR_ARGUMENT', /eigenvalues\[1\] must be .* got -1/);
    expectThrows(() => effectiveRidge([0, 0], 3, 1), ArgumentError, 'ERR_ARGUMENT', /must hold a positive number/);
    expectThrows(() => effectiveRidge([1], 0, 1), ArgumentError, 'ERR_ARGUMENT', /samples must be positive/);
    expectThrows(() => effectiveRidge([1], 3, NaN), ArgumentError, 'ERR_ARGUMENT', /lambda must be finite/);
  });
});

describe('alignment', () => {
  it.each([
    ['fewer dimensions than samples', 200, 400],
    ['more dimensions than samples', 300, 150],
  ])('lies within four standard errors of a simulation with the teacher: %s', (_name, d, n) => {
    const eigenvalues = power(d);
    const beta = new Stream(3).normal(new Float64Array(d), 1 / Math.sqrt(d));
    const lambdas = [0, 0.01, 0.3, 10, Infinity];
    const seen = lambdas.map((): number[] => []);
    for (let seed = 0; seed < 40; seed++) {
      const stream = new Stream(100 + seed);
      const x = gaussian(n, eigenvalues, stream);
      const y = gemm(x, Matrix.wrap(beta, d, 1));
      y.data.forEach((t, i) => (y.data[i] = Math.tanh(t)));
      const noise = stream.normal(Matrix.zeros(n, 1), 0.5);
      noise.data.forEach((e, i) => (y.data[i] += e));
      ridgePath(x, y, lambdas).forEach((b, k) => {
        let [inner, bb, tt] = [0, 0, 0];
        for (let i = 0; i < d; i++) {
          inner += b.data[i] * beta[i];
          bb += b.data[i] ** 2;
          tt += beta[i] ** 2;
        }
        seen[k].push((inner * inner) / (bb * tt));
      });
    }
    lambdas.forEach((lambda, k) => {
      const { rho2 } = alignment({ eigenvalues, beta, samples: n, lambda, teacher: 'tanh', noise: 0.5 });
      expect(Math.abs(mean(seen[k]) - rho2), `lambda = ${lambda}`).toBeLessThan(4 * standardError(seen[k]) + 0.01);
    });
  });

  it('is within 1% of the expectation over 200 draws of X at d = 400, of what is random in it alone', () => {
    const [d, n, draws] = [400, 800, 200];
    const lambdas = [0.01, 0.3, 10];
    const eigenvalues = power(d);
    const beta = new Stream(5).normal(new Float64Array(d), 1 / Math.sqrt(d));
    const s2 = beta.reduce((sum, b, i) => sum + b * b * eigenvalues[i], 0);
    const { slope: c, second } = teacherMoments('tanh', s2);
    const tau2 = second + 0.25 - c * c * s2;
    const sums = lambdas.map(() => ({ inner: 0, norm2: 0 }));
    for (let seed = 0; seed < draws; seed++) {
      const x = gaussian(n, eigenvalues, new Stream(900 + seed));
      const { values, vectors } = symmetricEigen(syrk(x, { transpose: true, alpha: 1 / n }));
      const along = gemm(vectors, Matrix.wrap(beta, d, 1), { transposeA: true }).data;
      lambdas.forEach((lambda, k) => {
        for (let i = 0; i < d; i++) {
          // <b, beta> = c beta'(S + lambda)^-1 S beta; E|b|^2 = c^2 |(S + lambda)^-1 S beta|^2 + tau^2 tr S (S + lambda)^-2 / n over the noise.
          const share = values[i] / (values[i] + lambda);
          sums[k].inner += (c * share * along[i] ** 2) / draws;
          sums[k].norm2 += ((c * share * along[i]) ** 2 + (tau2 * share) / (values[i] + lambda) / n) / draws;
        }
      });
    }
    lambdas.forEach((lambda, k) => {
      const theory = alignment({ eigenvalues, beta, samples: n, lambda, teacher: 'tanh', noise: 0.5 });
      expect(Math.abs(sums[k].inner / theory.inner - 1), `inner at ${lambda}`).toBeLessThan(0.01);
      expect(Math.abs(sums[k].norm2 / theory.norm2 - 1), `norm2 at ${lambda}`).toBeLessThan(0.01);
    });
  }, 120_000);

  it('is continuous into both limits of lambda', () => {
    const eigenvalues = power(50);
    for (const samples of [30, 80]) {
      const at = (lambda: number) => alignment({ eigenvalues, samples, lambda, teacher: 'relu', noise: 0.3 });
      expect(at(1e-10).rho2).toBeCloseTo(at(0).rho2, 7);
      expect(at(1e-10).norm2 / at(0).norm2).toBeCloseTo(1, 6);
      expect(at(1e9).rho2).toBeCloseTo(at(Infinity).rho2, 7);
      expect((at(1e9).inner * 1e9) / at(Infinity).inner).toBeCloseTo(1, 6);
    }
  });

  it('keeps its digits at any lambda, down to none and up to infinity', () => {
    for (const eigenvalues of [power(100), new Array<number>(100).fill(1)])
      for (const samples of [200, 100, 40]) {
        const at = (lambda: number) => alignment({ eigenvalues, samples, lambda, teacher: 'tanh', noise: 0.5 });
        for (const lambda of [1e10, 1e16, 1e20, 1e160]) expect(at(lambda).rho2).toBeCloseTo(at(Infinity).rho2, 7);
        if (samples !== 100) for (const lambda of [1e-12, 1e-40, 1e-200]) expect(at(lambda).rho2).toBeCloseTo(at(0).rho2, 8);
      }
    // As many samples as dimensions: kappa is the root of lambda.
    expect(effectiveRidge(new Array<number>(100).fill(1), 100, 1e-40).kappa / 1e-20).toBeCloseTo(1, 12);
    expect(effectiveRidge(new Array<number>(100).fill(1), 200, 1e-40).kappa / 2e-40).toBeCloseTo(1, 12);
    expect(alignment({ eigenvalues: power(20), samples: 20, lambda: 0, teacher: 'identity' }).rho2).toBeCloseTo(1, 12);
    expect(alignment({ eigenvalues: [1, 2], samples: 4, lambda: 1, teacher: () => 0 })).toMatchObject({ rho2: 0, norm2: 0 });
  });

  it('without noise, of a linear teacher, ridgeless with enough samples is 1; with as many as dimensions noise takes it all', () => {
    const eigenvalues = power(20);
    expect(alignment({ eigenvalues, samples: 40, lambda: 0, teacher: 'identity' }).rho2).toBeCloseTo(1, 12);
    expect(alignment({ eigenvalues, samples: 20, lambda: 0, teacher: 'identity', noise: 0.1 })).toMatchObject({ rho2: 0, norm2: Infinity });
  });

  it('averaged over beta is the value at a beta with equal entries, and scales with no length', () => {
    const eigenvalues = power(30);
    const rest = { eigenvalues, samples: 50, lambda: 0.2, teacher: 'identity', noise: 0 } as const;
    const averaged = alignment(rest).rho2;
    expect(alignment({ ...rest, beta: new Array<number>(30).fill(1 / Math.sqrt(30)) }).rho2).toBeCloseTo(averaged, 13);
    expect(alignment({ ...rest, beta: new Array<number>(30).fill(7) }).rho2).toBeCloseTo(averaged, 13);
  });

  it('leaves what is outside the range of Sigma unlearned', () => {
    const rest = { samples: 50, lambda: 0.1, teacher: 'identity' } as const;
    const whole = alignment({ ...rest, eigenvalues: [2, 1], beta: [1, 1] });
    const half = alignment({ ...rest, eigenvalues: [2, 1, 0, 0], beta: [1, 1, 1, 1] });
    expect(half.rho2).toBeCloseTo(whole.rho2 / 2, 12);
  });

  it('throws OptionsError and ArgumentError for slips', () => {
    const good = { eigenvalues: [1, 2], samples: 3, lambda: 1, teacher: 'tanh' } as const;
    expect(() => alignment({ ...good, lambda: -1 })).toThrow(/alignment: lambda: must be a number of at least 0, or Infinity; got -1/);
    expect(() => alignment({ ...good, lambda: NaN })).toThrow(OptionsError);
    expect(() => alignment({ ...good, samples: 0 })).toThrow(/samples: must be greater than 0/);
    expect(() => alignment({ ...good, teacher: 'tan' as 'tanh' })).toThrow(/must be one of identity/);
    expectThrows(() => alignment({ ...good, beta: [1] }), ArgumentError, 'ERR_ARGUMENT', /beta has 1 entries where there are 2/);
    expectThrows(() => alignment({ ...good, beta: [1, NaN] }), ArgumentError, 'ERR_ARGUMENT', /beta\[1\] must be a finite number, got NaN/);
    expectThrows(() => alignment({ ...good, beta: [0, 0] }), ArgumentError, 'ERR_ARGUMENT', /beta'Sigma beta is 0/);
  });
});

describe('bestLambda', () => {
  it('is no worse than any lambda of a fine grid', () => {
    for (const [noise, samples] of [
      [0.5, 60],
      [2, 60],
      [0.1, 20],
    ]) {
      const rest = { eigenvalues: power(40), samples, teacher: 'tanh', noise } as const;
      const best = bestLambda(rest);
      expect(alignment({ ...rest, lambda: best.lambda }).rho2).toBe(best.rho2);
      for (let log = -6; log <= 6; log += 0.05)
        expect(alignment({ ...rest, lambda: 10 ** log }).rho2).toBeLessThanOrEqual(best.rho2 + 1e-9);
    }
  });

  it('finds lambdas far from the mean eigenvalue', () => {
    const rest = {
      eigenvalues: [1e10, ...power(30)],
      beta: [0, ...new Array<number>(30).fill(1)],
      samples: 60,
      teacher: 'identity',
      noise: 2,
    } as const;
    const best = bestLambda(rest).rho2;
    for (let log = -6; log <= 6; log += 0.1) expect(alignment({ ...rest, lambda: 10 ** log }).rho2).toBeLessThanOrEqual(best + 1e-9);
  });

  it('averaged over beta is the posterior mean of a normal prior, whatever the covariance: lambda = (d/n) tau^2 / c^2', () => {
    for (const eigenvalues of [power(40), new Array<number>(40).fill(1)])
      for (const [samples, noise] of [
        [60, 0.5],
        [20, 0.1],
      ]) {
        const { slope, second } = teacherMoments('tanh', 1);
        const tau2 = second + noise * noise - slope * slope;
        const { lambda } = bestLambda({ eigenvalues, samples, teacher: 'tanh', noise });
        expect(lambda / (((40 / samples) * tau2) / slope ** 2)).toBeCloseTo(1, 3);
      }
  });
});
