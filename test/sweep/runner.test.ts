import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LayerwiseError } from '../../lib/errors.js';
import {
  localExecutor,
  openStore,
  runTrials,
  sweep,
  type Executor,
  type Progress,
  type SweepOptions,
  type SweepSpec,
} from '../../lib/sweep/index.js';
import { readLive } from '../../lib/sweep/run/live.js';
import { Forecast } from '../../lib/sweep/run/progress.js';
import { childrenOf } from './processes.js';
import { misbehaving, MISBEHAVING, plan, SMALL, tiny, useFolder } from './records.js';

const folder = useFolder();
const place = (): string => join(folder(), 'store');
const run = (spec: SweepSpec, options: Partial<SweepOptions> = {}) => sweep(spec, { store: place(), jobs: 2, ...options });

function look<T>(read: (store: ReturnType<typeof openStore>) => T, where = place()): T {
  const store = openStore(where, { verify: true });
  try {
    return read(store);
  } finally {
    store.close();
  }
}
const exported = (where = place()): string => look((store) => Buffer.from(store.export({ format: 'csv', curves: true })).toString(), where);

describe('a sweep', () => {
  it('runs every trial once, tells of each when it is on the disk, and nothing the second time', async () => {
    const seen: string[] = [];
    const progress: Progress[] = [];
    const first = run(SMALL, { onProgress: (p) => progress.push(p) });
    for await (const { id, state, record, config } of first) {
      expect(record?.config).toEqual(config);
      expect(['done', 'diverged']).toContain(state);
      look((store) => expect(store.record(id)).toEqual(record));
      seen.push(id);
    }
    expect(new Set(seen).size).toBe(18);
    expect(await first.done).toMatchObject({ ending: 'complete', done: 18, total: 18, failed: 0 });
    expect(progress[0]).toMatchObject({ done: 0, total: 18 });
    expect(progress.at(-1)).toMatchObject({ done: 18, total: 18, running: 0 });
    const again: string[] = [];
    for await (const { id } of run(SMALL)) again.push(id);
    expect(again).toEqual([]);
  });

  it('exports the same bytes whatever the number of children, and stopped or not', async () => {
    await run(SMALL, { jobs: 1 }).done;
    const whole = exported();
    const other = join(folder(), 'other');
    const cut = await sweep({ ...SMALL, budget: { trials: 5 } }, { store: other, jobs: 3 }).done;
    expect(cut).toMatchObject({ ending: 'budget', done: 5 });
    await sweep(SMALL, { store: other, jobs: 2 }).done;
    expect(exported(other)).toBe(whole);
  });

  it('shares trials with another sweep in the same store', async () => {
    await run(SMALL).done;
    const ran: string[] = [];
    for await (const { id } of run({ ...SMALL, name: 'wider', seeds: 4 })) ran.push(id);
    expect(ran).toHaveLength(6);
    look((store) => expect(store.sweeps().map(({ name }) => name)).toEqual(['small', 'wider']));
  });

  it('tunes on seeds of their own, and runs the best of each comparison on the others', async () => {
    const summary = await run({ ...SMALL, seeds: { tuning: 2, evaluation: [7, 8, 9] } }).done;
    expect(summary).toMatchObject({ ending: 'complete', done: 6 * 2 + 2 * 3 });
    look((store) => {
      const best = store.best({ metric: 'distance' });
      expect(best.map(({ group, values, among }) => [group['optimizer.name'], values.length, among])).toEqual([
        ['sgd', 3, 3],
        ['adam', 3, 3],
      ]);
      const evaluated = [...store.query({ role: 'evaluation' })];
      expect(new Set(evaluated.map(({ seed }) => seed))).toEqual(new Set([7, 8, 9]));
      expect(new Set(evaluated.map(({ setting }) => setting))).toEqual(new Set(best.map(({ setting }) => setting)));
      expect([...store.query({ role: 'tuning' })].every(({ seed }) => seed >= 1_000_000)).toBe(true);
    });
  });

  it.each([
    [{ objective: { metric: 'beauty' } }, /objective\.metric: the trials do not measure this; they measure loss, distance/],
    [
      { objective: { metric: 'loss' }, pruning: { method: 'median', metric: 'beauty', rungs: [2] } },
      /pruning\.metric: the trials do not measure this/,
    ],
  ])('ends at its first record when that has not what trials are compared by: %j', async (wrong, message) => {
    await expect(run({ ...SMALL, seeds: 40, ...wrong } as SweepSpec, { jobs: 1 }).done).rejects.toThrow(message);
    look((store) => expect(store.status().states.done).toBeGreaterThan(0));
    look((store) => expect(store.status().states.planned).toBeGreaterThan(0));
    look((store) => expect(() => store.best({ metric: 'beauty' })).toThrow(/no record has this metric; there are loss, distance/));
    look((store) => expect(() => store.scores({ metric: 'beauty' })).toThrow(/no record has this metric/));
  });

  it.each([
    [{ metric: 'distance', per: ['optimiser.name'] }, /objective\.per: no configuration has 'optimiser\.name'/],
    [{ metric: 'distance', per: ['optimizer.name', 'train.batch', 'task.rang'] }, /no configuration has 'task\.rang'/],
    [{ metric: 'distance', per: ['seed'] }, /objective\.per: settings are compared by their means over seeds/],
    [{ metric: 'distance', at: 3 }, /objective\.at: 3 is no point of the curves: it must be a multiple of train\.every = 2/],
    [{ metric: 'distance', at: 6 }, /objective\.at: 6 .* at most train\.steps = 4/],
  ])('plans nothing that nobody could compare: %j', async (objective, message) => {
    await expect(run({ ...SMALL, objective }).done).rejects.toThrow(message);
    look((store) => expect(store.sweeps()).toEqual([]));
  });

  it('whose tuning trials all fail has nothing to run on the other seeds, and says so as failures', async () => {
    const spec = misbehaving('throw', { seeds: { tuning: 2, evaluation: 2 }, objective: { metric: 'value' } });
    expect(await run(spec).done).toMatchObject({ ending: 'complete', done: 0, failed: 2, total: 2 });
    const other = misbehaving('nan', { seeds: { tuning: 2, evaluation: 2 }, objective: { metric: 'value' } });
    expect(await run(other).done).toMatchObject({ ending: 'complete', done: 2, failed: 0, total: 2 });
  });

  it('says from its first word on how far it is, whichever stage is on', async () => {
    const spec = { ...SMALL, seeds: { tuning: 2, evaluation: 3 } };
    expect(await run({ ...spec, budget: { trials: 13 } }).done).toMatchObject({ ending: 'budget', done: 13, total: 18 });
    const progress: Progress[] = [];
    await run(spec, { onProgress: (p) => progress.push(p) }).done;
    expect(progress[0]).toMatchObject({ done: 13, total: 18 });
    expect(progress.at(-1)).toMatchObject({ done: 18, total: 18 });
  });

  it('refuses wrong specifications and options at once', () => {
    expect(() => run({ axis: [] } as unknown as SweepSpec)).toThrow(/axis: unknown key/);
    expect(() => sweep(SMALL, { store: place(), jobs: 0 })).toThrow(/jobs/);
    expect(() => sweep(SMALL, {} as SweepOptions)).toThrow(/store: is missing/);
    expect(existsSync(place())).toBe(false);
  });

  it('is not run by two processes at a time', async () => {
    const store = openStore(place(), { mode: 'write' });
    await expect(run(SMALL).done).rejects.toThrow(new RegExp(`process ${process.pid} .* is writing`));
    store.close();
  });
});

