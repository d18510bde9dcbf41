import { describe, expect, it } from 'vitest';
import { NumericalError, OptionsError } from '../../lib/errors.js';
import { Matrix, norm, svd, symmetricFunction } from '../../lib/linalg/index.js';
import { adamw } from '../../lib/optimizers/adamw.js';
import { muon, type MuonOptions } from '../../lib/optimizers/muon.js';
import { newtonSchulz, newtonSchulzWorks, polarFactor } from '../../lib/optimizers/newtonSchulz.js';
import { shampoo } from '../../lib/optimizers/shampoo.js';
import { flatten, requireFit, restore } from '../../lib/train/checkpoint.js';
import type { Parameter } from '../../lib/types.js';
import {
  atOffset,
  combine,
  DTYPES,
  expectClose,
  expectThrows,
  maxAbs,
  maxAbsDiff,
  multiply,
  random,
  scaleColumns,
  transposed,
} from '../close.js';
import { matricesMadeBy, runOf, sequence, SHAPES, stepsOf, zerosLike } from './byHand.js';

const COUNT = 12;

/** The quintic of Newton-Schulz on singular values alone: U f(...f(s / (|G| + 1e-7))) V'. */
function bySingularValues(g: Matrix, steps = 5, [a, b, c] = [3.4445, -4.775, 2.0315]): Matrix {
  const { u, s, vt } = svd(g);
  const mapped = Array.from(s, (value) => {
    let x = value / (norm(g) + 1e-7);
    for (let k = 0; k < steps; k++) x = a * x + b * x ** 3 + c * x ** 5;
    return x;
  });
  return multiply(scaleColumns(u, mapped), vt);
}

/** U V' as G (G'G)^-1/2 or (GG')^-1/2 G, of full rank. */
const polarByRoot = (g: Matrix): Matrix =>
  g.rows >= g.cols
    ? multiply(
        g,
        symmetricFunction(multiply(transposed(g), g), (w) => 1 / Math.sqrt(w)),
      )
    : transposed(polarByRoot(transposed(g)));

function reference(
  start: Matrix,
  gradients: readonly Matrix[],
  { momentum = 0.95, nesterov = true, weightDecay = 0, learningRate = 0.02, factor = 1, polar = (g: Matrix) => bySingularValues(g) },
): Matrix[] {
  const w = start.clone();
  let m = zerosLike(start);
  return gradients.map((g) => {
    m = combine(momentum, m, 1 - momentum, g);
    const x = polar(nesterov ? combine(1 - momentum, g, momentum, m) : m);
    const step = combine(-learningRate * factor, x, -learningRate * weightDecay, w);
    w.data.set(combine(1, w, 1, step).data);
    return step;
  });
}

