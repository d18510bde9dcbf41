import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Job, Outcome } from '../../lib/sweep/executors/executor.js';
import { localExecutor, openStore, parseSpec, sweep, trial, type Executor, type SweepSpec } from '../../lib/sweep/index.js';
import { pruner } from '../../lib/sweep/run/pruning.js';
import { ended, plan, recordOf, tiny, TINY, useFolder } from './records.js';

const folder = useFolder();

const job = (learningRate: number, name = 'sgd'): Job => {
  const { id, config } = trial({ ...TINY, optimizer: { name, learningRate } });
  return { row: 0, id, config, cost: 1 };
};
function made(pruning: object, objective: object = {}) {
  const store = openStore(folder(), { mode: 'write' });
  const spec = parseSpec({ objective: { metric: 'distance', ...objective }, pruning });
  const rungs = pruner(spec.pruning!, spec.objective!, store, 1);
  store.close();
  return rungs;
}

describe('the median rule', () => {
  it('ends what is worse than the median of those seen at the rung, once enough were', () => {
    const { decide } = made({ method: 'median', rungs: [10], startup: 3 });
    const ends = [5, 6, 7, 6.5, 5.5, NaN, 1].map((value, i) => decide(job(i + 1), 10, value) !== undefined);
    expect(ends).toEqual([false, false, false, true, false, true, false]);
  });
  it('keeps comparisons and rungs apart', () => {
    const { decide } = made({ method: 'median', rungs: [10, 20], startup: 2 });
    for (const i of [1, 2, 3]) decide(job(i), 10, i);
    expect(decide(job(9, 'adam'), 10, 100)).toBeUndefined();
    expect(decide(job(9), 20, 100)).toBeUndefined();
    expect(decide(job(9), 10, 100)).toBe('pruned at step 10');
  });
});

describe('asha', () => {
  it('lets the best third of those seen go on', () => {
    const { decide } = made({ method: 'asha', rungs: [10] });
    const goes = [6, 5, 4, 3, 10, 2.9, 9].map((value, i) => decide(job(i + 1), 10, value) === undefined);
    expect(goes).toEqual([true, true, true, true, false, true, false]);
  });
  it('maximises where asked', () => {
    const { decide } = made({ method: 'asha', rungs: [10] }, { goal: 'max' });
    expect([1, 2, 0.5].map((value, i) => decide(job(i + 1), 10, value) === undefined)).toEqual([true, true, false]);
  });
  it('decides for all that have come to a rung together, whatever their order', () => {
    const values = [6, 1, 5, 2, 4, 3];
    const promoted = (order: readonly number[]): number[] => {
      const { promote } = made({ method: 'asha', rungs: [10], reduction: 2 });
      const together = promote(
        10,
        order.map((value) => ({ job: job(value), value })),
      );
      return [...together].map(({ config }) => (config['optimizer'] as { learningRate: number }).learningRate).sort((x, y) => x - y);
    };
    expect(promoted(values)).toEqual([1, 2, 3]);
    expect(promoted(values.toReversed())).toEqual([1, 2, 3]);
  });
  it('remembers what earlier runs have seen at the rung', () => {
    const store = openStore(folder(), { mode: 'write' });
    const known = [1, 2, 3].map((s) => tiny(s, { optimizer: { name: 'sgd' } }));
    const id = plan(store, known);
    store.put(known.map((t) => ended(store, t, recordOf(t, { distance: [0, 1, 0.1] }))));
    const spec = parseSpec({ objective: { metric: 'distance' }, pruning: { method: 'asha', rungs: [2] } });
    const { decide } = pruner(spec.pruning!, spec.objective!, store, id);
    expect(decide(job(1), 2, 2)).toBe('pruned at step 2');
    store.close();
  });
});

const PRUNED: SweepSpec = {
  base: { ...TINY, train: { batch: 16, steps: 40, every: 5 } },
  axes: [
    { path: 'optimizer', values: [{ name: 'sgd' }] },
    { path: 'optimizer.learningRate', log: { from: 1e-4, to: 0.1, count: 9 } },
  ],
  objective: { metric: 'distance' },
  pruning: { method: 'asha', rungs: [5, 15], synchronous: true },
};

