/** layerwise report and layerwise watch, as a user meets them: the compiled program, in processes of its own. */
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReportData } from '../../lib/report/index.js';
import { syntheticSweep, temporaryFolder, writeSweep } from './stores.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  writeSweep(join(folder, 'store'), syntheticSweep(200));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', cwd: folder, timeout: 60_000 });

describe.each(['report', 'watch'])('layerwise %s', (command) => {
  it('explains itself, with its exit codes', () => {
    const { status, stdout } = run(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: layerwise ${command} [options] <store>`);
    expect(stdout).toContain('Exit codes:');
  });

  it('ends with 1 where there is no store, and names the folder', () => {
    expect(run(command, 'none')).toMatchObject({ status: 1, stdout: '', stderr: `error: ${join(folder, 'none')}: no such store\n` });
  });

  it('ends with 1 where the store is damaged, and says so', () => {
    const path = join(folder, 'store', 'store.sqlite');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(255, 4096));
    const { status, stderr } = run(command, 'store');
    expect(status).toBe(1);
    expect(stderr).toContain('the store is damaged');
  });

  it('ends with 2 for a sweep that is not there', () => {
    const { status, stderr } = run(command, 'store', '--sweep', '4');
    expect([status, stderr]).toEqual([2, 'error: report: sweep: no sweep 4 in this store, which has 1 (learning rates)\n']);
    expect(run(command, 'store', '--sweep', 'x').status).toBe(2);
  });
});

describe('layerwise report', () => {
  it('writes STORE/report.html and prints where', () => {
    expect(run('report', 'store')).toMatchObject({ status: 0, stdout: 'store/report.html\n', stderr: '' });
    expect(readFileSync(join(folder, 'store/report.html'), 'utf8')).toMatch(
      /^<!doctype html>[^]*<title>learning rates: layerwise<\/title>/,
    );
  });

  it('writes to a folder that it makes', () => {
    expect(run('report', 'store', '--out', 'a/b.html').stdout).toBe('a/b.html\n');
    expect(existsSync(join(folder, 'a/b.html'))).toBe(true);
    expect(existsSync(join(folder, 'store/report.html'))).toBe(false);
  });

  it('ends with 1 where it cannot write, and says why', () => {
    const { status, stderr } = run('report', 'store', '--out', 'store');
    expect([status, stderr]).toEqual([1, expect.stringContaining('it is a folder')]);
  });

  it('prints what the page shows as JSON, and writes nothing', () => {
    const { status, stdout } = run('report', 'store', '--json');
    const data = JSON.parse(stdout) as ReportData;
    expect(status).toBe(0);
    expect(data).toMatchObject({
      name: 'learning rates',
      metrics: ['distance', 'loss', 'transfer', 'population'],
      status: { planned: 200 },
    });
    expect(data.best).toHaveLength(8);
    expect(existsSync(join(folder, 'store/report.html'))).toBe(false);
  });
});

describe('layerwise watch', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('serves the page at the address it prints until %s, then ends with 0', async (signal) => {
    const child = spawn(process.execPath, [MAIN, 'watch', 'store'], { cwd: folder });
    const ended = new Promise((resolve) => child.on('exit', (code, by) => resolve([code, by])));
    const url = await new Promise<string>((resolve) => child.stdout.on('data', (data: Buffer) => resolve(String(data).trim())));
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('learning rates')]);
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
  });

  it('ends with 1 where the port is taken, and says what to do', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as AddressInfo;
    const { status, stdout, stderr } = run('watch', 'store', '--port', String(port));
    taken.close();
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(`error: port ${port} is taken; choose another with --port, or leave it out to take any\n`);
  });

  it('ends with 2 for a port that is none', () => {
    expect(run('watch', 'store', '--port', '70000').status).toBe(2);
  });
});
