import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { ArgumentError, FileError } from '../../lib/errors.js';
import { openStore, type Query, type Store, type StoreOptions } from '../../lib/sweep/index.js';
import { digestOf } from '../../lib/sweep/store/encode.js';
import { migrate, VERSION } from '../../lib/sweep/store/schema.js';
import { broken, ended, plan, recordOf, tiny, useFolder } from './records.js';

const folder = useFolder();
const writing = (): Store => openStore(folder(), { mode: 'write' });
const file = (): string => join(folder(), 'store.sqlite');

describe('a store', () => {
  it('gives records back bit for bit, NaN and infinities included, also to another process', () => {
    const t = tiny(1);
    const record = recordOf(
      t,
      { loss: [NaN, -Infinity, 0.1 + 0.2], distance: [1e-308, -0, 2] },
      {
        status: 'diverged',
        reason: 'step 3: it did',
        tables: { path: { lambda: [0, Infinity], rho2: [NaN, 1] } },
        events: [{ step: 2, parameter: 'G', message: 'more damping' }],
      },
    );
    const store = writing();
    plan(store, [t, tiny(2)]);
    expect(store.put([ended(store, t, record, 'diverged')])).toEqual(['new']);
    store.close();
    const again = openStore(folder(), { verify: true });
    expect(again.record(t.id)).toEqual(record);
    expect(Object.is(again.record(t.id)!.metrics['distance'].values[1], -0)).toBe(true);
    expect(again.record(tiny(2).id)).toBeUndefined();
    again.close();
  });

  it('keeps the first result of a trial, and says whether another one is the same', () => {
    const t = tiny(1);
    const store = writing();
    plan(store, [t]);
    const one = ended(store, t, recordOf(t, { distance: [1, 2] }));
    expect(store.put([one])).toEqual(['new']);
    expect(store.put([one])).toEqual(['same']); // the very attempt, heard of twice
    expect(store.put([ended(store, t, recordOf(t, { distance: [1, 2] }, { timing: { trainingSeconds: 9, at: [] } }))])).toEqual(['same']);
    expect(store.status().differing).toBe(0);
    expect(store.put([ended(store, t, recordOf(t, { distance: [1, 3] }))])).toEqual(['differs']);
    expect(store.status().differing).toBe(1);
    expect(store.record(t.id)?.metrics['distance'].values).toEqual([1, 2]);
    store.verify();
    store.close();
  });

  it('replaces a pruned record by a whole one, and not the other way round', () => {
    const t = tiny(1);
    const store = writing();
    const sweep = plan(store, [t]);
    store.put([ended(store, t, recordOf(t, { distance: [1] }, { status: 'stopped', reason: 'pruned at step 2' }), 'pruned')]);
    expect(store.missing(sweep, { pruned: true })).toHaveLength(0);
    expect(store.missing(sweep, { pruned: false })).toHaveLength(1);
    store.put([ended(store, t, recordOf(t, { distance: [1, 2] }))]);
    store.put([ended(store, t, recordOf(t, { distance: [1] }, { status: 'stopped' }), 'pruned')]);
    expect([...store.query()].map(({ state, final }) => [state, final])).toEqual([['done', { distance: 2 }]]);
    store.verify();
    store.close();
  });

  it('counts trials by state, and keeps the logs of those that failed', () => {
    const [a, b, c] = [1, 2, 3].map((s) => tiny(s));
    const store = writing();
    plan(store, [a, b, c, a]);
    store.put([ended(store, a, recordOf(a, { distance: [1] })), broken(store, b)]);
    expect(store.status()).toMatchObject({ planned: 3, states: { done: 1, error: 1, planned: 1 } });
    expect(store.failures()).toMatchObject([{ id: b.id, state: 'error', message: 'it broke', log: 'first line\nlast line', attempts: 1 }]);
    store.put([ended(store, b, recordOf(b, { distance: [1] }))]);
    expect(store.failures()).toEqual([]);
    expect(store.status()).toMatchObject({ states: { done: 2, error: 0, planned: 1 } });
    store.close();
  });

  it('answers queries by configuration, state and role', () => {
    const store = writing();
    const all = [1, 2].flatMap((seed) => ['sgd', 'adam'].map((name) => tiny(seed, { optimizer: { name } })));
    plan(store, all);
    store.put(all.slice(0, 3).map((t) => ended(store, t, recordOf(t, { distance: [1, 2] }))));
    expect([...store.query({ where: { 'optimizer.name': 'sgd' } })]).toHaveLength(2);
    expect([...store.query({ where: { 'optimizer.name': ['sgd', 'adam'] }, state: 'done' })]).toHaveLength(3);
    expect([...store.query({ state: ['planned', 'error'] })].map(({ id }) => id)).toEqual([all[3].id]);
    expect([...store.query({ role: 'tuning' })]).toEqual([]);
    expect([...store.curves('distance', { where: { 'optimizer.name': 'adam' } })].map(({ seed, values }) => [seed, ...values])).toEqual([
      [1, 1, 2],
    ]);
    store.close();
  });

  it('chooses the best setting by its seeds, a failed seed being the worst', () => {
    const store = writing();
    const at = (learningRate: number, seed: number) => tiny(seed, { optimizer: { name: 'sgd', learningRate } });
    plan(
      store,
      [1, 2].flatMap((s) => [at(0.1, s), at(0.2, s), at(0.3, s)]),
    );
    const put = (rate: number, seed: number, value: number): void => {
      const t = at(rate, seed);
      store.put([ended(store, t, recordOf(t, { distance: [9, value] }))]);
    };
    put(0.1, 1, 3);
    put(0.1, 2, 5);
    put(0.2, 1, 1);
    store.put([broken(store, at(0.2, 2))]);
    put(0.3, 1, 5);
    put(0.3, 2, NaN);
    const [best, ...others] = store.best({ metric: 'distance' });
    expect(others).toEqual([]);
    expect(best).toMatchObject({ group: { 'optimizer.name': 'sgd' }, score: 4, mean: 4, values: [3, 5], among: 3 });
    expect(best.config['optimizer']).toMatchObject({ learningRate: 0.1 });
    expect(best.interval.low).toBe(3);
    expect(store.best({ metric: 'distance', goal: 'max' })[0].config['optimizer']).toMatchObject({ learningRate: 0.1 });
    expect(store.best({ metric: 'distance', at: 0 })[0].score).toBe(9);
    expect(store.best({ metric: 'distance', at: 'best', goal: 'max' })[0].score).toBe(9);
    store.close();
  });

  it('refuses wrong objectives, and writing where it was opened for reading', () => {
    writing().close();
    const store = openStore(folder());
    expect(() => store.best({ metric: '' })).toThrow(/metric/);
    expect(() => store.put([])).toThrow(/opened for reading/);
    expect(() => plan(store, [tiny(1)])).toThrow(/opened for reading/);
    store.close();
  });
});

