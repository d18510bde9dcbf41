/** On a real Slurm of two emulated nodes. Ended tasks, dead nodes and a controller that forgets must change nothing in the export. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../lib/sweep/index.js';
import { startSlurm, type Slurm } from '../engines/slurm.js';
import { processesWith } from './processes.js';
import { MISBEHAVING, useFolder } from './records.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const TRIALS = 200;

let slurm: Slurm;
beforeAll(() => void (slurm = startSlurm()), 300_000);
afterAll(() => (slurm as Slurm | undefined)?.down());

const folder = useFolder();
const place = (): string => join(folder(), 'slurm.store');

/** 200 trials of 20 ms, in tasks of about a second. */
function spec(extra = ''): string {
  const path = join(folder(), 'slurm.yaml');
  // A trial of this experiment counts as a second, whatever it takes.
  const lines = ['experiment: misbehaving', `modules: ['${MISBEHAVING}']`, 'base: { milliseconds: 20 }', `seeds: ${TRIALS}`];
  writeFileSync(path, [...lines, 'slurm: { taskSeconds: 25, poll: 0.3 }', extra, ''].join('\n'));
  return path;
}
const layerwise = (...args: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { env: slurm.env, encoding: 'utf8', timeout: 120_000 });
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
function start(...args: readonly string[]): ChildProcess & { said: () => string } {
  const child = spawn(process.execPath, [MAIN, 'sweep', spec(), '--store', place(), '--executor', 'slurm', ...args], { env: slurm.env });
  started.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  return Object.assign(child, { said: () => said });
}
const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', resolve));

function exported(store: string): string {
  const open = openStore(store, { verify: true });
  const text = Buffer.from(open.export({ format: 'csv', curves: true })).toString();
  open.close();
  return text;
}
/** What a run on this machine alone exports. */
let local = '';
function expectTheSame(): void {
  if (local === '') {
    const other = join(folder(), 'local.store');
    expect(layerwise('sweep', spec(), '--store', other).status).toBe(0);
    local = exported(other);
  }
  expect(exported(place())).toBe(local);
}

/** Waits until so many trials have been heard of, or the queue holds running tasks. */
async function until(met: () => boolean): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (met()) return;
    await sleep(50);
  }
  expect.unreachable('waited for half a minute');
}
const shards = (): string[] => (existsSync(join(place(), 'slurm/1/shards')) ? readdirSync(join(place(), 'slurm/1/shards')) : []);
const running = (): string[] =>
  slurm
    .command('squeue', '-h', '-r', '-t', 'RUNNING', '-o', '%i')
    .split('\n')
    .filter((line) => line !== '');

/** As an operator would: a controller that has forgotten numbers gives them again, takes those that nodes know for duplicates, drains the
 *  nodes and holds the jobs. */
function seeToNodes(): void {
  const ask = (command: string, ...args: readonly string[]): string[] =>
    spawnSync(command, args, { env: slurm.env, encoding: 'utf8' })
      .stdout.split('\n')
      .filter((line) => line !== '');
  if (ask('sinfo', '-h', '-o', '%T').some((state) => state.startsWith('drain')))
    ask('scontrol', 'update', 'NodeName=n1,n2', 'State=RESUME');
  for (const line of ask('squeue', '-h', '-t', 'PENDING', '-o', '%F|%r')) {
    const [id, reason] = line.split('|');
    if (reason.includes('JobHeld')) ask('scontrol', 'release', id);
  }
}