describe('a sweep that prunes', () => {
  const exported = (place: string): string => {
    const store = openStore(place, { verify: true });
    const text = Buffer.from(store.export({ format: 'csv', curves: true })).toString();
    store.close();
    return text;
  };

  /** Tells of every trial that comes to a rung. */
  const watched = (told: (rung: number | undefined, outcome: Outcome) => void): Executor => {
    const inner = localExecutor({ jobs: 1, threads: 1 });
    return {
      ...inner,
      async *run(source, options) {
        for await (const outcome of inner.run(source, options)) {
          yield outcome;
          told(options.rungs?.steps[0], outcome);
        }
      },
    };
  };

  /** What PRUNED exports. */
  let whole = '';
  async function undisturbed(): Promise<string> {
    if (whole === '') {
      const place = join(folder(), 'undisturbed');
      await sweep(PRUNED, { store: place, jobs: 2 }).done;
      whole = exported(place);
    }
    return whole;
  }

  it('by rungs halves as it says, repeats to the byte, and leaves no checkpoint of a trial that ended', async () => {
    const a = join(folder(), 'a');
    await sweep(PRUNED, { store: a, jobs: 1 }).done;
    expect(exported(a)).toBe(await undisturbed());
    const store = openStore(a);
    const states = [...store.query()].map(({ state, steps, reason }) => [state, steps, reason]);
    expect(states.filter(([state]) => state === 'done')).toHaveLength(1);
    expect(states.filter(([, steps]) => steps === 15)).toEqual([15, 15].map(() => ['pruned', 15, 'pruned at step 15']));
    expect(states.filter(([, steps]) => steps === 5)).toHaveLength(6);
    store.close();
    expect(existsSync(join(a, 'checkpoints'))).toBe(false);
  });

  it('gives the one that goes on to the end the very record it has without pruning', async () => {
    const [a, whole] = [join(folder(), 'a'), join(folder(), 'whole')];
    await sweep(PRUNED, { store: a, jobs: 2 }).done;
    const rest = { ...PRUNED, pruning: undefined };
    await sweep(rest, { store: whole, jobs: 2 }).done;
    const [x, y] = [openStore(a), openStore(whole)];
    const [winner] = [...x.query({ state: 'done' })];
    expect(x.record(winner.id)!.metrics).toEqual(y.record(winner.id)!.metrics);
    x.close();
    y.close();
  });

  it('without waiting asks at every rung', async () => {
    const place = join(folder(), 'a');
    await sweep({ ...PRUNED, pruning: { method: 'asha', rungs: [5, 15] } }, { store: place, jobs: 1 }).done;
    const store = openStore(place, { verify: true });
    const states = [...store.query()].map(({ state }) => state);
    expect(states).toContain('pruned');
    expect(states).toContain('done');
    expect(existsSync(join(place, 'checkpoints'))).toBe(false);
    store.close();
  });

  it('runs pruned trials to their end once a sweep without pruning wants them', async () => {
    const place = join(folder(), 'a');
    await sweep(PRUNED, { store: place, jobs: 2 }).done;
    const rest = { ...PRUNED, pruning: undefined };
    expect(await sweep(rest, { store: place, jobs: 2 }).done).toMatchObject({ done: 9, ending: 'complete' });
    const store = openStore(place, { verify: true });
    expect([...store.query()].every(({ state }) => state === 'done')).toBe(true);
    store.close();
  });

  describe('by rungs, ended on the way to the second one, keeps what it has and goes on to the same bytes:', () => {
    const a = (): string => join(folder(), 'a');
    const files = (): string[] => {
      const place = join(a(), 'checkpoints');
      return existsSync(place) ? readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.npz')) : [];
    };
    async function afterwards(): Promise<void> {
      const left = files();
      expect(left.filter((name) => name.endsWith('/5.npz'))).toHaveLength(3); // all that may go on, and
      expect(left.some((name) => name.endsWith('/15.npz'))).toBe(true); // one at least that came to the second rung
      let taken = 0;
      const count = watched(() => taken++);
      await sweep(PRUNED, { store: a(), executor: count }).done;
      expect(taken).toBe(3 + 3 + 1); // none begins anew
      expect(exported(a())).toBe(await undisturbed());
      expect(files()).toEqual([]);
    }

    it('at once', async () => {
      const controller = new AbortController();
      const executor = watched((rung) => rung === 15 && controller.abort());
      expect(await sweep(PRUNED, { store: a(), executor, signal: controller.signal }).done).toMatchObject({ ending: 'stopped', done: 6 });
      await afterwards();
    });

    it('in order', async () => {
      const running = sweep(PRUNED, { store: a(), executor: watched((rung) => rung === 15 && running.stop()) });
      expect(await running.done).toMatchObject({ ending: 'stopped', done: 6, running: 0 });
      await afterwards();
    });

    it('at once, and a checkpoint is damaged: that trial begins anew', async () => {
      const controller = new AbortController();
      const executor = watched((rung) => rung === 15 && controller.abort());
      await sweep(PRUNED, { store: a(), executor, signal: controller.signal }).done;
      for (const name of files()) truncateSync(join(a(), 'checkpoints', name), 100);
      await sweep(PRUNED, { store: a(), jobs: 2 }).done;
      expect(exported(a())).toBe(await undisturbed());
    });

    it('for its budget of seconds of trials, those that wait counted', async () => {
      const budget = { trialSeconds: 1e-6 };
      expect(await sweep({ ...PRUNED, budget }, { store: a(), jobs: 1 }).done).toMatchObject({ ending: 'budget', done: 0, running: 0 });
      expect(files().length).toBeLessThan(9);
      await sweep(PRUNED, { store: a(), jobs: 2 }).done;
      expect(exported(a())).toBe(await undisturbed());
    });
  });

  it('by rungs runs a trial again whose process was lost on the way, and decides as if nothing had been', async () => {
    const a = join(folder(), 'a');
    const inner = localExecutor({ jobs: 2, threads: 1 });
    const lost = new Set<string>();
    const losing: Executor = {
      ...inner,
      async *run(source, options) {
        for await (const outcome of inner.run(source, options)) {
          const key = `${outcome.job.id} ${options.rungs!.steps[0]}`;
          if (outcome.job.id < '8' && !lost.has(key)) {
            lost.add(key);
            yield { job: outcome.job, attempt: outcome.attempt, failure: { state: 'lost', message: 'gone', log: '' } };
          } else yield outcome;
        }
      },
    };
    await sweep({ ...PRUNED, retries: 3 }, { store: a, executor: losing }).done;
    expect(lost.size).toBeGreaterThan(2);
    expect(exported(a)).toBe(await undisturbed());
  });

  it('by rungs counts at a rung those alone that were asked there, also when it is resumed: not one that diverged at it', async () => {
    const [a, b] = [join(folder(), 'a'), join(folder(), 'b')];
    const spec = {
      ...PRUNED,
      base: { ...TINY, train: { batch: 16, steps: 40, every: 5, divergence: 100 } },
      axes: [
        { path: 'optimizer', values: [{ name: 'sgd' }] },
        { path: 'optimizer.learningRate', values: [0.34358974359, 0.01, 0.02, 0.03, 0.04, 0.05] },
      ],
    } as SweepSpec;
    await sweep(spec, { store: a, jobs: 1 }).done;
    const running = sweep(spec, {
      store: b,
      executor: watched((_, outcome) => 'record' in outcome && outcome.record.state === 'diverged' && running.stop()),
    });
    await running.done;
    const open = openStore(b);
    expect([...open.query({ state: 'diverged' })].map(({ steps }) => steps)).toEqual([5]);
    open.close();
    await sweep(spec, { store: b, jobs: 1 }).done;
    expect(exported(b)).toBe(exported(a));
  });

  it('by rungs compares all trials together, and so has no budget of trials', async () => {
    const spec = { ...PRUNED, budget: { trials: 4 } };
    await expect(sweep(spec, { store: join(folder(), 'a'), jobs: 1 }).done).rejects.toThrow(/budget\.trials: pruning that waits/);
  });

  it('leaves no checkpoint of a trial that failed, nor of rungs that are no longer', async () => {
    const place = join(folder(), 'a');
    await sweep({ ...PRUNED, budget: { trialSeconds: 1e-6 } }, { store: place, jobs: 1 }).done;
    expect(existsSync(join(place, 'checkpoints'))).toBe(true);
    await sweep({ ...PRUNED, pruning: { method: 'asha', rungs: [10, 20], synchronous: true } }, { store: place, jobs: 1 }).done;
    expect(existsSync(join(place, 'checkpoints'))).toBe(false);
  });

  it('runs chosen settings on all evaluation seeds, whatever another sweep has pruned of them', async () => {
    const [shared, fresh] = [join(folder(), 'a'), join(folder(), 'b')];
    const staged = { ...PRUNED, seeds: { tuning: 2, evaluation: 5 } };
    await sweep({ ...PRUNED, seeds: 5 }, { store: shared, jobs: 2 }).done;
    const both = [];
    for (const store of [shared, fresh]) {
      expect(await sweep(staged, { store, jobs: 2 }).done).toMatchObject({ ending: 'complete', done: 9 * 2 + 5, total: 9 * 2 + 5 });
      const open = openStore(store);
      both.push(open.best({ metric: 'distance' }, { sweep: store === shared ? 2 : 1 }).map(({ values, mean }) => [values, mean]));
      open.close();
    }
    expect(both[0]).toEqual(both[1]);
    expect(both[0][0][0]).toHaveLength(5);
  });
});
