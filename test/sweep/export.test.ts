import { spawn, spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../lib/errors.js';
import { parse } from '../../lib/json.js';
import { openStore, type Store } from '../../lib/sweep/index.js';
import { broken, ended, plan, recordOf, tiny, useFolder } from './records.js';

const folder = useFolder();
const trials = [1, 2, 3].map((s) => tiny(s, { optimizer: { name: s === 3 ? 'adam' : 'sgd' } }));

function filled(name = 'store'): Store {
  const store = openStore(`${folder()}/${name}`, { mode: 'write' });
  plan(store, trials);
  const [a, b, c] = trials;
  // The order in which they end is not that of the export.
  store.put([
    ended(
      store,
      c,
      recordOf(c, { loss: [5], distance: [NaN, Infinity] }, { status: 'diverged', reason: 'step 1: "so", it is' }),
      'diverged',
    ),
    broken(store, b),
  ]);
  store.put([ended(store, a, recordOf(a, { loss: [5], distance: [1, 0.1 + 0.2] }))]);
  return store;
}
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const objects = async (bytes: Uint8Array): Promise<Record<string, unknown>[]> =>
  parquetReadObjects({ file: Uint8Array.from(bytes).buffer });

describe('export', () => {
  it('as csv has a row a trial in the order of planning, with every number written whole', () => {
    const store = filled();
    const [head, ...rows] = text(store.export({ format: 'csv' }))
      .trimEnd()
      .split('\n');
    const keys = head.split(',');
    expect(keys.slice(0, 8)).toEqual(['id', 'experiment', 'role', 'state', 'reason', 'steps', 'final.loss', 'final.distance']);
    expect(keys.slice(8)).toEqual(keys.slice(8).toSorted());
    expect(keys).toContain('config.optimizer.learningRate');
    expect(keys.some((k) => k.startsWith('run.'))).toBe(false);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatch(`${trials[0].id},linear-representation,evaluation,done,,4,5,0.30000000000000004,`);
    expect(rows[1]).toMatch(`${trials[1].id},linear-representation,evaluation,error,,0,,,`);
    expect(rows[2]).toMatch(`${trials[2].id},linear-representation,evaluation,diverged,"step 1: ""so"", it is",4,5,Infinity,`);
    store.close();
  });

  it('as parquet is read by another program, NaN and absent values included', async () => {
    const store = filled();
    const rows = await objects(store.export({ format: 'parquet' }));
    expect(rows.map((r) => [r['id'], r['state'], r['final.distance'], r['config.optimizer.name'], r['config.seed']])).toEqual([
      [trials[0].id, 'done', 0.1 + 0.2, 'sgd', 1],
      [trials[1].id, 'error', null, 'sgd', 2],
      [trials[2].id, 'diverged', Infinity, 'adam', 3],
    ]);
    expect(rows.map((r) => r['config.optimizer.amsgrad'])).toEqual([null, null, false]);
    const points = await objects(store.export({ format: 'parquet', curves: true, where: { 'optimizer.name': 'adam' } }));
    expect(points.map(({ metric, step, value }) => [metric, step, value])).toEqual([
      ['loss', 0, 5],
      ['distance', 0, NaN],
      ['distance', 2, Infinity],
    ]);
    store.close();
  });

  it('as json keeps configurations whole, and curves where asked', () => {
    const store = filled();
    const [first] = parse(text(store.export({ format: 'json' }))) as Record<string, unknown>[];
    expect(first).toEqual({
      id: trials[0].id,
      config: trials[0].config,
      role: 'evaluation',
      state: 'done',
      reason: null,
      steps: 4,
      final: { loss: 5, distance: 0.1 + 0.2 },
    });
    const third = (parse(text(store.export({ format: 'json', curves: true }))) as Record<string, unknown>[])[2];
    expect(third['curves']).toEqual({ loss: { steps: [0], values: [5] }, distance: { steps: [0, 2], values: [NaN, Infinity] } });
    store.close();
  });

  it.each(['csv', 'parquet', 'json'] as const)('as %s has the same bytes from two runs, unless provenance is asked for', (format) => {
    const [a, b] = [filled('a'), filled('b')];
    for (const curves of [false, true]) expect(Buffer.compare(a.export({ format, curves }), b.export({ format, curves }))).toBe(0);
    expect(Buffer.compare(a.export({ format, provenance: true }), b.export({ format, provenance: true }))).not.toBe(0);
    a.close();
    b.close();
  });

  it('of many rows is written in parts, which together are the file', async () => {
    const store = openStore(`${folder()}/long`, { mode: 'write' });
    const t = tiny(1);
    plan(store, [t]);
    const values = Array.from({ length: 130_000 }, (_, i) => Math.sin(i));
    store.put([ended(store, t, recordOf(t, { distance: values }))]);
    for (const format of ['csv', 'parquet', 'json'] as const) {
      const parts: number[] = [];
      store.exportTo((part) => parts.push(part.length), { format, curves: true });
      const path = `${folder()}/long.${format}`;
      store.exportTo(path, { format, curves: true });
      const bytes = readFileSync(path);
      expect(parts.reduce((a, b) => a + b)).toBe(bytes.length);
      expect(Buffer.compare(bytes, store.export({ format, curves: true }))).toBe(0);
      if (format === 'csv') {
        expect(parts).toHaveLength(130);
        expect(text(bytes).trimEnd().split('\n')).toHaveLength(1 + values.length);
      }
      if (format === 'parquet') expect((await objects(bytes)).map((r) => r['value'])).toEqual(values);
    }
    store.close();
  });

  it('of many trials is one list of JSON', () => {
    const store = openStore(`${folder()}/many`, { mode: 'write' });
    const many = Array.from({ length: 230 }, (_, i) => tiny(i));
    plan(store, many);
    expect((parse(text(store.export({ format: 'json' }))) as { id: string }[]).map(({ id }) => id)).toEqual(many.map(({ id }) => id));
    store.close();
  });

  it('has empty cells where a trial has not a metric, whatever its name', () => {
    const store = openStore(`${folder()}/names`, { mode: 'write' });
    const [a, b] = [tiny(1), tiny(2)];
    plan(store, [a, b]);
    const all = Object.fromEntries(['constructor', 'toString', '__proto__'].map((name) => [name, { steps: [1], values: [7] }]));
    store.put([ended(store, a, recordOf(a, {}, { metrics: all })), ended(store, b, recordOf(b, { distance: [1] }))]);
    const rows = parse(text(store.export({ format: 'json' }))) as { final: object }[];
    expect(rows.map(({ final }) => Object.keys(final))).toEqual([['constructor', 'toString', '__proto__'], ['distance']]);
    const lines = text(store.export({ format: 'csv' })).split('\n');
    const at = lines[0].split(',').findIndex((name) => name.startsWith('final.'));
    expect(lines.slice(1, 3).map((line) => line.split(',').slice(at, at + 4))).toEqual([
      ['7', '', '7', '7'],
      ['', '1', '', ''],
    ]);
    store.close();
  });

  it('writes through a link, and into a pipe', async () => {
    const store = filled();
    const [file, link, pipe] = ['file', 'link', 'pipe'].map((name) => `${folder()}/${name}`);
    writeFileSync(file, '');
    symlinkSync(file, link);
    store.exportTo(link, { format: 'csv' });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(text(store.export({ format: 'csv' })));
    spawnSync('mkfifo', [pipe]);
    const reader = spawn('cat', [pipe]);
    let heard = '';
    reader.stdout.on('data', (part: Buffer) => (heard += part.toString()));
    const gone = new Promise((resolve) => reader.once('close', resolve));
    store.exportTo(pipe, { format: 'csv' });
    await gone;
    expect(heard).toBe(readFileSync(file, 'utf8'));
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    store.close();
  });

  it('refuses a condition on a path that no configuration has', () => {
    const store = filled();
    expect(() => store.export({ format: 'csv', where: { 'optimizer.nam': 'sgd' } })).toThrow(
      /where\.optimizer\.nam: no configuration has this path/,
    );
    expect([...store.query({ where: { 'optimizer.amsgrad': null } })]).toHaveLength(2);
    store.close();
  });

  it('that cannot be written leaves the file that was there', () => {
    const store = filled();
    const path = `${folder()}/out.csv`;
    writeFileSync(path, 'before');
    store.database.exec('DROP TABLE curves');
    expect(() => store.exportTo(path, { format: 'csv' })).toThrow(FileError);
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(() => store.exportTo(`${folder()}/${'x'.repeat(300)}`, { format: 'csv' })).toThrow(FileError); // no name of a file
    expect(readdirSync(folder()).sort()).toEqual(['out.csv', 'store']);
    store.close();
  });

  it('with provenance says when, where and by what a trial ran', () => {
    const store = filled();
    const [head, first, second] = text(store.export({ format: 'csv', provenance: true })).split('\n');
    const keys = head.split(',').filter((k) => k.startsWith('run.'));
    expect(keys).toEqual([
      'run.seconds',
      'run.engine',
      'run.host',
      'run.started',
      'run.attempts',
      'run.version',
      'run.commit',
      'run.node',
      'run.cpu',
      'run.blas',
      'run.kernel',
      'run.threads',
    ]);
    expect(first).toMatch(/0\.25,test,here,\d+,1,0,,v20,none,none,none,1$/);
    expect(second).toMatch(/0\.25,test,here,\d+,1,,,,,,,$/);
    store.close();
  });

  it('of nothing is empty', () => {
    const store = openStore(`${folder()}/empty`, { mode: 'write' });
    expect(text(store.export({ format: 'csv' }))).toBe('');
    expect(text(store.export({ format: 'json' }))).toBe('[]\n');
    store.close();
  });
});
