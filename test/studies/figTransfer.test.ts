/** The study on invented records: what it plans, what it draws, and that every verdict follows the numbers. */
import { describe, expect, it } from 'vitest';
import type { ExperimentRecord } from '../../lib/experiments/index.js';
import { renderSvg } from '../../lib/figures/index.js';
import { parseConfig } from '../../lib/experiments/index.js';
import { METHODS, type Method } from '../../lib/studies/methods.js';
import { studies, type Analysis } from '../../lib/studies/index.js';
import type { Trial } from '../../lib/sweep/index.js';
import { verdictsOf } from './worlds.js';

const study = studies['fig-transfer'];
const OPTIONS = { scale: 'quick', seed: 0 } as const;

interface Facts {
  readonly method: string;
  readonly condition: number;
  readonly rate: number;
  readonly seed: number;
}

/** A method's optimiser with every default, at learning rate 1. */
const optionsOf = memoised((m: Method): string =>
  JSON.stringify(parseConfig({ optimizer: { ...m.optimizer, learningRate: 1 } }).optimizer),
);

function memoised<K, V>(f: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => known.get(key) ?? (known.set(key, f(key)), known.get(key)!);
}

/** Which method of the study a trial belongs to. */
function factsOf({ config }: Trial): Facts {
  const { optimizer, network, train, task, seed } = config as never as {
    optimizer: Record<string, unknown> & { name: string; learningRate: number };
    network: { batchNorm: boolean };
    train: { order?: string };
    task: { covariance: { condition: number } };
    seed: number;
  };
  const method = METHODS.find(
    (m) =>
      (m.batchNorm ?? false) === network.batchNorm &&
      m.order === train.order &&
      optionsOf(m) === JSON.stringify({ ...optimizer, learningRate: 1 }),
  );
  return { method: method!.name, condition: task.covariance.condition, rate: optimizer.learningRate, seed };
}

type World = (facts: Facts) => { loss: number; distance: number; transfer: number };

/** A record that ends where the world says, coming down from 1 over the study's steps. */
function recordIn(world: World) {
  return (t: Trial): ExperimentRecord => {
    const facts = factsOf(t);
    const end = world(facts);
    const steps = Array.from({ length: 31 }, (_, i) => i * 10);
    const curve = (final: number, from = 0) => ({
      steps: steps.slice(from),
      values: steps.slice(from).map((s) => final ** (s / 300) * (1 + 1e-3 * (facts.seed % 5))),
    });
    return {
      status: 'done',
      steps: 300,
      metrics: { loss: curve(end.loss, 1), distance: curve(end.distance), transfer: curve(end.transfer), population: curve(end.loss) },
      timing: { trainingSeconds: 1, at: steps.map((s) => s / 300) },
      config: t.config,
      provenance: {} as ExperimentRecord['provenance'],
    };
  };
}

/** Every method's best rate is in the middle of its grid. */
const nearGrid = ({ method, rate }: Facts): number => {
  const { grid } = METHODS.find((m) => m.name === method)!;
  return 1 + Math.abs(Math.log(rate / grid[Math.floor(grid.length / 2)])) * 0.5;
};

/** The paper's world: layer-wise methods small errors everywhere; SGD and the rest grow with the condition number. */
const paper: World = (f) => {
  const good = /Layer-wise|Whitened/.test(f.method);
  const growth = { 1: 0, 100: 1, 10000: 2 }[f.condition]!;
  const base = good ? 0.02 : f.method === 'Full Gauss-Newton' ? 0.05 : f.method.startsWith('Batch-norm') ? 0.16 : 0.15;
  const distance = Math.min(0.99, base * (good ? 1 : 2 ** growth) * nearGrid(f));
  return { loss: 0.08, distance, transfer: distance ** 2 / 4 };
};

function analysis(world: World): { result: Analysis; planned: number } {
  const lookup = recordIn(world);
  const planned = study.plan(OPTIONS, lookup).length;
  return { result: study.analyse(OPTIONS, lookup), planned };
}

describe('fig-transfer', () => {
  it('plans the search first, then the evaluation on seeds that the search has not seen', () => {
    const search = study.plan(OPTIONS, () => undefined);
    const all = study.plan(OPTIONS, recordIn(paper));
    const seedsOf = (trials: Trial[]): Set<number> => new Set(trials.map((t) => t.config.seed));
    expect(seedsOf(search)).toEqual(new Set([5000, 5001]));
    expect(seedsOf(all)).toEqual(new Set([5000, 5001, 0, 1, 2, 3, 4]));
    expect(all.length - search.length).toBe(METHODS.filter((m) => m.full !== true).length * 3 * 5);
  });

  it('tries at least four learning rates for each main method, extensions included', () => {
    for (const m of METHODS.filter((x) => x.main === true)) expect(m.grid.length, m.name).toBeGreaterThanOrEqual(4);
  });

  it('reproduces every claim in a world as the paper has it', () => {
    expect(new Set(Object.values(verdictsOf(analysis(paper).result)))).toEqual(new Set(['REPRODUCED']));
  });

  it('reproduces none of the comparisons in a world where all methods are alike', () => {
    const flat: World = (f) => ({ loss: 0.08, distance: 0.1 * nearGrid(f), transfer: 0.01 });
    const found = verdictsOf(analysis(flat).result);
    for (const id of ['A1', 'A2', 'A4', 'B1', 'B2', 'B3', 'C3', 'D1']) expect(found[id], id).toBe('NOT REPRODUCED');
  });

  it('does not take a loss that tells methods apart for one that hides it', () => {
    const telling: World = (f) => ({ ...paper(f), loss: f.method === 'SGD' || f.method === 'Adam' ? 0.2 : 0.08 });
    expect(verdictsOf(analysis(telling).result)).toMatchObject({ A3: 'NOT REPRODUCED', A4: 'NOT REPRODUCED' });
  });

  it('says that Adam helps where it does', () => {
    const helping: World = (f) => ({ ...paper(f), ...(f.method === 'Adam' ? { distance: 0.025 * nearGrid(f) } : {}) });
    expect(verdictsOf(analysis(helping).result)).toMatchObject({ 'C1.1': 'NOT REPRODUCED', 'C1.2': 'NOT REPRODUCED' });
  });

  it('keeps wall-clock out of its data and repeats to the byte', () => {
    const [a, b] = [analysis(paper).result, analysis(paper).result];
    expect(JSON.stringify(a.data)).toBe(JSON.stringify(b.data));
    expect(JSON.stringify(a.data)).not.toMatch(/seconds/i);
    expect(a.rows[0]).toEqual(expect.objectContaining({ condition: '1', method: 'Layer-wise (KFAC)', metric: 'loss', step: 10 }));
  });

  it('draws all its charts', async () => {
    const { result } = analysis(paper);
    expect(Object.keys(result.charts)).toEqual(['figure', 'figure-seconds', 'figure-methods']);
    for (const spec of Object.values(result.charts)) expect(await renderSvg(spec)).toContain('Adam');
  });
});
