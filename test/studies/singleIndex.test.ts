/** The studies of one step on invented records: what they plan, that every verdict follows the numbers, and that they draw. */
import { describe, expect, it } from 'vitest';
import type { ExperimentRecord } from '../../lib/experiments/index.js';
import { renderSvg } from '../../lib/figures/index.js';
import { studies, type Analysis } from '../../lib/studies/index.js';
import type { Trial } from '../../lib/sweep/index.js';
import { verdictsOf } from './worlds.js';

const OPTIONS = { scale: 'quick', seed: 0 } as const;
type Config = Record<string, never> & {
  seed: number;
  samples: number;
  noise: number;
  method: string;
  lambdas: number[];
  covariance: { exponent: number };
};
type World = (config: Config) => Pick<ExperimentRecord, 'metrics' | 'tables'>;

const one = (values: Record<string, number>): ExperimentRecord['metrics'] =>
  Object.fromEntries(Object.entries(values).map(([k, v]) => [k, { steps: [1], values: [v] }]));

function analysed(name: string, world: World): Analysis {
  const study = studies[name];
  const lookup = (t: Trial): ExperimentRecord =>
    ({
      status: 'done',
      steps: 1,
      timing: { trainingSeconds: 1, at: [] },
      config: t.config,
      provenance: {},
      ...world(t.config as never),
    }) as never;
  expect(study.plan(OPTIONS, () => undefined).length).toBeGreaterThan(10);
  return study.analyse(OPTIONS, lookup);
}
const jitter = (seed: number): number => 0.001 * Math.sin(7 * seed);

describe('fig-alignment', () => {
  /** @param o  what SGD has at a = 0, 0.5, ... less; what the best lambda has; Adam */
  const world =
    (o: { sgd?: (a: number) => number; best?: number; adam?: number; off?: number } = {}): World =>
    ({ seed, lambdas, covariance: { exponent: a } }) => {
      const { sgd = (x: number) => 0.5 / (1 + x) ** 3, best = 0.6, adam = 0.05, off = 0 } = o;
      const theory = lambdas.map((_, k) => best - 0.02 * Math.abs(k - 7));
      const rho2 = theory.map((t) => t + off + jitter(seed));
      const zero = lambdas.map(() => 1);
      return {
        metrics: one({ sgd: sgd(a) + jitter(seed), sgdTheory: sgd(a), adam: adam + jitter(seed), adamRotated: adam + jitter(seed) }),
        tables: { path: { lambda: lambdas, rho2, rho2Theory: theory, inner: zero, norm2: zero } },
      };
    };

  it('reproduces every claim where the numbers say so', () => {
    expect(verdictsOf(analysed('fig-alignment', world()))).toEqual({
      T1: 'REPRODUCED',
      A8: 'REPRODUCED',
      B7: 'REPRODUCED',
      C8: 'REPRODUCED',
      C9: 'REPRODUCED',
    });
  });

  it.each([
    ['T1', { off: 0.05 }],
    ['A8', { sgd: () => 0.2 }],
    ['B7', { best: 0.05, adam: 0 }],
    ['C8', { adam: 0.5 }],
    ['C9', { adam: 0.5 }],
  ] as const)('prints NOT REPRODUCED for %s where they do not', (id, o) => {
    expect(verdictsOf(analysed('fig-alignment', world(o)))[id]).toBe('NOT REPRODUCED');
  });

  it('draws lines, dots and places, and has a row for each dot', async () => {
    const { charts, rows } = analysed('fig-alignment', world());
    expect(rows).toHaveLength(4 * 3 * (15 + 3));
    const svg = await renderSvg(charts['figure']);
    for (const text of ['SGD', 'rotated', 'noise 0.1', 'a = 1.5', 'Learning a direction']) expect(svg).toContain(text);
  });
});