describe('a trial that goes wrong ends in a state of its own, with its log, and the others finish:', () => {
  it.each([
    ['throw', 'error', /seed 0 does not work/, /Error: seed 0 does not work\n.*at compute/s],
    ['noisy', 'error', /after a warning/, /a word of warning\nTypeError/],
    ['segfault', 'crashed', /SIGSEGV/, /^/],
    ['exit', 'crashed', /exit code 7/, /^/],
    ['hang', 'timeout', /took longer than 0\.5 s/, /^/],
    ['memory', 'memory', /more than 300 MiB/, /^/],
    ['killed', 'lost', /ended from outside \(SIGKILL\)/, /^/],
    ['odd', 'error', /^\{ message: \{ of: 0 \} \}$/, /^/],
    ['nothing', 'error', /^undefined$/, /^/],
    ['cut', 'error', /^cut: \ufffd$/u, /Error: cut/],
    ['holds', 'crashed', /exit code 7/, /^/],
  ])('%s: %s', async (how, state, message, log) => {
    const axes = { how: ['well', how] };
    const spec = misbehaving('well', {
      base: {},
      axes,
      seeds: 2,
      retries: 1,
      ...(how === 'hang' ? { timeout: 0.5 } : {}),
      ...(how === 'memory' ? { memory: '300 MiB' } : {}),
    });
    const summary = await run(spec).done;
    expect(summary).toMatchObject({ ending: 'complete', done: 2, failed: 2 });
    look((store) => {
      const [failure] = store.failures();
      expect(failure).toMatchObject({ state, attempts: how === 'killed' ? 2 : 1 });
      expect(failure.message).toMatch(message);
      expect(failure.log).toMatch(log);
      expect(store.status().states).toMatchObject({ done: 2, [state]: 2, planned: 0 });
    });
  });

  it('noisy, many times over: each has its own line', async () => {
    await run(misbehaving('noisy', { seeds: 40 })).done;
    look((store) => {
      const logs = store.failures().map(({ log }) => log);
      expect(logs).toHaveLength(40);
      expect(logs.filter((log) => !log.startsWith('a word of warning\nTypeError'))).toEqual([]);
    });
  });

  it('nan: diverged', async () => {
    expect(await run(misbehaving('nan')).done).toMatchObject({ done: 1, failed: 0 });
    look((store) =>
      expect([...store.query()]).toMatchObject([{ state: 'diverged', reason: 'no metric is a number', final: { value: NaN } }]),
    );
  });

  it('runs again when the sweep is resumed, while what is done does not', async () => {
    const diary = join(folder(), 'diary');
    const spec = misbehaving('well', { base: { diary }, axes: { how: ['well', 'throw'] }, seeds: 2 });
    await run(spec).done;
    await run(spec).done;
    expect(
      readFileSync(diary, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(2 + 2 * 2);
    look((store) => expect(store.failures()[0].attempts).toBe(2));
  });
});

describe('a sweep ends early', () => {
  const slow = (extra: object = {}) => misbehaving('well', { base: { milliseconds: 60 }, seeds: 30, ...extra });

  it('in order, keeping what runs, when it is stopped', async () => {
    const running = run(slow());
    let n = 0;
    for await (const { state } of running) if (state === 'done' && ++n === 3) running.stop();
    expect(await running.done).toMatchObject({ ending: 'stopped', failed: 0 });
    expect(n).toBeGreaterThanOrEqual(3);
    expect(n).toBeLessThan(30);
    look((store) => expect(store.status().states).toMatchObject({ done: n, planned: 30 - n }));
  });

  it('at once, leaving no child behind, when its signal is aborted', async () => {
    const controller = new AbortController();
    const running = run(misbehaving('hang'), { signal: controller.signal });
    setTimeout(() => controller.abort(), 1500);
    expect(await running.done).toMatchObject({ ending: 'stopped', done: 0 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(childrenOf(process.pid)).toEqual([]);
  });

  it('at the first failure, where that is asked', async () => {
    const summary = await run(misbehaving('throw', { seeds: 20, failFast: true })).done;
    expect(summary.ending).toBe('failed');
    expect(summary.failed).toBeLessThan(8);
  });

  it.each([
    [{ trials: 5 }, 5],
    [{ trialSeconds: 0.2 }, 10],
    [{ seconds: 0.4 }, 20],
  ])('when its budget of %j is used up', async (budget, most) => {
    const summary = await run(slow({ budget })).done;
    expect(summary.ending).toBe('budget');
    expect(summary.done).toBeGreaterThan(0);
    expect(summary.done).toBeLessThanOrEqual(most);
  });

  it('with the log of a child that cannot start', async () => {
    const spec = misbehaving('well', {
      modules: [MISBEHAVING, 'data:text/javascript,if(process.env.LAYERWISE_SWEEP_MODULES)process.exit(3);export default []'],
    });
    await expect(run(spec).done).rejects.toThrow(LayerwiseError);
    await expect(run(spec).done).rejects.toThrow(/a process for trials cannot start \(exit code 3\)/);
  });

  it('with what is wrong, when results cannot be kept; and leaves no child behind', async () => {
    const store = openStore(place(), { mode: 'write' });
    const id = plan(
      store,
      [1, 2, 3, 4].map((s) => tiny(s)),
      '{"name":"full"}',
    );
    expect(id).toBe(1);
    store.database.exec("CREATE TRIGGER full BEFORE INSERT ON results BEGIN SELECT raise(ABORT, 'the disk has gone'); END");
    await expect(
      runTrials(
        [1, 2, 3, 4].map((s) => tiny(s)),
        { store, name: 'full', jobs: 2, threads: 1 },
      ),
    ).rejects.toThrow(/the disk has gone/);
    store.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(childrenOf(process.pid)).toEqual([]);
  });
});

it('a sweep that has ended can be iterated, and has nothing to tell', async () => {
  const running = run({ ...SMALL, seeds: 1 });
  await running.done;
  for await (const { id } of running) expect.unreachable(id);
});

it.each(['onProgress'] as const)('what %s throws ends the sweep, and not this process', async (name) => {
  let calls = 0;
  const listener = (): void => {
    if (calls++ > 0) throw new Error('mine');
  };
  await expect(run(misbehaving('well', { base: { milliseconds: 60 }, seeds: 6 }), { [name]: listener }).done).rejects.toThrow('mine');
});

it('names what is wrong with its arguments', () => {
  expect(() => (sweep as (spec: SweepSpec) => unknown)(SMALL)).toThrow(/store: is missing/);
  expect(() => run(SMALL, { signal: new AbortController() as unknown as AbortSignal })).toThrow(/signal: must be an AbortSignal/);
});

it('of which everything is excluded is refused', async () => {
  await expect(run({ ...SMALL, exclude: [{ 'optimizer.name': ['sgd', 'adam'] }] }).done).rejects.toThrow(/every combination is excluded/);
});

describe('while it runs', () => {
  it('the store says who runs it, what runs and how far it is', async () => {
    const running = run(misbehaving('well', { base: { milliseconds: 500 }, seeds: 6 }));
    let live = null as ReturnType<typeof readLive>;
    for await (const { state } of running) {
      expect(state).toBe('done');
      const now = readLive(place());
      if (now !== null && now.trials.length > 0) live = now;
    }
    expect(live).toMatchObject({ executor: 'local', total: 6, holder: { pid: process.pid } });
    expect(live!.trials[0].config).toMatchObject({ experiment: 'misbehaving' });
    await running.done;
    expect(readLive(place())).toBeNull();
  });

  it('time left is forecast by kinds of trials, from what they took', async () => {
    await run({ ...SMALL, budget: { trials: 6 } }).done;
    const store = openStore(place());
    const forecast = new Forecast(store.database, 1);
    const before = forecast.left!;
    expect(before).toBeGreaterThan(0);
    const planned = [...store.query({ state: 'planned' })];
    for (const { config } of planned) forecast.failed(config, store.missing(1, { pruned: false })[0].cost);
    expect(forecast.left).toBeLessThan(before / 100);
    store.close();
  });
});

describe('children', () => {
  it('have the threads they are given, and the numbers of this process', async () => {
    await sweep(SMALL, { store: place(), jobs: 1, threads: 2 }).done;
    look((store) => expect(store.record([...store.query()][0].id)?.provenance.threads).toBe(2));
  });

  it('that die with another trial waiting leave nothing behind that would keep this process', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await run(misbehaving('well', { base: {}, axes: { how: ['well', 'exit', 'well'] }, seeds: 3 }), { jobs: 1 }).done;
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(before);
  });

  it('are spoken to by trials without harm', async () => {
    expect(await run(misbehaving('talks', { seeds: 3 })).done).toMatchObject({ done: 3, failed: 0 });
  });

  it('that a former trial keeps busy are replaced, and the next trial is not blamed', async () => {
    const executor = localExecutor({ jobs: 1, threads: 1, patience: 0.5 });
    expect(await run(misbehaving('lingers', { seeds: 3 }), { executor }).done).toMatchObject({ done: 3, failed: 0 });
    look((store) => expect(store.database.prepare('SELECT count(*) FROM attempts').pluck().get()).toBe(3));
  });

  it('that die before they begin give their trials back', async () => {
    // A child that ends itself while the next trial waits in its queue: that one must run all the same.
    const summary = await run(misbehaving('well', { base: {}, axes: { how: ['exit', 'well'] }, seeds: 4 }), { jobs: 1 }).done;
    expect(summary).toMatchObject({ done: 4, failed: 4 });
  });
});

it('an executor of one own may run the trials', async () => {
  const inner = localExecutor({ jobs: 1, threads: 1 });
  const counting: Executor & { count: number } = {
    ...inner,
    name: 'counting',
    count: 0,
    async *run(source, options) {
      for await (const outcome of inner.run(source, options)) {
        this.count++;
        yield outcome;
      }
    },
  };
  await run(SMALL, { executor: counting }).done;
  expect(counting.count).toBe(18);
});