describe('on slurm, a sweep of 200 trials', () => {
  it('exports the bytes of a local one', async () => {
    const child = start();
    expect(await ended(child), child.said()).toBe(0);
    expect(child.said()).toMatch(/200 trials in 8 tasks submitted/);
    expect(new Set(readdirSync(join(place(), 'slurm/1/logs')).map((name) => name.split('-')[0])).size).toBe(8);
    expectTheSame();
  });

  it('does so after one of its tasks was cancelled and another one was requeued', async () => {
    const child = start();
    await until(() => running().length === 2 && shards().length > 0);
    const [a, b] = running();
    slurm.command('scancel', a);
    slurm.command('scontrol', 'requeue', b);
    expect(await ended(child), child.said()).toBe(0);
    expect(child.said().match(/submitted as/g)!.length).toBeGreaterThanOrEqual(2); // what the cancelled task had left went in again
    expectTheSame();
  });

  it("does so after one node's daemon was killed with its tasks", async () => {
    const child = start();
    await until(() => running().length === 2 && shards().length > 0);
    const nodes = slurm.command('squeue', '-h', '-r', '-t', 'RUNNING', '-o', '%N').split('\n');
    expect(nodes).toContain('n1');
    process.kill(slurm.pid('slurmd.n1'), 'SIGKILL');
    const tasks = processesWith('SLURMD_NODENAME=n1');
    expect(tasks.length).toBeGreaterThan(0);
    for (const pid of tasks) process.kill(pid, 'SIGKILL');
    expect(await ended(child), child.said()).toBe(0);
    expectTheSame();
    spawnSync('slurmd', ['-N', 'n1', '-f', slurm.env['SLURM_CONF']!], { env: slurm.env });
  });

  it('does so after the controller was killed just after submission', async () => {
    const child = start();
    await until(() => /submitted as/.test(child.said()));
    process.kill(slurm.pid('slurmctld'), 'SIGKILL');
    await sleep(500);
    spawnSync('slurmctld', ['-f', slurm.env['SLURM_CONF']!], { env: slurm.env });
    const operator = setInterval(seeToNodes, 1000);
    try {
      expect(await ended(child), child.said()).toBe(0);
    } finally {
      clearInterval(operator);
    }
    expectTheSame();
  });

  it('goes on without a coordinator: detached, looked at, collected', async () => {
    expect(layerwise('sweep', spec(), '--store', place(), '--executor', 'slurm', '--detach')).toMatchObject({ status: 0 });
    expect(layerwise('status', place()).stdout).toMatch(/layerwise-[0-9a-f]{8}-1: 8 tasks submitted/);
    let collected = '';
    await until(() => {
      collected = layerwise('collect', place()).stdout;
      return /200 of 200 trials have ended/.test(collected);
    });
    expect(layerwise('collect', place()).stdout).toMatch(/nothing is out/);
    expectTheSame();
    const again = layerwise('sweep', spec(), '--store', place(), '--executor', 'slurm');
    expect(again).toMatchObject({ status: 0 });
    expect(again.stderr).not.toMatch(/submitted as/);
  });

  it('can be cancelled, and resumed where it was; options of sbatch pass through, and arrays are split', async () => {
    const path = spec().replace('.yaml', '-split.yaml');
    writeFileSync(path, readFileSync(spec(), 'utf8').replace('poll: 0.3', 'poll: 0.3, arraySize: 3'));
    const detached = layerwise('sweep', path, '--store', place(), '--executor', 'slurm', '--detach', '--sbatch=--comment=of-a-test');
    expect(detached.stderr).toMatch(/200 trials in 8 tasks submitted as \d+, \d+, \d+ /);
    await until(() => running().length > 0);
    expect(slurm.command('scontrol', 'show', 'job', '-o', running()[0])).toMatch(/Comment=of-a-test/);
    expect(layerwise('cancel', place()).stdout).toMatch(/^cancelled: layerwise-/);
    await until(() => slurm.command('squeue', '-h') === '');
    expect(layerwise('sweep', path, '--store', place(), '--executor', 'slurm')).toMatchObject({ status: 0 });
    expectTheSame();
  });

  it('says why nothing runs, where waiting alone does not mend it', async () => {
    const child = start('--sbatch=--hold');
    await until(() => /layerwise-[0-9a-f]{8}-1 waits: JobHeldUser/.test(child.said()));
    child.kill('SIGKILL');
    expect(layerwise('cancel', place()).stdout).toMatch(/^cancelled/);
  });

  it('lets the trials that run end when the time limit is near, and submits the others again', async () => {
    const child = start();
    await until(() => running().length === 2 && shards().length > 0);
    await until(() => {
      // One may just have ended, or not have begun.
      for (const id of running()) spawnSync('scancel', ['--signal=USR1', '--batch', id], { env: slurm.env });
      return logs().some((text) => /ended before \d+ of its trials had begun/.test(text));
    });
    expect(await ended(child), child.said()).toBe(0);
    expectTheSame();
  });
});

it('on slurm, halving by rungs gives the bytes of a local one', () => {
  const path = join(folder(), 'halving.yaml');
  const lines = [
    'base: { task: { inputs: 9, outputs: 5, rank: 3 }, train: { batch: 16, steps: 40, every: 5 }, optimizer: { name: sgd } }',
    'axes: { optimizer.learningRate: { log: { from: 1.0e-4, to: 0.1, count: 9 } } }',
    'objective: { metric: distance }',
    'pruning: { method: asha, rungs: [5, 15], synchronous: true }',
    'slurm: { taskSeconds: 0.02, poll: 0.3 }',
  ];
  writeFileSync(path, lines.join('\n'));
  const other = join(folder(), 'local.store');
  expect(layerwise('sweep', path, '--store', other).status).toBe(0);
  const letGo = layerwise('sweep', path, '--store', place(), '--executor', 'slurm', '--detach');
  expect(letGo.status).toBe(1);
  expect(letGo.stderr).toMatch(/pruning compares trials at every rung.*leave --detach out/);
  const onSlurm = layerwise('sweep', path, '--store', place(), '--executor', 'slurm');
  expect(onSlurm.status, onSlurm.stderr).toBe(0);
  expect(onSlurm.stderr.match(/submitted as/g)).toHaveLength(3); // one array a rung
  expect(exported(place())).toBe(exported(other));
});

const logs = (): string[] => {
  const where = join(place(), 'slurm/1/logs');
  return existsSync(where) ? readdirSync(where).map((name) => readFileSync(join(where, name), 'utf8')) : [];
};

it('without slurm says so, and what to do', () => {
  const bare = spawnSync(process.execPath, [MAIN, 'sweep', spec(), '--store', place(), '--executor', 'slurm'], {
    env: { PATH: '/nowhere' },
    encoding: 'utf8',
  });
  expect(bare.status).toBe(1);
  expect(bare.stderr).toMatch(/scontrol is not there: this machine has no Slurm.*--executor local/);
});