describe('opening a store', () => {
  it('that is not there is an error, not a new one', () => {
    expect(() => openStore(join(folder(), 'none'))).toThrow(/no such store/);
    expect(() => openStore(folder())).toThrow(/no store in this folder/);
    expect(existsSync(join(folder(), 'none'))).toBe(false);
  });

  it('for writing is for one process at a time; the second is told who the first is', () => {
    const first = writing();
    expect(() => writing()).toThrow(new RegExp(`process ${process.pid} on .* is writing to this store`));
    expect(openStore(folder()).writer()).toMatchObject({ pid: process.pid });
    first.close();
    expect(openStore(folder()).writer()).toBeNull();
    writing().close();
  });

  it('takes over from a process that died without a word', () => {
    const index = new URL('../../dist/index.js', import.meta.url).href;
    const code = `const { openStore } = await import(${JSON.stringify(index)}); openStore(${JSON.stringify(folder())}, { mode: 'write' }); process.kill(process.pid, 'SIGKILL');`;
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', code]).signal).toBe('SIGKILL');
    expect(existsSync(join(folder(), 'coordinator.json'))).toBe(true);
    const store = writing();
    store.verify();
    store.close();
  });

  it('of another program, or of a newer version, is refused', () => {
    const db = new Database(file());
    db.exec('CREATE TABLE x (y)');
    db.close();
    expect(() => openStore(folder())).toThrow(/database of something else/);
    expect(() => writing()).toThrow(/database of something else/);
    const newer = new Database(file());
    newer.exec('DROP TABLE x');
    migrate(newer);
    newer.pragma(`user_version = ${VERSION + 1}`);
    newer.close();
    expect(() => openStore(folder())).toThrow(/newer version of layerwise/);
    expect(() => writing()).toThrow(/update layerwise/);
  });

  it('brings older tables up, all of it or nothing', () => {
    const db = new Database(':memory:');
    migrate(db, [(d) => void d.exec('CREATE TABLE a (x)')]);
    expect(db.pragma('user_version', { simple: true })).toBe(1);
    const steps = [() => expect.unreachable('ran before'), (d: Database.Database) => void d.exec('CREATE TABLE b (x)')];
    expect(() =>
      migrate(db, [
        ...steps,
        () => {
          throw new Error('half way');
        },
      ]),
    ).toThrow('half way');
    expect(db.pragma('user_version', { simple: true })).toBe(1);
    migrate(db, steps);
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    expect(db.prepare("SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b')").pluck().get()).toBe(2);
    db.close();
  });
});