function expectSteps(actual: readonly Matrix[], expected: readonly Matrix[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((step, t) =>
    expect(maxAbsDiff(step, expected[t]), `at step ${t + 1}`).toBeLessThanOrEqual(tolerance * maxAbs(expected[t])),
  );
}

describe.each(SHAPES.map(([rows, cols]) => ({ rows, cols })))('muon on a $rows x $cols weight', ({ rows, cols }) => {
  const start = random(rows, cols, 'float64', 9);
  const gradients = sequence(rows, cols, COUNT);
  const factor = Math.sqrt(Math.max(1, rows / cols));

  it.each<{ title: string; options: MuonOptions; r: Parameters<typeof reference>[2] }>([
    { title: 'by default', options: {}, r: {} },
    { title: 'without Nesterov', options: { nesterov: false }, r: { nesterov: false } },
    { title: 'with another momentum', options: { momentum: 0.6 }, r: { momentum: 0.6 } },
    { title: 'decays weights decoupled', options: { weightDecay: 0.4, learningRate: 0.1 }, r: { weightDecay: 0.4, learningRate: 0.1 } },
    { title: 'with two steps', options: { steps: 2 }, r: { polar: (g) => bySingularValues(g, 2) } },
    {
      title: 'with coefficients of a convergent quintic',
      options: { steps: 30, coefficients: [1.875, -1.25, 0.375] },
      r: { polar: (g) => bySingularValues(g, 30, [1.875, -1.25, 0.375]) },
    },
    { title: 'exactly', options: { exact: true }, r: { polar: polarByRoot } },
  ])('maps the singular values of the averaged gradient and keeps its vectors: $title', ({ options, r }) => {
    expectSteps(stepsOf(muon(options), start, gradients), reference(start, gradients, { factor, ...r }), 1e-9);
  });

  it('scaled to match AdamW has root-mean-square entries of about 0.2 a learning rate', () => {
    const scaled = stepsOf(muon({ scale: 'match-rms-adamw', exact: true, learningRate: 0.5 }), start, gradients);
    const expected = reference(start, gradients, { learningRate: 0.5, factor: 0.2 * Math.sqrt(Math.max(rows, cols)), polar: polarByRoot });
    expectSteps(scaled, expected, 1e-9);
    expect(norm(scaled[0]) / Math.sqrt(rows * cols)).toBeCloseTo(0.5 * 0.2, 12);
  });

  it("exactly takes Shampoo's one-batch step", () => {
    const [g] = gradients;
    const [ours] = stepsOf(muon({ exact: true, learningRate: 1 / factor }), start, [g]);
    const [theirs] = stepsOf(shampoo({ learningRate: 1, beta1: 0, epsilon: 1e-15 }), start, [g]);
    expectClose(ours, theirs, 1e-9);
  });

  it.each(DTYPES)('in $dtype: stays close to float64', ({ dtype }) => {
    for (const exact of [true, false]) {
      const steps = stepsOf(
        muon({ exact }),
        start.clone(dtype),
        gradients.map((g) => g.clone(dtype)),
      );
      expectSteps(steps, stepsOf(muon({ exact }), start, gradients), dtype === 'float64' ? 0 : 1e-3);
    }
  });
});

describe('muon', () => {
  it.each(['bias', 'vector'] as const)('gives a %s to AdamW with options of its own', (role) => {
    const gradients = sequence(1, 5, COUNT);
    const start = random(1, 5);
    const rates = { learningRate: 0.1, beta1: 0.8, beta2: 0.7, epsilon: 1e-3, weightDecay: 0.2 };
    expectSteps(stepsOf(muon({ vectors: rates }), start, gradients, role), stepsOf(adamw(rates), start, gradients), 1e-15);
  });

  it("takes the authors' rates for vectors: 3e-4, 0.9, 0.95, 1e-10, no decay", () => {
    const gradients = sequence(1, 5, COUNT);
    const rates = { learningRate: 3e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-10, weightDecay: 0 };
    expectSteps(stepsOf(muon(), random(1, 5), gradients, 'bias'), stepsOf(adamw(rates), random(1, 5), gradients), 1e-15);
  });

  it.each([
    ['zero gradients', () => Matrix.zeros(4, 3)],
    ['gradients of rank one', (t: number) => multiply(random(4, 1, 'float64', t), random(1, 3, 'float64', t + 50))],
    ['gradients of condition 1e14', (t: number) => multiply(random(4, 4, 'float64', t), Matrix.from([[1, 0, 0], [0, 1e-7, 0], [0, 0, 1e-14], [0, 0, 0]]))], // prettier-ignore
    ['tiny gradients', (t: number) => combine(1e-30, random(4, 3, 'float64', t), 0, Matrix.zeros(4, 3))],
    ['large gradients', (t: number) => combine(1e30, random(4, 3, 'float64', t), 0, Matrix.zeros(4, 3))],
  ])('takes finite steps on %s, in both dtypes, exactly and not', (_title, gradient) => {
    for (const { dtype } of DTYPES)
      for (const exact of [true, false]) {
        const gradients = Array.from({ length: 6 }, (_, t) => gradient(t).clone(dtype));
        for (const step of stepsOf(muon({ exact }), random(4, 3, dtype), gradients))
          expect(step.data.every(Number.isFinite), `${dtype} ${exact}`).toBe(true);
      }
  });

  it('a zero gradient gives no step but weight decay', () => {
    const start = random(4, 3);
    for (const exact of [true, false]) {
      expect(maxAbs(stepsOf(muon({ exact }), start, [Matrix.zeros(4, 3)])[0])).toBe(0);
      const [step] = stepsOf(muon({ exact, weightDecay: 0.5, learningRate: 0.1 }), start, [Matrix.zeros(4, 3)]);
      expectClose(step, combine(-0.05, start, 0, start), 1e-15);
    }
  });

  it('throws NumericalError NOT_FINITE naming the parameter on NaN', () => {
    const bad = Matrix.from([[1, NaN]]);
    const steps = (options: MuonOptions) => () => stepsOf(muon(options), Matrix.zeros(1, 2), [bad]);
    expectThrows(steps({ exact: true }), NumericalError, 'NOT_FINITE', /muon: W0: svd: .*NaN/);
    expectThrows(steps({}), NumericalError, 'NOT_FINITE', /muon: W0: the step holds NaN/);
  });

  it('goes on from saved state bit for bit', () => {
    const values = [random(7, 3), random(1, 4)];
    const roles: Parameter['role'][] = ['weight', 'bias'];
    const gradients = sequence(7, 3, COUNT).map((g, t) => [g, random(1, 4, 'float64', t)]);
    const whole = runOf(muon(), values, roles);
    const saved: Record<string, Matrix> = {};
    let from: Matrix[] = [];
    const steps = gradients.map((g, t) => {
      if (t === 7) {
        flatten(whole.state, 'o', saved);
        from = whole.params.map(({ value }) => value.clone());
      }
      return whole.step(g);
    });
    const second = runOf(muon(), from, roles, 7);
    requireFit(second.state, 'o', saved);
    restore(second.state, 'o', saved);
    gradients.slice(7).forEach((g, k) => second.step(g).forEach((s, i) => expect(maxAbsDiff(s, steps[7 + k][i])).toBe(0)));
  });

  it('makes no matrix in an update by Newton-Schulz', () => {
    const run = runOf(muon(), [random(5, 3), random(3, 5), random(1, 4)], ['weight', 'weight', 'bias']);
    const gradients = [atOffset(random(5, 3)), atOffset(random(3, 5)), atOffset(random(1, 4))];
    expect(matricesMadeBy(() => run.step(gradients))).toBe(3); // those that `step` returns
  });

  it.each<[string, MuonOptions, RegExp]>([
    ['an unknown key of vectors', { vectors: { rate: 1 } as never }, /muon: vectors.rate: unknown key/],
    ['a momentum of 1', { momentum: 1 }, /muon: momentum: must be less than 1/],
    ['no steps', { steps: 0 }, /muon: steps: must be at least 1; got 0/],
    ['two coefficients', { coefficients: [1, 2] as never }, /muon: coefficients/],
  ])('throws OptionsError for %s', (_title, options, message) => {
    expectThrows(() => muon(options), OptionsError, 'ERR_OPTIONS', message);
  });

  it('refuses a list of rates that is not one a layer, for vectors too', () => {
    const start = [random(2, 2), random(2, 2)];
    expectThrows(() => runOf(muon({ learningRate: [1, 2, 3] }), start), OptionsError, 'ERR_OPTIONS', /learningRate: .*2 layers/);
    expectThrows(() => runOf(muon({ vectors: { beta1: [0.1] } }), start), OptionsError, 'ERR_OPTIONS', /vectors: beta1: .*2 layers/);
  });
});

describe('newtonSchulz', () => {
  it.each(DTYPES.flatMap((row) => SHAPES.map(([rows, cols]) => ({ ...row, rows, cols }))))(
    'brings the singular values of a $rows x $cols $dtype matrix near 1, in place',
    ({ dtype, epsilon, rows, cols }) => {
      const g = random(rows, cols, dtype);
      const expected = bySingularValues(g.clone('float64'));
      const placed = atOffset(g);
      const [work] = newtonSchulzWorks([[rows, cols]], dtype);
      expect(newtonSchulz(placed, 5, [3.4445, -4.775, 2.0315], work)).toBe(placed);
      expectClose(placed, expected, 200 * epsilon);
      for (const s of svd(placed).s) expect(Math.abs(s - 0.95)).toBeLessThan(0.3);
    },
  );
});

describe('polarFactor', () => {
  it.each(SHAPES)("is U V' of a %s x %s matrix, orthonormal on its shorter side", (rows, cols) => {
    const g = random(rows, cols);
    expectClose(polarFactor(g.clone()), polarByRoot(g), 1e-12);
  });

  it("drops singular values that are zero to rounding: of a rank-one matrix it is u v', of zero zero", () => {
    const [u, v] = [random(5, 1), random(1, 4, 'float64', 2)];
    const g = multiply(u, v);
    expectClose(polarFactor(g.clone()), combine(1 / (norm(u) * norm(v)), g, 0, g), 1e-12);
    expect(maxAbs(polarFactor(Matrix.zeros(3, 2)))).toBe(0);
  });
});
