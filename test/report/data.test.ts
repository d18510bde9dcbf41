/** What a report says of a store whose every number is known. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OptionsError } from '../../lib/errors.js';
import { bootstrapInterval, quantile } from '../../lib/metrics/index.js';
import { reportData, type ReportData } from '../../lib/report/index.js';
import { openStore } from '../../lib/sweep/index.js';
import { syntheticSweep, temporaryFolder, writeSweep, type Ending, type Made, type Sweep } from './stores.js';

let folder: string;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function report(sweep: Sweep): ReportData {
  writeSweep(folder, sweep);
  return read();
}

function read(sweep?: number): ReportData {
  const store = openStore(folder);
  try {
    return reportData(store, { sweep });
  } finally {
    store.close();
  }
}

const OBJECTIVE = { metric: 'distance', goal: 'min', at: 'last', per: ['optimizer.name'] };
const setting = (name: string, rest: object, values: readonly number[], more: Partial<Made> = {}): Made => ({
  config: { optimizer: { name, ...rest } },
  seeds: values.map((_, i) => i),
  end: (seed) => ({ curves: { loss: [9, 8], distance: [1, values[seed]] } }),
  ...more,
});
const diverged = (): Ending => ({ state: 'diverged', curves: { distance: [1, 5] } });

describe('reportData', () => {
  it('of an empty store has nothing, and says so', () => {
    openStore(folder, { mode: 'write' }).close();
    const data = read();
    expect(data.status.sweep).toBeNull();
    expect(data).toMatchObject({ objective: null, best: [], sensitivity: [], parallel: null, failures: { total: 0 }, provenances: [] });
  });

  it('of a sweep of which nothing has run has its counts', () => {
    const data = report({ spec: { objective: OBJECTIVE }, made: [setting('sgd', {}, [1, 2], { end: () => undefined })] });
    expect(data.status).toMatchObject({ planned: 2, states: { planned: 2, done: 0 } });
    expect(data).toMatchObject({ settings: 0, objective: null, best: [] });
  });

  it('refuses a sweep that is not there, naming those that are', () => {
    writeSweep(folder, { name: 'first', made: [] });
    expect(() => read(7)).toThrow(OptionsError);
    expect(() => read(7)).toThrow('report: sweep: no sweep 7 in this store, which has 1 (first)');
  });

  it('is of the last sweep unless told', () => {
    const first = writeSweep(folder, { name: 'first', made: [setting('sgd', {}, [1])] });
    writeSweep(folder, { name: 'second', made: [setting('adam', {}, [2])] });
    expect(read().name).toBe('second');
    expect(read(first).name).toBe('first');
    expect(read(first).best.map(({ group }) => group)).toEqual([{ 'optimizer.name': 'sgd' }]);
  });

  it('takes the first metric but the loss, smallest best, where the specification names no objective', () => {
    const data = report({ made: [setting('sgd', {}, [1])] });
    expect(data).toMatchObject({ assumed: true, objective: { metric: 'distance', goal: 'min', at: 'last', per: ['optimizer.name'] } });
  });

  it('offers at most eight metrics, the objective first, and counts the others', () => {
    const curves = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`m${i}`, [1]]));
    const end = (): Ending => ({ curves });
    const data = report({ spec: { objective: { ...OBJECTIVE, metric: 'm9' } }, made: [setting('sgd', {}, [1], { end })] });
    expect(data.metrics).toEqual(['m9', 'm0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6']);
    expect(data.otherMetrics).toBe(3);
  });
});

describe('the best setting', () => {
  const at = (learningRate: number, values: readonly number[], more?: Partial<Made>): Made =>
    setting('sgd', { learningRate }, values, more);

  it('has the mean over its seeds and the bootstrap interval of it', () => {
    const [row] = report({ spec: { objective: OBJECTIVE }, made: [at(0.1, [4, 5, 6]), at(0.2, [1, 2, 6])] }).best;
    expect(row).toMatchObject({ mean: 3, seeds: 3, among: 2, chosenOn: 'evaluation', config: { optimizer: { learningRate: 0.2 } } });
    expect([row.low, row.high]).toEqual([1, 6]); // of three values, both ends are drawn three times in one of 27
    expect(row.setting).toEqual({ 'optimizer.learningRate': 0.2 });
  });

  it('is chosen on tuning seeds where there are any, and reported on the others', () => {
    const tuned = (rate: number, value: number): Made =>
      at(rate, [value], { seeds: [1_000_000], role: 'tuning', end: () => ({ curves: { distance: [value] } }) });
    const data = report({ spec: { objective: OBJECTIVE }, made: [tuned(0.1, 3), tuned(0.2, 2), at(0.1, [0]), at(0.2, [7, 9])] });
    expect(data.best).toHaveLength(1);
    expect(data.best[0]).toMatchObject({
      mean: 8,
      score: 2,
      seeds: 2,
      among: 2,
      chosenOn: 'tuning',
      setting: { 'optimizer.learningRate': 0.2 },
    });
  });

  it('is not one of which a run diverged, however good its others are', () => {
    const [row] = report({
      spec: { objective: OBJECTIVE },
      made: [at(0.1, [0, 0], { end: (seed) => (seed === 0 ? { curves: { distance: [0] } } : diverged()) }), at(0.2, [9])],
    }).best;
    expect(row.setting).toEqual({ 'optimizer.learningRate': 0.2 });
  });
});

describe('sensitivity', () => {
  const grid = (values: Readonly<Record<string, readonly number[]>>, end?: Made['end']): Made[] =>
    Object.entries(values).flatMap(([rate, own]) =>
      own.map((value, damping) => setting('sgd', { learningRate: Number(rate), damping }, [value], end === undefined ? {} : { end })),
    );
  const axes = [
    { path: 'optimizer.learningRate', values: [0.01, 0.5] },
    { path: 'optimizer.damping', values: [0, 1, 2] },
  ];

  it('has the best value over the other axes, and the quartiles of all', () => {
    const data = report({ spec: { objective: OBJECTIVE, axes }, made: grid({ 0.01: [5, 3, 8], 0.5: [2, 9, 4] }) });
    expect(data.sensitivity.map(({ path, kind }) => [path, kind])).toEqual([
      ['optimizer.learningRate', 'log'],
      ['optimizer.damping', 'linear'],
    ]);
    const [rates, dampings] = data.sensitivity.map(({ points }) => points['distance']);
    expect(rates).toEqual([
      { series: 0, panel: 0, x: 0.01, best: 3, low: quantile([5, 3, 8], 0.25), high: quantile([5, 3, 8], 0.75), settings: 3, lost: 0 },
      { series: 0, panel: 0, x: 0.5, best: 2, low: quantile([2, 9, 4], 0.25), high: quantile([2, 9, 4], 0.75), settings: 3, lost: 0 },
    ]);
    expect(dampings.map(({ x, best }) => [x, best])).toEqual([
      [0, 2],
      [1, 3],
      [2, 4],
    ]);
  });

  it('of another metric is that of the setting which is best by the objective', () => {
    const made = grid({ 0.01: [5, 3], 0.5: [2, 9] }).map((m, i): Made => ({
      ...m,
      end: () => ({ curves: { distance: [[5, 3, 2, 9][i]], other: [10 * i] } }),
    }));
    const data = report({ spec: { objective: OBJECTIVE, axes }, made });
    expect(data.sensitivity[0].points['other'].map(({ best }) => best)).toEqual([10, 20]);
  });

  it('counts a setting that diverged as the worst, and says where none ended well', () => {
    const made = [...grid({ 0.01: [5, 3] }), ...grid({ 0.5: [0, 0] }, diverged)];
    const [first, second] = report({ spec: { objective: OBJECTIVE, axes }, made }).sensitivity[0].points['distance'];
    expect(first).toMatchObject({ best: 3, lost: 0 });
    expect(second).toMatchObject({ best: NaN, low: Infinity, high: Infinity, settings: 2, lost: 2 });
  });

  it('of another metric leaves out a setting of which a run diverged', () => {
    const end = (): Ending => ({ state: 'diverged', curves: { distance: [1], other: [1e9] } });
    const well = (): Ending => ({ curves: { distance: [2], other: [4] } });
    const made = [grid({ 0.01: [1] }, end), grid({ 0.01: [1, 1] }, well).slice(1), grid({ 0.5: [1] }, end)].flat();
    const points = report({ spec: { objective: OBJECTIVE, axes }, made }).sensitivity[0].points['other'];
    expect(points).toMatchObject([
      { best: 4, low: 4, high: 4, settings: 2, lost: 1 },
      { best: NaN, low: NaN, high: NaN, lost: 1 },
    ]);
  });

  it('has the largest value where the objective is to be large', () => {
    const made = grid({ 0.01: [5, 3, 8], 0.5: [2, 9, 4] });
    const points = report({ spec: { objective: { ...OBJECTIVE, goal: 'max' }, axes }, made }).sensitivity[0].points['distance'];
    expect(points.map(({ best }) => best)).toEqual([8, 9]);
  });

  it('makes a category of words, and of whole optimisers with names', () => {
    const made = ['a', 'b'].map((word) => ({ ...setting('sgd', {}, [1]), config: { optimizer: { name: 'sgd' }, task: { name: word } } }));
    const data = report({ spec: { objective: OBJECTIVE, axes: [{ path: 'task', values: [{ name: 'a' }, { name: 'b' }] }] }, made });
    expect(data.sensitivity[0]).toMatchObject({ path: 'task', kind: 'category', labels: [{ short: 'a' }, { short: 'b' }] });
  });

  it('gathers more than 24 numbers into twelve intervals', () => {
    const rates = Array.from({ length: 60 }, (_, i) => 10 ** (-4 + i / 15));
    const spec = { objective: OBJECTIVE, axes: [{ path: 'optimizer.learningRate', logUniform: { from: 1e-4, to: 1 } }] };
    const [axis] = report({ spec, made: rates.map((learningRate) => setting('sgd', { learningRate }, [learningRate])) }).sensitivity;
    expect(axis.gathered).toBe(true);
    expect(axis.points['distance']).toHaveLength(12);
    expect(axis.points['distance'].reduce((sum, { settings }) => sum + settings, 0)).toBe(60);
  });

  it('has a series for each of eight values and a panel for each of six, and counts what it leaves out', () => {
    const made = Array.from({ length: 10 }, (_, n) =>
      Array.from({ length: 7 }, (_, c): Made => ({
        ...setting(`method ${n}`, {}, [n]),
        config: { optimizer: { name: `method ${n}` }, task: { condition: 7 - c } },
      })),
    ).flat();
    const data = report({ spec: { objective: { ...OBJECTIVE, per: ['optimizer.name', 'task.condition'] } }, made });
    expect(data.comparison.series).toHaveLength(8);
    expect(data.comparison.panels.map(({ short }) => short)).toEqual([1, 2, 3, 4, 5, 6].map((c) => `condition ${c}`));
    expect(data.comparison.omitted).toEqual({ series: 2, panels: 1 });
    expect(data.best).toHaveLength(70);
    expect(data.best.filter(({ place }) => place === null)).toHaveLength(70 - 48);
  });
});

describe('curves', () => {
  it('are the means over seeds of the best setting at each step, with their bootstrap band', () => {
    const made = [
      setting('sgd', { learningRate: 1 }, [0, 0, 0], { end: (seed) => ({ curves: { distance: [4, 2 + seed, 1 + seed] } }) }),
      setting('sgd', { learningRate: 2 }, [9]),
    ];
    const points = report({ spec: { objective: OBJECTIVE }, made }).curves['distance'];
    expect(points.map(({ step, mean, seeds }) => [step, mean, seeds])).toEqual([
      [0, 4, 3],
      [10, 3, 3],
      [20, 2, 3],
    ]);
    expect(points[0]).toMatchObject({ low: 4, high: 4 });
    expect(points[2]).toMatchObject({ low: 1, high: 3 });
  });

  it('go on over the seeds that have a number where others have none', () => {
    const made = [setting('sgd', {}, [0, 0], { end: (seed) => ({ curves: { distance: seed === 0 ? [4, NaN, 1] : [2, 8] } }) })];
    const points = report({ spec: { objective: OBJECTIVE }, made }).curves['distance'];
    expect(points.map(({ mean, seeds }) => [mean, seeds])).toEqual([
      [3, 2],
      [8, 1],
      [1, 1],
    ]);
  });

  it('have at most a hundred points, the first and the last step among them', () => {
    const long = Array.from({ length: 1001 }, (_, i) => 1 / (i + 1));
    const data = report({
      spec: { objective: OBJECTIVE },
      made: [setting('sgd', {}, [0], { end: () => ({ curves: { distance: long } }) })],
    });
    const steps = data.curves['distance'].map(({ step }) => step);
    expect([steps.length, steps[0], steps.at(-1)]).toEqual([100, 0, 10_000]);
  });

  it('are read of the winners alone', () => {
    writeSweep(folder, syntheticSweep(1000));
    const store = openStore(folder);
    const record = vi.spyOn(store, 'record');
    const data = reportData(store);
    store.close();
    expect(data.best).toHaveLength(8);
    expect(record).toHaveBeenCalledTimes(8 * 5);
  });

  it('have the interval that bootstrapInterval gives', async () => {
    const { Stream } = await import('../../lib/random/index.js');
    const values = [1, 2, 4, 7];
    const data = report({ spec: { objective: OBJECTIVE }, made: [setting('sgd', {}, values)] });
    const { low, high } = bootstrapInterval(values, new Stream(0).substream('band'), { resamples: 1000 });
    expect(data.curves['distance'][1]).toMatchObject({ low, high });
  });
});

describe('parallel coordinates', () => {
  it('are the best 500 and an even sample of the rest, the best first', () => {
    const made = Array.from({ length: 2500 }, (_, i) => setting('sgd', { a: i % 50, b: Math.floor(i / 50) }, [i + 1]));
    const { parallel } = report({
      spec: {
        objective: OBJECTIVE,
        axes: [
          { path: 'optimizer.a', values: [] },
          { path: 'optimizer.b', values: [] },
        ],
      },
      made,
    });
    expect(parallel).toMatchObject({ settings: 2500 });
    expect(parallel!.lines).toHaveLength(1500);
    const heights = parallel!.lines.map((line) => line[2]!);
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    expect(parallel!.lines[499].slice(0, 2)).toEqual([1, Number((9 / 49).toFixed(4))]);
    expect(parallel!.axes.map(({ name }) => name)).toEqual(['a', 'b', 'distance']);
  });

  it('end before the objective where a run did not end well', () => {
    const made = [setting('sgd', { a: 0 }, [1]), setting('adam', { a: 1 }, [2], { end: diverged })];
    const { parallel } = report({ spec: { objective: OBJECTIVE }, made });
    expect(parallel!.lines.map((line) => line.at(-1))).toEqual([0.5, null]);
  });
});

describe('failures', () => {
  it('are 200 at most, with the end of their logs, and the number of all', () => {
    const log = `${'x'.repeat(5000)}the end`;
    const failing = setting('sgd', {}, Array<number>(230).fill(0), { end: () => ({ failure: 'crashed', message: 'it crashed', log }) });
    const { failures, status } = report({ made: [failing, setting('adam', {}, [1])] });
    expect(status.states).toMatchObject({ crashed: 230, done: 1 });
    expect(failures.total).toBe(230);
    expect(failures.shown).toHaveLength(200);
    expect(failures.shown[0]).toMatchObject({
      state: 'crashed',
      message: 'it crashed',
      attempts: 1,
      config: { optimizer: { name: 'sgd' }, seed: 0 },
    });
    expect(failures.shown[0].log).toMatch(/^x{3993}the end$/);
  });
});

describe('origins', () => {
  it('are counted over the results of the sweep alone', () => {
    const first = writeSweep(folder, { name: 'first', made: [setting('sgd', {}, [1, 2])] });
    writeSweep(folder, { name: 'second', made: [setting('adam', {}, [1])] });
    expect(read(first).provenances).toEqual([{ results: 2, provenance: expect.objectContaining({ commit: 'c0ffee', kernel: 'Haswell' }) }]);
    const store = openStore(folder);
    expect(store.provenances().map(({ results }) => results)).toEqual([3]);
    store.close();
  });
});
