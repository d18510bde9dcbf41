/** Sweeps as a user meets them: the compiled program, in processes of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MAIN, useProgram } from './program.js';

const MISBEHAVING = fileURLToPath(new URL('../fixtures/misbehaving.mjs', import.meta.url));
const SMALL = `name: small
base:
  task: { inputs: 9, outputs: 5, rank: 3 }
  train: { batch: 16, steps: 4, every: 2 }
  optimizer: { name: layerwise }
axes:
  optimizer.learningRate: { log: { from: 0.01, to: 1, count: 3 } }
seeds: 2
objective: { metric: distance }
`;
const broken = (how: string, rest = ''): string => `experiment: misbehaving\nmodules: ['${MISBEHAVING}']\nbase: { how: ${how} }\n${rest}`;

const { folder, run, file } = useProgram();

describe('layerwise sweep', () => {
  it('says what it will take, and runs nothing, with --dry-run', () => {
    const { status, stdout } = run('sweep', file('small.yaml', SMALL), '--dry-run', '--jobs', '3');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^small: 3 settings, 6 trials\n +predicted: \d+ s of one core, about \d+ s with 3 at a time\n +memory: +\S+ [KM]iB/,
    );
    expect(existsSync(join(folder(), 'small.store'))).toBe(false);
    const forecast = JSON.parse(run('sweep', 'small.yaml', '--dry-run', '--json').stdout) as Record<string, number>;
    expect(forecast).toMatchObject({ settings: 3, trials: 6, later: 0 });
    expect(forecast['seconds']).toBeGreaterThan(0);
  });

  it('counts the trials of the second stage', () => {
    file('two.yaml', SMALL.replace('seeds: 2', 'seeds: { tuning: 2, evaluation: 5 }'));
    expect(run('sweep', 'two.yaml', '--dry-run').stdout).toMatch(
      /3 settings, 6 trials, and 5 more on the evaluation seeds of the best settings/,
    );
  });

  it('runs, prints the best settings, and does nothing the second time', () => {
    const first = run('sweep', file('small.yaml', SMALL));
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/^small: 6 done \(small\.store\)/);
    expect(first.stdout).toMatch(/layerwise +│ optimizer\.learningRate [\d.]+ +│ \d\S* \[\S+, \S+\] │ 2 +│ 3/);
    expect(first.stderr).toMatch(/layerwise report small\.store/);
    const again = run('sweep', 'small.yaml', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ ending: 'complete', done: 6, states: { done: 6 }, best: [{ among: 3 }] });
  });

  it('exits 1 where trials failed, names them, and says where their logs are', () => {
    const { status, stderr } = run('sweep', file('broken.yaml', broken('throw', 'seeds: 2')));
    expect(status).toBe(1);
    expect(stderr).toMatch(/trial [0-9a-f]{12} \(seed 0\): error: seed 0 does not work\n/);
    expect(stderr).toMatch(/2 trials have no record; layerwise status broken\.store --failures shows their logs/);
    const { stdout } = run('status', 'broken.store', '--failures');
    expect(stdout).toMatch(/sweep: 2 trials: 2 error/);
    expect(stdout).toMatch(
      /error after 1 attempt: seed 0 does not work\n\{"experiment":"misbehaving".*\n {2}\| Error: seed 0 does not work\n {2}\| +at Object\.compute/,
    );
  });

  it.each([
    ['an unknown key, with its line', 'axes: {}\nsedes: 3\n', /spec\.yaml: line 2: sedes: unknown key; allowed: name, experiment/],
    [
      'a wrong value of the base, with its line',
      'base:\n  task: { rank: -1 }\n',
      /line 2: base\.task\.rank|line 2: task\.rank.*at least 1; got -1/,
    ],
    ['an axis that leads nowhere', 'axes: { task.nose: [1] }\n', /task\.nose: unknown key.*with task\.nose = 1/],
    ['a module that is not there', 'modules: [none.mjs]\n', /none\.mjs: this module of experiments cannot be loaded/],
    ['no YAML', 'axes: [\n', /line \d+, column \d+/],
  ])('refuses %s', (_, text, message) => {
    const { status, stderr } = run('sweep', file('spec.yaml', text));
    expect(stderr).toMatch(message);
    expect(status).toBe(/module/.test(_) ? 1 : 2);
    expect(existsSync(join(folder(), 'spec.store'))).toBe(false);
  });

  it.each([
    [['none.yaml'], 1, /none\.yaml: cannot read it: no such file/],
    [['small.yaml', '--jobs', '0'], 2, /--jobs/],
    [['small.yaml', '--detach'], 2, /--detach and --sbatch are for --executor slurm/],
    [['small.yaml', '--executor', 'cloud'], 2, /Allowed: local, slurm/],
  ])('with %j exits %i', (args, code, message) => {
    file('small.yaml', SMALL);
    expect(run('sweep', ...args)).toMatchObject({ status: code, stderr: expect.stringMatching(message) });
  });

  it('refuses a store that another process writes to, naming it', async () => {
    const child = spawn(process.execPath, [MAIN, 'sweep', file('long.yaml', broken('hang'))], { cwd: folder(), stdio: 'ignore' });
    await until(() => /runs 1/.test(run('status', 'long.store').stdout));
    const second = run('sweep', 'long.yaml');
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(`long\\.store: process ${String(child.pid)} on ${hostname()}, since .* is writing to this store`),
    );
    const status = run('status', 'long.store').stdout;
    expect(status).toMatch(/sweep: 1 trials: 1 planned/);
    expect(status).toMatch(
      new RegExp(`process ${String(child.pid)} on ${hostname()} runs 1 \\(local\\)\n {2}[0-9a-f]{12} seed 0, for \\d+ s`),
    );
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(run('status', 'long.store').stdout).toMatch(/nothing runs/);
  });

  it('on Ctrl-C finishes what runs, on the second one drops it; both say how to go on', async () => {
    file('slow.yaml', broken('well', 'axes: { milliseconds: [400] }\nseeds: 30'));
    const first = await interrupted(['sweep', 'slow.yaml', '--jobs', '2'], 1);
    expect(first.code).toBe(130);
    expect(first.stderr).toMatch(/finishing the trials that run; Ctrl-C again ends at once/);
    expect(first.stderr).toMatch(/interrupted; what is done is kept in slow\.store\. To go on: layerwise sweep slow\.yaml --jobs 2/);
    const { states } = (JSON.parse(run('status', 'slow.store', '--json').stdout) as { sweeps: { states: Record<string, number> }[] })
      .sweeps[0];
    expect(states['done']).toBeGreaterThanOrEqual(2);
    expect(states['done']).toBeLessThan(30);
    file('hang.yaml', broken('hang'));
    expect((await interrupted(['sweep', 'hang.yaml'], 2)).code).toBe(130);
    expect(run('status', 'hang.store', '--verify').stdout).toMatch(/1 planned\nnothing runs/);
  });

  it('stops with what to do, and loses nothing, when the disk is full', () => {
    file('small.yaml', SMALL.replace('seeds: 2', 'seeds: 400'));
    // A limit on file sizes stands in for a full disk: it is met once some results are there.
    const limited = spawnSync('bash', ['-c', `ulimit -f 420; exec '${process.execPath}' '${MAIN}' sweep small.yaml`], {
      cwd: folder(),
      encoding: 'utf8',
    });
    expect(limited.status).toBe(1);
    expect(limited.stderr).toMatch(
      /small\.store\/store\.sqlite: (the disk is full|reading or writing it failed \(disk full).*results that were acknowledged are kept/,
    );
    expect(run('status', 'small.store', '--verify').status).toBe(0);
    const { status } = run('sweep', 'small.yaml');
    expect(status).toBe(0);
    expect(run('status', 'small.store', '--verify').stdout).toMatch(/1200 done/);
  });
});

describe('layerwise export', () => {
  it('writes csv to the standard output, other formats to files, of the trials that are asked for', () => {
    run('sweep', file('small.yaml', SMALL));
    const { stdout } = run('export', 'small.store');
    expect(stdout.trimEnd().split('\n')).toHaveLength(7);
    expect(
      run('export', 'small.store', '--where', 'seed=1', '--where', 'optimizer.name=layerwise').stdout.trimEnd().split('\n'),
    ).toHaveLength(4);
    expect(run('export', 'small.store', '--format', 'parquet', '--out', 'a.parquet')).toMatchObject({ status: 0, stdout: '' });
    expect(readFileSync(join(folder(), 'a.parquet')).subarray(0, 4).toString()).toBe('PAR1');
    expect(JSON.parse(run('export', 'small.store', '--format', 'json', '--curves').stdout)).toHaveLength(6);
  });

  it.each([
    [['none'], 1, /none: no such store/],
    [['.'], 1, /there is no store in this folder/],
    [['small.store', '--format', 'xml'], 2, /Allowed: csv, parquet, json/],
    [['small.store', '--where', 'seed'], 2, /--where takes PATH=VALUE, got 'seed'/],
    [['small.store', '--out', 'none/a.csv'], 1, /none\/a\.csv: cannot write it: no such file or folder/],
  ])('with %j exits %i', (args, code, message) => {
    run('sweep', file('small.yaml', SMALL.replace('seeds: 2', 'seeds: 1')));
    expect(run('export', ...args)).toMatchObject({ status: code, stderr: expect.stringMatching(message) });
  });

  it('names a damaged store', () => {
    run('sweep', file('small.yaml', SMALL));
    const path = join(folder(), 'small.store', 'store.sqlite');
    const bytes = readFileSync(path);
    bytes[bytes.length - 9] ^= 1;
    writeFileSync(path, bytes.fill(0x55, 4096 * 3, 4096 * 3 + 64));
    for (const command of ['export', 'sweep']) {
      const { status, stderr } = run(command, command === 'sweep' ? 'small.yaml' : 'small.store');
      expect(status).toBe(1);
      expect(stderr).toMatch(/store\.sqlite: the store is damaged/);
    }
  });
});

describe('help', () => {
  it.each(['sweep', 'status', 'export', 'collect', 'cancel'])('explains %s', (command) => {
    const { status, stdout } = run(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`Usage: layerwise ${command}`));
    expect(stdout).toContain('Exit codes:');
  });
});

async function until(met: () => boolean): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (met()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect.unreachable('waited for ten seconds');
}

/** Starts a command, sends SIGINT so many times once a trial runs, and waits for the end. */
async function interrupted(args: string[], times: number): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder(), stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const store = args[1].replace('.yaml', '.store');
  await until(() => /runs [1-9]/.test(run('status', store).stdout));
  for (let i = 0; i < times; i++) {
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { code: await ended, stderr };
}