/** A store with a few of everything. */
function full(): void {
  const store = writing();
  const all = [1, 2, 3, 4, 5, 6].map((s) => tiny(s));
  plan(store, all);
  store.put([
    ...all.slice(0, 5).map((t, i) => ended(store, t, recordOf(t, { distance: [i, i / 3], loss: [NaN, i] }, { tables: { p: { x: [i] } } }))),
    broken(store, all[5]),
  ]);
  store.close();
}

describe('planning', () => {
  it('that fails half way leaves nothing behind', () => {
    const store = writing();
    plan(store, [tiny(1)]);
    const half = function* (): Generator<never> {
      yield* [];
      throw new RangeError('a setting is wrong');
    };
    expect(() => store.begin({ name: 'half', spec: '{}', folder: '', identity: 'half' }, half())).toThrow('a setting is wrong');
    expect(() => store.begin({ name: 'changed', spec: '{}', folder: '', identity: 'test' }, half())).toThrow('a setting is wrong');
    expect(store.sweeps().map(({ name }) => name)).toEqual(['test']);
    store.verify();
    store.close();
  });
});

it('a setting that never ends well is not the best, however many of the others were pruned', () => {
  const store = writing();
  const at = (learningRate: number) => tiny(1, { optimizer: { name: 'sgd', learningRate } });
  const [bad, good] = [at(1000), at(0.1)];
  plan(store, [bad, good]);
  store.put([
    ended(store, bad, recordOf(bad, { distance: [9] }, { status: 'diverged' }), 'diverged'),
    ended(store, good, recordOf(good, { distance: [1] }, { status: 'stopped' }), 'pruned'),
  ]);
  const second = tiny(2, { optimizer: { name: 'sgd', learningRate: 0.1 } });
  plan(store, [second]);
  store.put([ended(store, second, recordOf(second, { distance: [1] }))]);
  expect(store.best({ metric: 'distance' })[0].config['optimizer']).toMatchObject({ learningRate: 0.1 });
  store.close();
});