describe('fig-one-step', () => {
  const METHODS = ['none', 'sgd', 'adam', 'adamRotated', 'population', 'batchNormSgd', 'batchNormAdam', 'layerwise'];
  const world =
    (errors: Partial<Record<string, number>> = {}, flat = false): World =>
    ({ seed, covariance: { exponent: a } }) => {
      const value = (m: string): number => (m === 'layerwise' ? 0.3 : (errors[m] ?? (a === 0 && !flat ? 0.35 : 0.45))) + jitter(seed);
      const columns = Object.fromEntries(METHODS.map((m) => [m, [0.5]]));
      return { metrics: one(Object.fromEntries(METHODS.map((m) => [m, value(m)]))), tables: { exponent: columns, ridge: columns } };
    };

  it('reproduces every claim where the numbers say so', () => {
    for (const verdict of Object.values(verdictsOf(analysed('fig-one-step', world())))) expect(verdict).toBe('REPRODUCED');
  });

  it.each([
    ['A9', world({ sgd: 0.37 })],
    ['A9', world({ none: 0.31 })],
    ['C10', world({ adamRotated: 0.37 })],
    ['C11', world({ adam: 0.37 })],
    ['C12', world({ batchNormAdam: 0.37 })],
    ['A10', world({}, true)],
  ] as const)('prints NOT REPRODUCED for %s where they do not', (id, w) => {
    expect(verdictsOf(analysed('fig-one-step', w))[id]).toBe('NOT REPRODUCED');
  });

  it('draws both sweeps', async () => {
    const { charts } = analysed('fig-one-step', world());
    for (const name of ['figure', 'figure-anisotropy']) expect(await renderSvg(charts[name])).toContain('Population preconditioner');
  });
});

describe('fig-spectrum', () => {
  const world =
    (o: { off?: number; top?: number; sgd?: number } = {}): World =>
    ({ seed, method }) => {
      const { off = 0.01, top = 3.3, sgd = 0.4 } = o;
      const moved = method !== 'none';
      return {
        metrics: one({
          topWeight: moved ? top : 1.8,
          topWeightTheory: moved ? 3.3 : 1.8,
          topDirection: (method === 'layerwise' ? 0.8 : method === 'sgd' ? sgd : 0) + jitter(seed),
          stepDirection: 0.8,
          topWithStep: 0.9,
          topWithStepTheory: 0.9,
          weightsOff: off,
          featuresOff: 0.01,
        }),
        tables: {
          weights: { singularValue: [3.3, 1.7, 1.5, 1.2, 1, 0.7, 0.3] },
          weightsDensity: { x: [0.2, 1, 1.8], density: [0, 0.8, 0], interval: [0, 0, 0] },
          features: { eigenvalue: [50, 8, 1.5, 1, 0.5, 0.2, 0.1] },
          featuresDensity: { x: [0.1, 0.5, 1.6, 7, 8, 9], density: [0, 1, 0, 0, 0.1, 0], interval: [0, 0, 0, 1, 1, 1] },
        },
      };
    };

  it.each([
    [{}, { T2: 'REPRODUCED', T3: 'REPRODUCED', B8: 'REPRODUCED' }],
    [{ off: 0.05 }, { T2: 'NOT REPRODUCED', T3: 'REPRODUCED', B8: 'REPRODUCED' }],
    [{ top: 3.5 }, { T2: 'REPRODUCED', T3: 'NOT REPRODUCED', B8: 'REPRODUCED' }],
    [{ sgd: 0.8 }, { T2: 'REPRODUCED', T3: 'REPRODUCED', B8: 'NOT REPRODUCED' }],
  ])('judges by the numbers: %j', (o, expected) => {
    expect(verdictsOf(analysed('fig-spectrum', world(o)))).toEqual(expected);
  });

  it('draws six panels', async () => {
    const svg = await renderSvg(analysed('fig-spectrum', world()).charts['figure']);
    for (const text of ['Before the step', 'After a step of SGD', 'singular value of the first layer']) expect(svg).toContain(text);
  });
});
