import { describe, expect, it } from 'vitest';
import { renderSvg } from '../../lib/figures/index.js';
import { stepsTo, type Slope } from '../../lib/studies/figCondition.js';
import { studies } from '../../lib/studies/index.js';
import type { Trial } from '../../lib/sweep/index.js';
import { analysed, conditionOf, configOf, every, kindOf, recordOf, verdictsOf, wobble, type RunConfig } from './worlds.js';

const study = studies['fig-condition'];

/** Steps to the target; best at a learning rate in the middle of every grid. */
type World = (config: RunConfig) => number;
/** @param floor  where runs without a target settle @param ending  how those end */
const world =
  (need: World, floor: World = () => 0.01, ending: 'done' | 'diverged' = 'done') =>
  (t: Trial) => {
    const config = configOf(t);
    const rate = Number(config.optimizer['learningRate']);
    const count = need(config) * wobble(config.seed) * (1 + 0.1 * Math.abs(Math.log(rate)));
    const { target, every: by, steps: budget } = config.train;
    if (target === undefined) return recordOf(t, every(by, budget), { distance: () => floor(config) }, ending);
    const value = (step: number): number => target.below ** (step / count);
    const steps = every(by, budget);
    const end = steps.findIndex((s) => value(s) <= target.below);
    return recordOf(t, end < 0 ? steps : steps.slice(0, end + 1), { distance: value });
  };
const paper: World = (c) => (kindOf(c) === 'layerwise' ? 40 : 40 * conditionOf(c) ** 0.8 * c.task.headCondition ** 1.2);
const flat: World = () => 40;

describe('fig-condition', () => {
  it('ends a run at the target, and interpolates where it was crossed', () => {
    const record = (values: number[]) => ({
      steps: 10 * (values.length - 1),
      metrics: { distance: { steps: values.map((_, i) => 10 * i), values } },
    });
    expect(stepsTo(record([1, 0.4, 0.025]) as never, 0.1, 500)).toEqual({ steps: 15, bound: false });
    expect(stepsTo(record([1, 0.4, 0.1]) as never, 0.1, 500)).toEqual({ steps: 20, bound: false });
    expect(stepsTo(record([1, 0.4, 0.2]) as never, 0.1, 500)).toEqual({ steps: 500, bound: true });
    expect(stepsTo(record([0.05]) as never, 0.1, 500)).toEqual({ steps: 1, bound: false });
  });

  it('measures the slopes of a world, with runs that do not get there as lower bounds', () => {
    const { data } = analysed(study, world(paper));
    const slope = (method: string, panel: string): Slope =>
      (data as never as { slopes: Slope[] }).slopes.find((s) => s.method === method && s.panel === panel)!;
    const sgd = slope('SGD', 'kappa');
    expect(sgd.censored).toBeGreaterThan(0); // 40 * 10^3.2 steps are beyond the budget
    expect(sgd.decided).toBe(true);
    expect(sgd.mean).toBeCloseTo(0.8, 1);
    expect(slope('SGD', 'kappaF').mean).toBeCloseTo(1.2, 1);
    expect(Math.abs(slope('Layer-wise (KFAC)', 'kappa').mean)).toBeLessThan(0.01);
  });

  it('judges by them, both ways', () => {
    expect(new Set(Object.values(verdictsOf(analysed(study, world(paper)))))).toEqual(new Set(['REPRODUCED']));
    expect(verdictsOf(analysed(study, world(flat)))).toMatchObject({
      A5: 'NOT REPRODUCED',
      A6: 'NOT REPRODUCED',
      C4: 'NOT REPRODUCED',
      B4: 'REPRODUCED',
    });
    const grows: World = (c) => 40 * conditionOf(c) ** 0.3;
    expect(verdictsOf(analysed(study, world(grows)))).toMatchObject({ A5: 'NOT REPRODUCED', B4: 'NOT REPRODUCED', B5: 'REPRODUCED' });
  });

  it('says where noise is in the way', () => {
    const high: World = (c) => (c.task.headCondition === 100 ? 0.2 : 0.01);
    expect(verdictsOf(analysed(study, world(paper, high)))).toMatchObject({ T4: 'NOT REPRODUCED', B4: 'REPRODUCED' });
    expect(
      verdictsOf(
        analysed(
          study,
          world(paper, () => 0.01, 'diverged'),
        ),
      ),
    ).toMatchObject({ T4: 'NOT REPRODUCED' }); // it never settled
  });

  it('draws bounds as arrows', async () => {
    const { charts } = analysed(study, world(paper));
    const svg = await renderSvg(charts['figure']);
    expect(svg).toContain('\u2191');
    expect(svg).toContain('Ill-conditioned inputs');
    expect(await renderSvg(analysed(study, world(flat)).charts['figure'])).not.toContain('\u2191');
  });
});
