import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeRecord, numbersOf } from '../../lib/sweep/store/encode.js';
import { ShardReader, ShardWriter, type ShardEntry } from '../../lib/sweep/executors/slurm/shard.js';
import { pack, readJobs, readTask, Shards, writeSubmission } from '../../lib/sweep/executors/slurm/submission.js';
import { collect } from '../../lib/sweep/executors/slurm/collect.js';
import { openSubmission, openSubmissions } from '../../lib/sweep/executors/slurm/ledger.js';
import { openStore } from '../../lib/sweep/index.js';
import { plan, recordOf, tiny, useFolder } from './records.js';

const folder = useFolder();
const path = (): string => join(folder(), 'shard.jsonl');

const entry = (seed: number): ShardEntry => ({
  id: tiny(seed).id,
  attempt: { engine: 'slurm', host: 'n1', started: 1.25, seconds: 0.5 },
  record: encodeRecord(recordOf(tiny(seed), { loss: [NaN, 1 / 3], distance: [seed] }, { tables: { p: { x: [Infinity] } } }), 'done'),
});
const failure: ShardEntry = { id: 'f', attempt: entry(1).attempt, failure: { state: 'error', message: 'a\nb', log: '"ü"' } };

function written(...entries: readonly ShardEntry[]): void {
  const writer = new ShardWriter(path());
  writer.append(entries);
  writer.close();
}
/** Bytes as numbers: a Buffer is no Uint8Array to a comparison. */
const plain = (e: ShardEntry | undefined): unknown =>
  e !== undefined && 'record' in e
    ? {
        ...e,
        record: {
          ...e.record,
          at: [...e.record.at],
          digest: [...e.record.digest],
          curves: e.record.curves.map((c) => [c.name, [...c.steps], [...c.values]]),
          columns: e.record.columns.map((c) => [c.name, c.table, [...c.values]]),
        },
      }
    : e;

describe('a shard', () => {
  it('is read as it was written, records and failures', () => {
    written(entry(1), failure, entry(2));
    const read = new ShardReader(path()).read();
    expect(read.map(plain)).toEqual([entry(1), failure, entry(2)].map(plain));
    const [first] = read;
    if (!('record' in first)) throw new Error('no record');
    expect([...numbersOf(first.record.curves[0].values)]).toEqual([NaN, 1 / 3]);
  });

  it('is read on as it grows; a last line that is cut off waits for its rest', () => {
    written(entry(1), entry(2));
    const text = readFileSync(path());
    truncateSync(path(), text.length - 20);
    const reader = new ShardReader(path());
    expect(reader.read().map(({ id }) => id)).toEqual([entry(1).id]);
    expect(reader.read()).toEqual([]);
    appendFileSync(path(), text.subarray(text.length - 20));
    expect(reader.read().map(({ id }) => id)).toEqual([entry(2).id]);
    expect(reader.damaged).toBe(0);
  });

  it('loses the lines alone in which a bit has flipped, and says how many', () => {
    written(entry(1), entry(2), entry(3));
    const lines = readFileSync(path(), 'utf8').split('\n');
    const middle = lines[1].length >> 1;
    lines[1] = `${lines[1].slice(0, middle)}${lines[1][middle] === 'A' ? 'B' : 'A'}${lines[1].slice(middle + 1)}`;
    writeFileSync(path(), lines.join('\n'));
    const reader = new ShardReader(path());
    expect(reader.read().map(({ id }) => id)).toEqual([entry(1).id, entry(3).id]);
    expect(reader.damaged).toBe(1);
  });
});

describe('a submission', () => {
  const job = (row: number, cost: number) => ({ row, id: String(row), config: tiny(row).config, cost });

  it('packs trials into tasks of about so many seconds, each trial once and none of them empty', () => {
    const jobs = [9, 1, 1, 1, 5, 5].map((cost, i) => job(i, cost));
    expect(pack(jobs, 4).map((task) => task.map(({ row }) => row))).toEqual([[0], [1, 2, 3, 4], [5]]);
    expect(pack(jobs, 1000)).toHaveLength(1);
    expect(pack([], 4)).toEqual([]);
  });

  it('is read back, and its shards are found as they come', () => {
    const jobs = [1, 2, 3].map((row) => job(row, 1));
    writeSubmission(folder(), { modules: [], jobs: 1, threads: 1 }, [jobs.slice(0, 2), jobs.slice(2)]);
    expect(readJobs(folder())).toEqual(jobs);
    expect(readTask(folder(), 1)).toEqual([jobs[2]]);
    const shards = new Shards(folder());
    expect(shards.read()).toEqual([]);
    const writer = new ShardWriter(join(folder(), 'shards', 'late.jsonl'));
    writer.append([failure]);
    writer.close();
    expect(shards.read()).toEqual([failure]);
    expect(shards.read()).toEqual([]);
  });
});

describe('what a cluster has left is collected', () => {
  it.each([
    ['as results', undefined, ['done', 'pruned']],
    ['but for trials that wait at a rung: nobody has compared them', { metric: 'distance', steps: [2] }, ['done', 'planned']],
  ])('%s', async (_, rungs, states) => {
    const store = openStore(join(folder(), 'store'), { mode: 'write' });
    const trials = [tiny(1), tiny(2)];
    plan(store, trials);
    const submission = openSubmission(store, 1);
    const jobs = trials.map(({ id, config }) => ({ row: store.rowOf(id)!, id, config, cost: 1 }));
    const ends = rungs === undefined ? undefined : { ...rungs, checkpoints: { folder: folder(), steps: rungs.steps } };
    writeSubmission(submission.folder, { modules: [], jobs: 1, threads: 1, rungs: ends }, [jobs]);
    const writer = new ShardWriter(join(submission.folder, 'shards', '0.jsonl'));
    const pruned = encodeRecord(recordOf(tiny(2), { distance: [1] }, { status: 'stopped', reason: 'pruned at step 2' }), 'pruned');
    writer.append([entry(1), { ...entry(2), record: pruned }]);
    writer.close();
    expect(await collect(store)).toMatchObject([{ trials: 2, ended: 2 }]);
    expect([...store.query()].map(({ state }) => state)).toEqual(states);
    expect(openSubmissions(store)).toEqual([]);
    store.close();
  });
});
