import { describe, expect, it } from 'vitest';
import { renderSvg } from '../../lib/figures/index.js';
import type { RateLine } from '../../lib/studies/figLr.js';
import { studies, type Analysis } from '../../lib/studies/index.js';
import type { Trial } from '../../lib/sweep/index.js';
import { analysed, configOf, every, kindOf, recordOf, verdictsOf, wobble, type RunConfig } from './worlds.js';

const study = studies['fig-lr'];
const rateOf = ({ optimizer }: RunConfig): number => Number(optimizer['learningRate']);

/** Where a run ends; NaN where it diverges. */
type World = (config: RunConfig) => number;
const world = (end: World) => (t: Trial) => {
  const config = configOf(t);
  const final = end(config) * wobble(config.seed);
  const steps = every(config.train.every, config.train.steps);
  return recordOf(t, steps, { distance: (s) => final ** (s / 300) }, Number.isNaN(final) ? 'diverged' : 'done');
};
/** A valley around a best rate; above ten times that rate runs diverge. */
const valley = (floor: number, best: number, rate: number): number =>
  rate > 10 * best ? NaN : floor * (1 + Math.abs(Math.log2(rate / best)) / 2);
const damped = (config: RunConfig): number => 1 + Math.abs(Math.log10(Number(config.optimizer['damping'] ?? 1e-3)) + 3) / 8;
const paper: World = (c) => {
  if (kindOf(c) === 'layerwise') return valley(0.02, 0.25, rateOf(c));
  if (kindOf(c) === 'gaussNewton') return valley(0.06, 0.125, rateOf(c)) * damped(c) ** 6;
  return valley(0.2, 0.125, rateOf(c));
};
const lineOf = ({ data }: Analysis, method: string): RateLine =>
  (data as never as { lines: RateLine[] }).lines.find((l) => l.method === method)!;

describe('fig-lr', () => {
  it('tells the best rate, the window within a factor 2 of it, and where runs were lost', () => {
    const { best, window, points } = lineOf(analysed(study, world(paper)), 'SGD');
    expect(best.rate).toBe(0.125);
    expect(window).toEqual({ low: 2 ** -5, high: 0.5, atEdge: false });
    expect(points.filter((p) => p.lost > 0).map((p) => p.rate)).toEqual([2, 4, 8 /* 2^3 */].filter((r) => r > 1.25));
  });

  it('judges the claims both ways', () => {
    expect(new Set(Object.values(verdictsOf(analysed(study, world(paper)))))).toEqual(new Set(['REPRODUCED']));
    const other: World = (c) => (kindOf(c) === 'layerwise' ? valley(0.2, 0.25, rateOf(c)) * damped(c) ** 6 : valley(0.02, 0.25, rateOf(c)));
    expect(new Set(Object.values(verdictsOf(analysed(study, world(other)))))).toEqual(new Set(['NOT REPRODUCED']));
  });

  it('takes Gauss-Newton at its best setting on tuning seeds', () => {
    const { data } = analysed(study, world(paper));
    const { best } = data as never as { best: { method: string; rate: number; damping: number; atEdge: boolean }[] };
    expect(best.map(({ method, rate, damping, atEdge }) => ({ method, rate, damping, atEdge }))).toEqual([
      { method: 'Layer-wise (KFAC)', rate: 0.25, damping: 1e-8, atEdge: true },
      { method: 'Full Gauss-Newton', rate: 0.125, damping: 1e-3, atEdge: false },
    ]);
  });

  it('draws a cross where runs were lost, and the map of learning rate and damping', async () => {
    const { charts } = analysed(study, world(paper));
    for (const chart of Object.values(charts)) expect(await renderSvg(chart)).toContain('<svg');
    expect(await renderSvg(charts['figure-damping'])).toContain('\u00d7');
  });

  it('draws for every method the window around its best rate, hollow where it reaches the edge, and what was lost', async () => {
    const flatShampoo: World = (c) => (c.optimizer['name'] === 'shampoo' ? 0.9 : paper(c));
    const { data, charts } = analysed(study, world(flatShampoo));
    const lines = (data as never as { lines: RateLine[] }).lines;
    const svg = await renderSvg(charts['figure-windows']);
    const filled = (color: string): number => svg.match(new RegExp(`<path[^>]*fill="${color}"[^>]*stroke`, 'g'))?.length ?? 0;
    const crosses = svg.match(/<path[^>]*stroke="#73180f"/g)?.length ?? 0;
    expect(filled('white')).toBe(lines.filter((l) => l.window.atEdge).length);
    expect(crosses).toBe(lines.flatMap((l) => l.points.filter((p) => p.lost > 0)).length);
    expect(lines.some((l) => l.window.atEdge)).toBe(true);
    expect(crosses).toBeGreaterThan(0);
    for (const { method } of lines) expect(svg).toContain(method);
  });
});