describe('a damaged store', () => {
  it.each([100, 5000, 20000])('cut off at %i bytes is named', (size) => {
    full();
    truncateSync(file(), size);
    expect(() => openStore(folder(), { verify: true })).toThrow(/store\.sqlite: .*(damaged|not a store)/);
  });

  it('is named, or exports the same bytes, whichever bit of it flips', () => {
    full();
    const store = openStore(folder());
    const expected = store.export({ format: 'json', curves: true, provenance: true });
    store.close();
    const bytes = readFileSync(file());
    const copy = join(folder(), 'copy');
    mkdirSync(copy);
    let named = 0;
    for (let at = 17; at < bytes.length; at += 97) {
      const flipped = Buffer.from(bytes);
      flipped[at] ^= 1 << (at % 8);
      writeFileSync(join(copy, 'store.sqlite'), flipped);
      try {
        const damaged = openStore(copy, { verify: true });
        expect(Buffer.compare(damaged.export({ format: 'json', curves: true, provenance: true }), expected), `byte ${at}`).toBe(0);
        damaged.close();
      } catch (error) {
        expect(error, `byte ${at}: ${String((error as Error).stack)}`).toBeInstanceOf(FileError);
        expect((error as FileError).path).toBe(join(copy, 'store.sqlite'));
        named++;
      }
    }
    expect(named).toBeGreaterThan(50);
  });

  it('with a value changed by hand is named, table by table', () => {
    const changes = [
      'UPDATE results SET steps = 5 WHERE trial = 1',
      "UPDATE results SET timing = '{}' WHERE trial = 2",
      'UPDATE curves SET points = zeroblob(16) WHERE trial = 3',
      'UPDATE curves SET final = 7 WHERE trial = 3',
      'UPDATE columns SET points = zeroblob(8) WHERE trial = 4',
      "UPDATE attempts SET log = 'nothing' WHERE outcome = 'error'",
      "UPDATE settings SET config = replace(config, '0.1', '0.2')",
      'UPDATE trials SET seed = 99 WHERE id = 5',
      'UPDATE plans SET cost = 2 WHERE trial = 1',
      "UPDATE sweeps SET name = 'other'",
      'DELETE FROM curves WHERE trial = 5',
    ];
    full();
    const clean = join(folder(), 'clean');
    copyFileSync(file(), clean);
    for (const change of changes) {
      copyFileSync(clean, file());
      const db = new Database(file());
      expect(db.prepare(change).run().changes, change).toBeGreaterThan(0);
      db.close();
      expect(() => openStore(folder(), { verify: true }), change).toThrow(/the store is damaged: .* not what was written/);
    }
  });
});

describe('where nothing can be written', () => {
  it('a full disk loses nothing that was acknowledged, and says what to do', () => {
    const store = writing();
    const all = Array.from({ length: 400 }, (_, s) => tiny(s));
    plan(store, all);
    store.database.pragma(`max_page_count = ${(store.database.pragma('page_count', { simple: true }) as number) + 20}`);
    let kept = 0;
    const fill = (): void => {
      for (const t of all) {
        store.put([ended(store, t, recordOf(t, { distance: Array.from({ length: 200 }, (_, i) => i + kept) }))]);
        kept++;
      }
    };
    expect(fill).toThrow(/the disk is full; results that were acknowledged are kept/);
    expect(kept).toBeGreaterThan(5);
    store.close();
    const again = openStore(folder(), { verify: true });
    expect(again.status().states.done).toBe(kept);
    again.close();
  });

  it('a store that was closed in order is read all the same', () => {
    full();
    // Root may write anywhere: the file system itself must refuse, or reading goes on without it.
    chmodSync(folder(), 0o555);
    chmodSync(file(), 0o444);
    try {
      const store = openStore(folder(), { verify: true });
      expect(store.status().planned).toBe(6);
      store.close();
    } finally {
      chmodSync(folder(), 0o755);
      chmodSync(file(), 0o644);
    }
  });

  it('and nothing but the records need be there', () => {
    full();
    const fresh = join(folder(), 'fresh');
    cpSync(file(), join(fresh, 'store.sqlite'));
    const store = openStore(fresh, { verify: true });
    expect(store.status().states.done).toBe(5);
    store.close();
  });
});

it('a record digest covers every part of it', () => {
  const store = writing();
  const t = tiny(1);
  plan(store, [t]);
  const ending = ended(store, t, recordOf(t, { a: [1], b: [2] }, { tables: { p: { x: [1] } } }));
  if (!('record' in ending)) throw new Error('no record');
  const { record } = ending;
  const same = Buffer.from(digestOf(record)).toString('hex');
  const [first, second] = record.curves;
  const others = [
    { ...record, state: 'diverged' as const },
    { ...record, reason: '' },
    { ...record, steps: 5 },
    { ...record, events: '[]' },
    { ...record, curves: [second, first] },
    { ...record, curves: [first] },
    { ...record, curves: [{ ...first, name: 'c' }, second] },
    { ...record, curves: [{ ...first, values: second.values }, second] },
    { ...record, curves: [{ ...first, steps: second.values }, second] },
    { ...record, columns: [] },
    { ...record, columns: [{ ...record.columns[0], table: 'q' }] },
  ];
  const digests = others.map((o) => Buffer.from(digestOf(o)).toString('hex'));
  expect(new Set([same, ...digests]).size).toBe(others.length + 1);
  store.close();
});

