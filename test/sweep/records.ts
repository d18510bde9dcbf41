/** Folders, specifications and records for the tests of sweeps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';
import type { ExperimentRecord } from '../../lib/experiments/index.js';
import { trial, type SweepSpec, type Trial } from '../../lib/sweep/index.js';
import { settingOf } from '../../lib/sweep/spec/trial.js';
import { encodeRecord } from '../../lib/sweep/store/encode.js';
import type { Ending } from '../../lib/sweep/store/results.js';
import type { ResultState } from '../../lib/sweep/states.js';
import type { Store } from '../../lib/sweep/store/store.js';

/** A folder of each test's own, gone after it. */
export function useFolder(): () => string {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'layerwise-sweep-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

export const MISBEHAVING = fileURLToPath(new URL('../fixtures/misbehaving.mjs', import.meta.url));

/** Trials of a few milliseconds. */
export const TINY = { task: { inputs: 9, outputs: 5, rank: 3 }, train: { batch: 16, steps: 4, every: 2 } };
export const tiny = (seed: number, extra: object = {}): Trial => trial({ ...TINY, seed, ...extra });

/** Six settings on three seeds. */
export const SMALL: SweepSpec = {
  name: 'small',
  base: TINY,
  axes: [
    { path: 'optimizer', values: [{ name: 'sgd' }, { name: 'adam' }] },
    { path: 'optimizer.learningRate', log: { from: 0.01, to: 1, count: 3 } },
  ],
  seeds: 3,
  objective: { metric: 'distance' },
};

export const misbehaving = (how: string, extra: object = {}): SweepSpec =>
  ({ experiment: 'misbehaving', modules: [MISBEHAVING], base: { how }, ...extra }) as unknown as SweepSpec;

/** A record that no run has made. */
export const recordOf = ({ config }: Trial, metrics: Readonly<Record<string, readonly number[]>>, extra: object = {}): ExperimentRecord =>
  ({
    status: 'done',
    steps: 4,
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([name, values]) => [name, { steps: values.map((_, i) => 2 * i), values: [...values] }]),
    ),
    timing: { trainingSeconds: 0.5, at: [0, 0.5] },
    config,
    provenance: { version: '0', commit: null, node: 'v20', cpu: 'none', blas: 'none', kernel: 'none', threads: 1 },
    ...extra,
  }) as unknown as ExperimentRecord;

let clock = 0;
/** Plans trials as one sweep. @returns its number */
export function plan(store: Store, trials: readonly Trial[], name = 'test'): number {
  return store.begin(
    { name, spec: JSON.stringify({ name }), folder: '', identity: name },
    trials.map(({ config }) => ({ setting: settingOf(config), seed: config.seed, role: 'evaluation', cost: 1 })),
  );
}

/** An ending of a planned trial, with a record. */
export const ended = (store: Store, t: Trial, record: ExperimentRecord, state: ResultState = 'done'): Ending => ({
  row: store.rowOf(t.id)!,
  attempt: { engine: 'test', host: 'here', started: 1000 + clock++, seconds: 0.25 },
  record: encodeRecord(record, state),
});

/** An ending without one. */
export const broken = (store: Store, t: Trial, state: 'error' | 'lost' = 'error'): Ending => ({
  row: store.rowOf(t.id)!,
  attempt: { engine: 'test', host: 'here', started: 1000 + clock++, seconds: 0.25 },
  failure: { state, message: 'it broke', log: 'first line\nlast line' },
});
