/** The command line as a user meets it: the compiled program, in processes of its own. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MAIN, useProgram } from './program.js';

const SAMPLE = fileURLToPath(new URL('../fixtures/fashion-mnist-sample', import.meta.url));
const IMAGES = `experiment: image-classification\ndata: { directory: ${JSON.stringify(SAMPLE)} }\nnetwork: { hidden: [8] }\noptimizer: { name: sgd }\n`;
const TINY = 'task: {inputs: 9, outputs: 5, rank: 3}\ntrain: {batch: 32, steps: 10, every: 5}\n';

const { folder, run, file } = useProgram();

describe('layerwise --help', () => {
  it.each([[[]], [['doctor']], [['figures']], [['run']]])('explains %j', (command) => {
    const { status, stdout } = run(...command, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`Usage: layerwise ${command.join('')}`));
    if (command.length > 0) expect(stdout).toContain('Exit codes:');
  });
});

describe('layerwise run', () => {
  it('prints a record: metrics first to last, and all of it as JSON', () => {
    const config = file('config.yaml', TINY);
    const { status, stdout, stderr } = run('run', config);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/linear-representation, layerwise, seed 0: done/);
    expect(stdout).toMatch(/distance +\S+ -> +\S+/);
    const record = JSON.parse(run('run', config, '--json').stdout) as {
      status: string;
      metrics: object;
      config: object;
      provenance: object;
    };
    expect(record).toMatchObject({ status: 'done', steps: 10, config: { task: { noise: 0.1 } }, provenance: { threads: 1 } });
  });

  it('prints its defaults as a configuration that runs', () => {
    const { stdout } = run('run', '--defaults');
    expect(stdout).toMatch(/^experiment: linear-representation$/m);
    expect(stdout).toMatch(/^ {4}condition: 100$/m);
    expect(run('run', file('defaults.yaml', stdout.replace('steps: 300', 'steps: 3'))).status).toBe(0);
  });

  it('runs each of a list of optimisers and compares them; as JSON a list of records', () => {
    const config = file('list.yaml', `${TINY}optimizer:\n  - {name: sgd, learningRate: 0.05}\n  - {preset: soap}\n`);
    const { status, stdout } = run('run', config, '--checkpoint', 'run.npz');
    expect(status).toBe(0);
    expect(stdout).toMatch(/linear-representation, sgd, seed 0: done/);
    expect(stdout).toMatch(/│ sgd +│ 0\.05 +│ done +│/);
    expect(stdout).toMatch(/│ soap +│ 0\.003 +│ done +│/);
    expect(readdirSync(folder()).sort()).toEqual(['list.yaml', 'run.1.npz', 'run.2.npz']);
    const records = JSON.parse(run('run', config, '--json').stdout) as { config: { optimizer: { name: string } } }[];
    expect(records.map((r) => r.config.optimizer.name)).toEqual(['sgd', 'soap']);
  });

  it('names the line of what is wrong in a list of optimisers', () => {
    const text = `${TINY}optimizer:\n  - {name: sgd}\n  - name: adam\n    beta3: 1\n`;
    expect(run('run', file('bad.yaml', text))).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/bad\.yaml: line 6: optimizer\[1\]\.beta3: unknown key/),
    });
  });

  it('names the line, the entry and the optimiser where options do not fit the network', () => {
    const text = `${TINY}optimizer:\n  - {name: adam}\n  - name: sgd\n    learningRate: [1, 1, 1]\n`;
    expect(run('run', file('bad.yaml', text))).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/bad\.yaml: line 6: optimizer\[1\]\.learningRate: must be one value .*; got 3 \(in optimiser sgd\)\n$/),
    });
    const groups =
      'optimizer:\n  name: groups\n  groups:\n    - {layers: [0], optimizer: &o {name: sgd}}\n    - layers: [0]\n      optimizer: *o\n';
    expect(run('run', file('groups.yaml', groups)).stderr).toMatch(/line 5: optimizer\.groups\[1\]\.layers: layer 0 is listed twice/);
  });

  it('names the entry of an optimiser that does not suit the network', () => {
    const network = `experiment: image-classification\ndata: {directory: ${SAMPLE}}\nnetwork: {hidden: [8], normalisation: batchNorm}\n`;
    const text = `${network}optimizer:\n  - {name: sgd}\n  - {name: naturalGradient}\n`;
    expect(run('run', file('bad.yaml', text))).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/not defined through batch-norm.* \(with optimizer\[1\]\)/),
    });
  });

  it('shows the defaults of a list as one configuration that runs', () => {
    const optimizers = 'optimizer:\n  - {name: sgd}\n  - {preset: soap}\n';
    const { stdout } = run('run', file('list.yaml', TINY + optimizers), '--defaults');
    expect(stdout).not.toMatch(/---|[&*]\w/);
    const records = JSON.parse(run('run', file('whole.yaml', stdout), '--json').stdout) as { config: { optimizer: { name: string } } }[];
    expect(records.map((r) => r.config.optimizer.name)).toEqual(['sgd', 'soap']);
  });

  it('prints a configuration of a named experiment that runs, and refuses to run a bare name', () => {
    const { status, stdout } = run('run', 'image-classification', '--defaults');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^experiment: image-classification$[\s\S]*directory: \/usr\/share\/datasets\/fashion-mnist$/m);
    const here = stdout.replace('/usr/share/datasets/fashion-mnist', SAMPLE).replace('epochs: 3', 'epochs: 1');
    expect(run('run', file('images.yaml', here)).status).toBe(0);
    expect(run('run', 'nothing', '--defaults')).toMatchObject({ status: 2, stderr: expect.stringMatching(/experiments: linear-rep/) });
    expect(run('run', 'image-classification')).toMatchObject({ status: 2, stderr: expect.stringMatching(/is an experiment, not a file/) });
  });

  it('finds the checkpoint of each optimiser of a list wherever it moves, and gives a new one the first free number', () => {
    const list = (...entries: string[]): string =>
      file('list.yaml', `${TINY}optimizer:\n${entries.map((e) => `  - {name: ${e}}\n`).join('')}`);
    const bytes = (n: number): Buffer => readFileSync(join(folder(), `run.${n}.npz`));
    expect(run('run', list('sgd', 'adam'), '--checkpoint', 'run.npz').status).toBe(0);
    const [sgd, adam] = [bytes(1), bytes(2)];
    expect(run('run', list('muon', 'adam', 'sgd'), '--checkpoint', 'run.npz')).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(folder()).sort()).toEqual(['list.yaml', 'run.1.npz', 'run.2.npz', 'run.3.npz']);
    const config = (n: number): string => bytes(n).toString('latin1');
    expect([bytes(1), bytes(2)]).toEqual([sgd, adam]);
    expect(config(3)).toMatch(/muon/);
    rmSync(join(folder(), 'run.1.npz'));
    const less = run('run', list('foof', 'adam'), '--checkpoint', 'run.npz');
    expect(less.stderr).toMatch(/^note: left alone, .*: run\.3\.npz\n$/);
    expect(config(1)).toMatch(/foof/);
  });

  it('goes on with the others where one of a list fails at work, reports it, and exits 1', () => {
    // A limit on file sizes stands in for a full disk: sgd's checkpoints fit, shampoo's do not.
    const wide = TINY.replace('inputs: 9', 'inputs: 60');
    file('list.yaml', `${wide}optimizer:\n  - {name: sgd}\n  - {name: shampoo}\n  - {name: sgd, learningRate: 0.02}\n`);
    const command = `ulimit -f 32; exec '${process.execPath}' '${MAIN}' run list.yaml --checkpoint run.npz --json`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8', cwd: folder() });
    expect(stderr).toMatch(/^error in optimiser 2 of 3 \(shampoo\): run\.2\.npz: cannot write it: .*\n$/);
    const records = JSON.parse(stdout) as { config: { optimizer: { name: string } } }[];
    expect(records.map((r) => r.config.optimizer.name)).toEqual(['sgd', 'sgd']);
    expect(status).toBe(1);
  });

  it('on Ctrl-C within a list prints what is done, and where it was', async () => {
    // The first diverges at once; the second has more steps than anyone waits for.
    const text = 'task: {inputs: 9, outputs: 5, rank: 3}\ntrain: {batch: 32, steps: 100000000, every: 100000}\noptimizer:\n';
    file('list.yaml', `${text}  - {name: sgd, learningRate: 1.0e+9}\n  - {name: kfac, learningRate: 1.0e-9}\n  - {name: adam}\n`);
    const json = await interrupted(['run', 'list.yaml', '--json'], () => true);
    expect(json.code).toBe(130);
    expect(json.stderr).toMatch(/interrupted at step \d+ in optimiser 2 of 3 \(kfac\); its steps are not kept/);
    expect(JSON.parse(json.stdout)).toMatchObject([{ status: 'diverged', config: { optimizer: { name: 'sgd' } } }]);
    const table = await interrupted(['run', 'list.yaml'], () => true);
    expect(table.stdout).toMatch(/│ sgd +│ 1000000000 +│ diverged +│/);
    expect(table.stdout).not.toMatch(/│ adam/);
  });

  it('exits 1 when the run diverges, and says where', () => {
    const { status, stdout } = run('run', file('config.yaml', `${TINY}optimizer: {name: sgd, learningRate: 1000}\n`));
    expect(status).toBe(1);
    expect(stdout).toMatch(/diverged \(step \d+: the loss is/);
  });

  it('goes on from a checkpoint to the same numbers, bit for bit', () => {
    const text = (steps: number): string => TINY.replace('steps: 10', `steps: ${steps}`).replace('every: 5', 'every: 1');
    const metrics = (out: string): object => (JSON.parse(out) as { metrics: object }).metrics;
    const whole = run('run', file('long.yaml', text(12)), '--json');
    expect(run('run', file('short.yaml', text(7)), '--checkpoint', 'run.npz').status).toBe(0);
    const rest = run('run', 'long.yaml', '--checkpoint', 'run.npz', '--json');
    expect(metrics(rest.stdout)).toEqual(metrics(whole.stdout));
  });

  it.each([
    ['an unknown key', 'task:\n  rnk: 3\n', /bad\.yaml: line 2: task\.rnk: unknown key/],
    ['a wrong type', 'train:\n\n  steps: many\n', /bad\.yaml: line 3: train\.steps: must be .*; got "many"/],
    ['a negative size', 'task: {inputs: -4}\n', /line 1: task\.inputs: must be at least 1; got -4/],
    ['k > d_X', 'task: {inputs: 5, outputs: 20, rank: 6}\n', /line 1: task\.rank: must be at most task\.inputs = 5; got 6/],
    ['an unknown optimiser', 'seed: 1\noptimizer: {name: sgdd}\n', /line 2: optimizer\.name: unknown value "sgdd"; allowed: sgd, adam/],
    [
      'options that do not fit each other',
      'optimizer: {name: amgd}\ntrain: {order: alternating}\n',
      /amgd is defined in order 'alternating-backward'/,
    ],
    [
      'rates for layers that are not there',
      'optimizer: {name: sgd, learningRate: [1, 1, 1]}\n',
      /learningRate: must be one value or one a layer \(2 layers\); got 3/,
    ],
    ['broken YAML', 'task: {inputs: 5\n', /bad\.yaml: line \d+, column \d+: /],
    ['a doubled key', 'seed: 1\nseed: 2\n', /line 2, column 1: Map keys must be unique/],
    ['a list', '- 1\n', /must be an object|must be a/],
    ['an alias that leads nowhere', 'task: *nothing\n', /bad\.yaml: .*nothing/],
    [
      'an alias within what it names',
      'optimizer: &o {name: clipped, optimizer: *o}\n',
      /bad\.yaml: line 1: optimizer\.optimizer: .*contains itself/,
    ],
    [
      'a typo in a layer',
      `experiment: image-classification\ndata: {directory: x}\nnetwork:\n  layers:\n    - {kind: dens}\noptimizer: {name: sgd}\n`,
      /line 5: network\.layers\[0\]\.kind: unknown value "dens"; allowed: dense/,
    ],
    ['rates for amgd that do not fit', 'optimizer: {name: amgd, damping: [1]}\n', /damping: must be one value or one a layer/],
  ])('exits 2 with the place, the value and what is allowed for %s', (_what, text, message) => {
    const { status, stdout, stderr } = run('run', file('bad.yaml', text));
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect([status, stdout]).toEqual([2, '']);
  });

  it('goes on from a checkpoint where only the epochs differ', () => {
    const text = (epochs: number): string => `${IMAGES}train: { batch: 100, epochs: ${epochs} }\n`;
    expect(run('run', file('short.yaml', text(1)), '--checkpoint', 'images.npz')).toMatchObject({ status: 0, stderr: '' });
    const rest = run('run', file('long.yaml', text(2)), '--checkpoint', 'images.npz');
    expect(rest).toMatchObject({ status: 0, stderr: '' });
    expect(rest.stdout).toMatch(/4 steps/);
  });

  it('exits 1 for a damaged checkpoint of a list, rather than to leave it aside', () => {
    const list = file('list.yaml', `${TINY}optimizer: [{ name: sgd }, { name: adam }]\n`);
    expect(run('run', list, '--checkpoint', 'listed.npz').status).toBe(0);
    file('listed.1.npz', 'PK');
    expect(run('run', list, '--checkpoint', 'listed.npz')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/listed\.1\.npz: it is not a checkpoint of layerwise/),
    });
  });

  it('exits 2 for --checkpoint-every without --checkpoint', () => {
    expect(run('run', file('config.yaml', TINY), '--checkpoint-every', '5')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/give both/),
    });
  });

  it('exits 1 for a file that is not there, a checkpoint of another run, or none at all', () => {
    expect(run('run', 'none.yaml')).toMatchObject({ status: 1, stderr: expect.stringMatching(/none\.yaml: cannot read it: no such file/) });
    file('run.npz', 'not a checkpoint');
    const config = file('config.yaml', TINY);
    expect(run('run', config, '--checkpoint', 'run.npz')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/not a checkpoint of layerwise/),
    });
    run('run', config, '--checkpoint', 'other.npz');
    const other = run('run', file('other.yaml', `${TINY}seed: 4\n`), '--checkpoint', 'other.npz');
    expect(other).toMatchObject({ status: 2, stderr: expect.stringMatching(/another configuration \(seed differs\)/) });
  });

  it('leaves no half-written file where writing fails', () => {
    file('config.yaml', TINY);
    file('taken', 'a file');
    expect(run('run', 'config.yaml', '--checkpoint', 'taken/run.npz')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/cannot write it/),
    });
    // A limit on file sizes stands in for a full disk: the write fails half-way.
    const limited = spawnSync('bash', ['-c', `ulimit -f 1; exec '${process.execPath}' '${MAIN}' run config.yaml --checkpoint run.npz`], {
      encoding: 'utf8',
      cwd: folder(),
    });
    expect(limited.status).toBe(1);
    expect(limited.stderr).toMatch(/run\.npz: cannot write it: /);
    expect(readdirSync(folder()).sort()).toEqual(['config.yaml', 'taken']);
  });

  it('on Ctrl-C saves the checkpoint, prints how to go on, and exits 130', async () => {
    file('long.yaml', TINY.replace('steps: 10', 'steps: 100000000'));
    const { code, stderr } = await interrupted(['run', 'long.yaml', '--checkpoint', 'run.npz', '--checkpoint-every', '50'], () =>
      existsSync(join(folder(), 'run.npz')),
    );
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /interrupted at step \d+; kept in run\.npz\. To go on: layerwise run long\.yaml --checkpoint run\.npz --checkpoint-every 50/,
    );
    expect(existsSync(join(folder(), 'run.npz'))).toBe(true);
  });
});

describe('layerwise figures', () => {
  it('exits 2 for an unknown figure, naming those there are', () => {
    expect(run('figures', 'fig-nothing')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/unknown figure 'fig-nothing'; there are: fig-transfer/),
    });
  });

  it.each([
    [['--scale', 'huge'], /'--scale <scale>' argument 'huge' is invalid\. Allowed: quick, full\./],
    [['--jobs', '0'], /'--jobs <n>' argument '0' is invalid\. It must be an integer in \[1, 1024\]\./],
    [['--seed', '1e3'], /'--seed <n>' argument '1e3' is invalid/],
    [['--colour'], /unknown option '--colour'/],
  ])('exits 2 for %j', (args, message) => {
    const { status, stderr } = run('figures', ...args);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it('says beforehand what a figure will take, and what is left of it', () => {
    interface Forecast {
      readonly trials: number;
      readonly seconds: number;
    }
    const forecast = (...args: string[]): Forecast => {
      const { stdout } = run('figures', 'fig-batch-size', '--dry-run', '--json', '--out', 'out', ...args);
      const { each, all } = JSON.parse(stdout) as { each: Record<string, Forecast>; all: Forecast };
      expect(each['fig-batch-size'].trials).toBe(all.trials);
      return all;
    };
    const [quick, full] = [forecast(), forecast('--scale', 'full')];
    expect([quick.trials, full.trials]).toEqual([135, 450]); // 3 panels, 3 dimensions, 5 batch sizes; 3 and 10 seeds
    expect(full.seconds).toBeGreaterThan(quick.seconds);
    expect(existsSync(join(folder(), 'out'))).toBe(false);
    const both = JSON.parse(run('figures', 'fig-transfer', 'fig-batchnorm', '--dry-run', '--json').stdout) as {
      each: Record<string, Forecast>;
      all: Forecast;
    };
    const sum = Object.values(both.each).reduce((total, f) => total + f.trials, 0);
    expect(both.all.trials).toBeLessThan(sum); // trials that two figures share run once
    expect(run('figures', 'fig-condition', '--dry-run').stdout).toMatch(
      /^predicted, \d+ at a time: \d+ trials, about \d.*, less where runs reach their target early$/m,
    );
  });

  it('exits 1 where the folder cannot be made', () => {
    file('taken', '');
    expect(run('figures', '--out', 'taken/figures')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/taken\/figures: cannot create it: a part of the path is a file/),
    });
  });

  it('stops at once, exit 1, when a result cannot be written', () => {
    // A limit on file sizes stands in for a full disk.
    const limited = spawnSync('bash', ['-c', `ulimit -f 1; exec '${process.execPath}' '${MAIN}' figures --out out`], {
      encoding: 'utf8',
      cwd: folder(),
      timeout: 30_000,
    });
    expect(limited.status).toBe(1);
    expect(limited.stderr).toMatch(/error: .*out\/store\/store\.sqlite: (the disk is full|reading or writing it failed)/);
  });

  it('on Ctrl-C keeps the trials that are done, prints how to go on, and goes on from them', async () => {
    const stored = (): number => {
      if (!existsSync(join(folder(), 'out', 'store', 'store.sqlite'))) return 0;
      const { sweeps } = JSON.parse(run('status', 'out/store', '--json').stdout) as { sweeps: { states: { done: number } }[] };
      return sweeps[0]?.states.done ?? 0;
    };
    const first = await interrupted(['figures', 'fig-batch-size', '--out', 'out'], () => stored() >= 2);
    expect(first.code).toBe(130);
    expect(first.stderr).toMatch(/interrupted; what is done is kept in out\. To go on: layerwise figures fig-batch-size --out out/);
    const kept = stored();
    expect(run('status', 'out/store', '--verify').status).toBe(0);
    const second = await interrupted(['figures', 'fig-batch-size', '--out', 'out'], () => stored() > kept);
    expect(second.stderr).toMatch(new RegExp(`fig-batch-size: ${kept}/`));
    const left = Number(/: (\d+) trials, about/.exec(run('figures', 'fig-batch-size', '--dry-run', '--out', 'out').stdout)![1]);
    expect(left).toBe(135 - stored());
  });
});

describe('layerwise doctor', () => {
  it('reports a sound library, its kernel and its speed', () => {
    const report = JSON.parse(run('doctor', '--json').stdout) as {
      sound: boolean;
      gflops: Record<string, number>;
      system: { kernel: string };
    };
    expect(report.sound).toBe(true);
    expect(report.gflops['float32']).toBeGreaterThan(0.1);
    expect(report.system.kernel).toMatch(/\w+/);
  });

  it('measures what a variable that chooses the kernel costs', () => {
    const out = execFileSync(process.execPath, [MAIN, 'doctor', '--json'], {
      encoding: 'utf8',
      env: { ...process.env, OPENBLAS_CORETYPE: 'Haswell' },
    });
    expect(JSON.parse(out)).toMatchObject({
      system: { kernel: 'Haswell' },
      unheld: { variables: expect.arrayContaining(['OPENBLAS_CORETYPE']), kernel: expect.any(String) },
    });
  });

  it('exits 1 with a remedy where the addon is missing or does not load', () => {
    const env = (LAYERWISE_ADDON: string) => ({ encoding: 'utf8', env: { ...process.env, LAYERWISE_ADDON } }) as const;
    const missing = spawnSync(process.execPath, [MAIN, 'doctor'], env(join(folder(), 'none.node')));
    expect(missing).toMatchObject({ status: 1, stdout: expect.stringMatching(/unsound[\s\S]*is not built[\s\S]*npm run build/) });
    const broken = spawnSync(process.execPath, [MAIN, 'run', file('x.yaml', ''), '--defaults'], {
      ...env(join(folder(), file('bad.node', 'junk'))),
      cwd: folder(),
    });
    expect(broken).toMatchObject({ status: 1, stderr: expect.stringMatching(/does not load/) });
  });
});

/** Starts a command, sends SIGINT once `when` holds after its start, and waits for the end. */
async function interrupted(args: string[], when: () => boolean): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder(), stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  await new Promise((resolve) => setTimeout(resolve, 1500)); // handlers are in place
  const timer = setInterval(() => {
    if (when()) {
      child.kill('SIGINT');
      clearInterval(timer);
    }
  }, 50);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(timer);
  return { code, stdout, stderr };
}
