import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../lib/errors.js';
import type { ExperimentRecord } from '../../lib/experiments/index.js';
import { runLocally } from '../../lib/sweep/executors/local.js';
import { folderStore, runTrials, trial, type Progress, type Store, type Trial } from '../../lib/sweep/index.js';

const TINY = { task: { inputs: 9, outputs: 5, rank: 3 }, train: { batch: 16, steps: 4, every: 2 } };
const tiny = (seed: number, extra: object = {}): Trial => trial({ ...TINY, seed, ...extra });

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'layerwise-sweep-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a trial', () => {
  it('is identified by its complete configuration, however it was written', () => {
    expect(trial({ seed: 1 }).id).toBe(trial({ task: { inputs: 100 }, seed: 1, dtype: 'float64' }).id);
    expect(trial({ seed: 1 }).id).not.toBe(trial({ seed: 2 }).id);
    expect(trial({ task: { noise: 0.2 } }).id).not.toBe(trial({}).id);
  });

  it('keeps its identity from release to release (golden)', () => {
    expect(trial({}).id).toBe('2e8b7fd42e8826fd60420aed03d214dc8687d715411155b023d44d9b8bcaa1a2');
  });
});

describe('folderStore', () => {
  const recordOf = ({ config }: Trial): ExperimentRecord =>
    ({
      status: 'diverged',
      metrics: { loss: { steps: [1], values: [NaN] }, d: { steps: [1], values: [-Infinity] } },
      timing: { trainingSeconds: 0, at: [] },
      config,
    }) as unknown as ExperimentRecord;

  it('gives back what was put, NaN and infinities included, also to another process', () => {
    const { id } = tiny(1);
    folderStore(folder).put(id, recordOf(tiny(1)));
    expect(folderStore(folder).get(id)).toEqual(recordOf(tiny(1)));
    expect(folderStore(folder).get('abd')).toBeUndefined();
  });

  it.each([['null'], ['{}'], ['"x"'], ['{"status":']])('throws FileError for a file that holds %s', (text) => {
    writeFileSync(join(folder, 'abc.json'), text);
    expect(() => folderStore(folder).get('abc')).toThrow(FileError);
    expect(() => folderStore(folder).get('abc')).toThrow(/abc\.json: .* delete the file/);
  });

  it('throws FileError for the record of another trial', () => {
    folderStore(folder).put('abc', recordOf(tiny(1)));
    expect(() => folderStore(folder).get('abc')).toThrow(/damaged/);
  });

  it('leaves no temporary file behind', () => {
    folderStore(folder).put('abc', {} as ExperimentRecord);
    expect(readdirSync(folder)).toEqual(['abc.json']);
  });
});

describe('runTrials', () => {
  const run = (trials: Trial[], store: Store, extra: object = {}) => runTrials(trials, { store, jobs: 2, threads: 1, ...extra });

  it('runs each distinct trial once, and none that is stored', async () => {
    const store = folderStore(folder);
    const seen: Progress[] = [];
    const first = await run([tiny(1), tiny(2), tiny(1)], store, { onProgress: (p: Progress) => seen.push(p) });
    expect([...first.records.keys()].sort()).toEqual([tiny(1).id, tiny(2).id].sort());
    expect(seen.at(-1)).toEqual({ done: 2, total: 2, failed: 0 });
    const again: Progress[] = [];
    const second = await run([tiny(1), tiny(2)], folderStore(folder), { onProgress: (p: Progress) => again.push(p) });
    expect(again).toEqual([{ done: 2, total: 2, failed: 0 }]);
    expect(second.records.get(tiny(2).id)?.metrics).toEqual(first.records.get(tiny(2).id)?.metrics);
  });

  it('gives records that do not depend on the number of jobs', async () => {
    const metrics = async (jobs: number): Promise<unknown> => {
      const { records } = await run(
        [1, 2, 3].map((s) => tiny(s)),
        folderStore(join(folder, String(jobs))),
        { jobs },
      );
      return [1, 2, 3].map((s) => records.get(tiny(s).id)?.metrics);
    };
    expect(await metrics(1)).toEqual(await metrics(3));
  });

  it('reports a trial whose configuration cannot be assembled and goes on with the rest', async () => {
    const bad = tiny(1, { optimizer: { name: 'sgd', learningRate: [0.1, 0.1, 0.1] } });
    const { records, failures } = await run([bad, tiny(2)], folderStore(folder));
    expect(records.size).toBe(1);
    expect(failures).toMatchObject([{ error: expect.stringMatching(/one a layer/) }]);
  });

  it('stops, and leaves no child behind, when a result cannot be stored', async () => {
    const full: Store = {
      get: () => undefined,
      put: () => {
        throw new FileError('x', 'the disk is full');
      },
    };
    const trials = Array.from({ length: 8 }, (_, s) => tiny(s));
    await expect(run(trials, full)).rejects.toThrow('the disk is full');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(childrenOfThisProcess()).toEqual([]);
  });

  it('keeps what is done when it is aborted, and goes on from there', async () => {
    const controller = new AbortController();
    const trials = Array.from({ length: 12 }, (_, s) => tiny(s, { train: { batch: 16, steps: 300, every: 100 } }));
    const store = folderStore(folder);
    const first = await run(trials, store, {
      signal: controller.signal,
      onProgress: ({ done }: Progress) => void (done >= 3 && controller.abort()),
    });
    expect(first.interrupted).toBe(true);
    const kept = readdirSync(folder).length;
    expect(kept).toBeGreaterThanOrEqual(3);
    expect(kept).toBeLessThan(12);
    const counts: number[] = [];
    const rest = await run(trials, folderStore(folder), { onProgress: ({ done }: Progress) => counts.push(done) });
    expect(counts[0]).toBe(kept);
    expect(rest.records.size).toBe(12);
  });
});

it('a child that is killed fails its own trial alone, and is replaced', async () => {
  const killed = tiny(0, { train: { batch: 16, steps: 2_000_000, every: 1_000_000 } });
  const outcomes: string[] = [];
  const killer = setInterval(() => {
    for (const pid of childrenOfThisProcess()) if (outcomes.length === 3) process.kill(pid, 'SIGKILL');
  }, 100);
  for await (const outcome of runLocally([killed, tiny(1), tiny(2), tiny(3)], { jobs: 2, threads: 1 }))
    outcomes.push('record' in outcome ? 'done' : outcome.error);
  clearInterval(killer);
  expect(outcomes.filter((o) => o === 'done')).toHaveLength(3);
  expect(outcomes.at(-1)).toMatch(/its process ended early \(SIGKILL\)/);
});

function childrenOfThisProcess(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1] === String(process.pid)
        );
      } catch {
        return false;
      }
    });
}