it('opens no file that is none of its own', () => {
  const text = openSync(file(), 'w');
  writeSync(text, 'not a database, and long enough to be read as one'.repeat(100));
  closeSync(text);
  expect(() => openStore(folder())).toThrow(/damaged|something else/);
  expect(() => writing()).toThrow(/damaged|something else/);
});

describe('a store says what is wrong with', () => {
  it.each([
    [{ mode: 'append' }, /openStore: mode: .*read.*write/],
    [{ verify: 'yes' }, /openStore: verify/],
    [{ readonly: true }, /openStore: readonly: unknown key/],
  ])('options: %j', (options, message) => {
    expect(() => openStore(folder(), options as StoreOptions)).toThrow(message);
    expect(() => openStore(undefined as unknown as string)).toThrow(/takes the folder of a store/);
  });

  it.each([
    [{ where: { seed: NaN } }, /where\.seed/],
    [{ state: 'finished' }, /state: .*done/],
    [{ state: ['done', 'finished'] }, /state/],
    [{ role: 'test' }, /role/],
    [{ sweep: 'first' }, /sweep/],
    [{ states: 'done' }, /states: unknown key/],
  ])('questions: %j', (q, message) => {
    const store = writing();
    const odd = q as Query;
    for (const ask of [
      () => store.query(odd),
      () => store.curves('loss', odd),
      () => store.best({ metric: 'loss' }, odd),
      () => store.scores({ metric: 'loss' }, odd),
      () => store.export({ format: 'csv', ...odd }),
    ])
      expect(ask).toThrow(message);
    store.close();
  });

  it('arguments of other kinds', () => {
    const store = writing();
    const t = tiny(1);
    plan(store, [t]);
    store.put([ended(store, t, recordOf(t, { distance: [1, 2] }))]);
    expect(() => store.status(9)).toThrow(/there is no sweep 9/);
    expect(() => store.provenances('x' as unknown as number)).toThrow(/there is no sweep "x"/);
    expect(() => store.record(5 as unknown as string)).toThrow(ArgumentError);
    expect(() => store.curves({} as unknown as string)).toThrow(ArgumentError);
    expect([...store.query(null as unknown as Query)]).toHaveLength(1);
    expect(() => store.exportTo(5 as unknown as string, { format: 'csv' })).toThrow(ArgumentError);
    expect(() => store.best({ metric: 'distance', at: 3 })).toThrow(/at: no curve has a point there/);
    expect(() => store.best({ metric: 'distance', per: ['nope'] })).toThrow(/per: no configuration has 'nope'/);
    store.close();
  });

  it('cut texts that it is given, and takes them whole', () => {
    const store = writing();
    const t = tiny(1);
    plan(store, [t], 'half \ud83d');
    const half = recordOf(t, { distance: [1] }, { status: 'diverged', reason: 'half \ud83d' });
    store.put([ended(store, t, half, 'diverged')]);
    store.verify();
    expect(store.record(t.id)?.reason).toBe('half \ufffd');
    store.close();
  });

  it('being asked once it is closed', () => {
    const store = writing();
    store.close();
    for (const ask of [() => store.sweeps(), () => [...store.query()], () => store.status(), () => store.put([]), () => store.verify()])
      expect(ask).toThrow(/this store has been closed/);
    expect(() => store.close()).not.toThrow();
  });

  it.each([
    ['removed', (place: string) => rmSync(place, { recursive: true })],
    ['moved away', (place: string) => renameSync(place, `${place}.away`)],
    [
      'replaced',
      (place: string) => {
        renameSync(place, `${place}.away`);
        cpSync(`${place}.away`, place, { recursive: true });
      },
    ],
  ])('being %s while it is written to, and acknowledges nothing more', (_, meanwhile) => {
    const place = join(folder(), 'store');
    const store = openStore(place, { mode: 'write' });
    const trials = [tiny(1), tiny(2)];
    plan(store, trials);
    const [a, b] = trials.map((t) => ended(store, t, recordOf(t, { distance: [1] })));
    store.put([a]);
    meanwhile(place);
    expect(() => store.put([b])).toThrow(/was moved, removed or replaced while it was written to/);
    expect([...store.query()].map(({ state }) => state)).toEqual(['done', 'planned']);
    store.close();
  });
});
