/** A sweep that is killed again and again, for the tests and for scripts/kills.ts. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Stream } from '../../lib/random/index.js';
import { openStore } from '../../lib/sweep/index.js';
import { childrenOf } from './processes.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const MISBEHAVING = fileURLToPath(new URL('../fixtures/misbehaving.mjs', import.meta.url));

export interface Survival {
  readonly kills: { readonly coordinator: number; readonly children: number };
  /** Trials that began again although they had been acknowledged. */
  readonly again: readonly number[];
  /** Most records that any trial came with. */
  readonly mostRecords: number;
  /** Whether the export has the bytes of a run that nobody disturbed. */
  readonly sameExport: boolean;
}

export interface Disturbance {
  readonly rounds: number;
  /** Enough of them that the sweep has not ended before the last kill. */
  readonly trials: number;
  readonly seed: number;
}

/** Kills coordinator and children alternately, with SIGKILL, at moments drawn from the seed, and resumes each time.
 *  @param folder  empty */
export async function survive(folder: string, { rounds, trials, seed }: Disturbance): Promise<Survival> {
  const diary = join(folder, 'diary');
  const spec = (name: string, extra: string): string => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(
      path,
      `experiment: misbehaving\nmodules: ['${MISBEHAVING}']\nbase: { milliseconds: 25${extra} }\nseeds: ${trials}\nretries: 9\n`,
    );
    return path;
  };
  const disturbed = spec('disturbed', `, diary: '${diary}'`);
  const store = join(folder, 'disturbed.store');
  const moments = new Stream(seed).uniform(new Float64Array(rounds));
  const kills = { coordinator: 0, children: 0 };
  const acknowledged: { readonly seeds: ReadonlySet<number>; readonly from: number }[] = [];
  let running: ChildProcess | undefined;
  for (let round = 0; round < rounds; round++) {
    if (running === undefined || running.exitCode !== null)
      running = spawn(process.execPath, [MAIN, 'sweep', disturbed], { stdio: 'ignore' });
    await sleep(500 + 700 * moments[round]);
    if (round % 2 === 1) {
      const child = await firstChild(running);
      if (child !== undefined && kill(child)) kills.children++;
      continue;
    }
    if (runs(running) && kill(running.pid!)) kills.coordinator++;
    await gone(running);
    running = undefined;
    await sleep(200); // its children go with it
    acknowledged.push({ seeds: doneSeeds(store), from: linesOf(diary).length });
  }
  if (running !== undefined) await gone(running);
  const finish = spawnSync(process.execPath, [MAIN, 'sweep', disturbed], { encoding: 'utf8' });
  if (finish.status !== 0) throw new Error(`the last run ended with ${String(finish.status)}: ${finish.stderr}`);
  const began = linesOf(diary);
  const again = acknowledged.flatMap(({ seeds, from }) => began.slice(from).filter((s) => seeds.has(s)));

  const whole = spawnSync(process.execPath, [MAIN, 'sweep', spec('whole', `, diary: '${diary}'`), '--store', join(folder, 'whole.store')]);
  if (whole.status !== 0) throw new Error('the undisturbed run failed');
  return { kills, again, mostRecords: mostRecords(store), sameExport: exported(store) === exported(join(folder, 'whole.store')) };
}

const runs = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;
/** Waits until it has one: on a busy machine a process may take seconds to begin. */
async function firstChild(parent: ChildProcess): Promise<number | undefined> {
  for (let waited = 0; waited < 20_000 && runs(parent); waited += 50) {
    const [child] = childrenOf(parent.pid!);
    if (child !== undefined) return child;
    await sleep(50);
  }
  return undefined;
}
const gone = async (child: ChildProcess): Promise<void> => {
  if (runs(child)) await new Promise((resolve) => child.once('exit', resolve));
};

const linesOf = (path: string): number[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map(Number)
    : [];

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // it has gone meanwhile
  }
}

function reading<T>(folder: string, read: (store: ReturnType<typeof openStore>) => T): T {
  const store = openStore(folder, { verify: true });
  try {
    return read(store);
  } finally {
    store.close();
  }
}

const doneSeeds = (folder: string): Set<number> => {
  try {
    return reading(folder, (store) => new Set([...store.query({ state: 'done' })].map(({ seed }) => seed)));
  } catch (error) {
    if (/no store|no such store/.test((error as Error).message)) return new Set(); // killed before it had made one
    throw error;
  }
};
const exported = (folder: string): string =>
  reading(folder, (store) => Buffer.from(store.export({ format: 'csv', curves: true })).toString('base64'));
const mostRecords = (folder: string): number =>
  reading(folder, (store) =>
    store.database
      .prepare<[], number>(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM attempts WHERE outcome = 'done' OR outcome LIKE 'repeated%' GROUP BY trial)",
      )
      .pluck()
      .get()!,
  );
