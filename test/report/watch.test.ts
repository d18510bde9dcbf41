/** The server of the live page: who may ask, what it answers, and that it outlives its store. */
import { rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError, LayerwiseError, OptionsError } from '../../lib/errors.js';
import { watch, type Watched } from '../../lib/report/index.js';
import { Snapshot } from '../../lib/report/snapshot.js';
import { openStore } from '../../lib/sweep/index.js';
import { LiveFile } from '../../lib/sweep/run/live.js';
import { SCRIPT } from './hostile.js';
import { syntheticSweep, temporaryFolder, writeSweep } from './stores.js';

let folder: string;
let served: Watched;
beforeEach(async () => {
  folder = temporaryFolder();
  writeSweep(folder, syntheticSweep(200));
  served = await watch(folder);
});
afterEach(async () => {
  vi.useRealTimers();
  await served.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(path: string, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: served.port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });
}

const root = (): string => new URL(served.url).pathname;

describe('watch', () => {
  it('has an address of this machine with a token of 32 characters, another one each time', async () => {
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
    const again = await watch(folder);
    expect(new URL(again.url).pathname).not.toBe(root());
    await again.close();
  });

  it('answers with the page, and its data as JSON', async () => {
    const { status, headers, body } = await ask(root());
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(body).toMatch(/^<!doctype html>[^]*<div id="live"/);
    const data = await ask(`${root()}data.json`);
    expect(data.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(data.body)).toMatchObject({
      running: expect.stringContaining('Finished'),
      content: { metrics: expect.arrayContaining(['distance']) },
    });
  });

  it.each(['/', '/data.json', '/x/', `/${'x'.repeat(32)}/`, `/${'x'.repeat(32)}/data.json`, '/favicon.ico', '//', '/%2e%2e/'])(
    'has nothing at %s',
    async (path) => {
      expect(await ask(path)).toMatchObject({ status: 404, body: 'nothing here\n' });
    },
  );

  it('has nothing beside the page under the token', async () => {
    for (const path of ['other', 'data.json/', '../data.json', 'store.sqlite']) expect((await ask(root() + path)).status).toBe(404);
    expect((await ask(root().slice(0, -1))).status).toBe(404);
    expect((await ask(root().slice(0, -2) + '/')).status).toBe(404);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('refuses %s', async (method) => {
    expect(await ask(root(), { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('answers HEAD with the headers of GET alone', async () => {
    const [whole, head] = [await ask(root()), await ask(root(), { method: 'HEAD' })];
    expect([head.status, head.body]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(whole.headers['content-length']);
  });

  it('refuses to be called by another name, which a page of another site would use', async () => {
    for (const host of ['evil.example', `evil.example:${served.port}`, '127.0.0.1', 'localhost:1', `127.0.0.1.evil.example:${served.port}`])
      expect((await ask(root(), { headers: { host } })).status, host).toBe(403);
    expect((await ask(root(), { headers: { host: `localhost:${served.port}` } })).status).toBe(200);
  });

  it.each(['', 'data.json', 'nothing'])('sends the headers that keep %j to itself', async (path) => {
    const { headers } = await ask(root() + path);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('says 304 to who has the newest data, and 200 once there is more', async () => {
    const first = await ask(`${root()}data.json`);
    const tag = first.headers.etag!;
    expect(tag).toMatch(/^"[\w-]+"$/);
    expect(await ask(`${root()}data.json`, { headers: { 'if-none-match': tag } })).toMatchObject({ status: 304, body: '' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5000 });
    expect((await ask(`${root()}data.json`, { headers: { 'if-none-match': tag } })).status).toBe(304);
    writeSweep(folder, { ...syntheticSweep(400), name: 'more' });
    vi.setSystemTime(Date.now() + 10_000);
    const more = await ask(`${root()}data.json`, { headers: { 'if-none-match': tag } });
    expect(more.status).toBe(200);
    expect(more.headers.etag).not.toBe(tag);
    expect(more.body).toContain('>more<');
  });

  it('refuses a port that is taken, and says what to do', async () => {
    const refused = watch(folder, { port: served.port });
    await expect(refused).rejects.toThrow(LayerwiseError);
    await expect(refused).rejects.toThrow(`port ${served.port} is taken; choose another with --port`);
  });

  it('refuses a folder without a store, and a sweep that is not there', async () => {
    await expect(watch(join(folder, 'none'))).rejects.toThrow(FileError);
    await expect(watch(folder, { sweep: 9 })).rejects.toThrow(OptionsError);
  });

  it('goes on with what it knows when the store is damaged or gone, says so, and recovers', async () => {
    const later = (): void => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    const path = join(folder, 'store.sqlite');
    const running = async (): Promise<string> => (JSON.parse((await ask(`${root()}data.json`)).body) as { running: string }).running;
    writeFileSync(path, 'nonsense'.repeat(1000));
    later();
    expect(await running()).toMatch(/the store is damaged|a database of something else/);
    expect((await ask(root())).status).toBe(200);
    rmSync(folder, { recursive: true });
    later();
    expect(await running()).toContain('no such store');
    writeSweep(folder, syntheticSweep(200));
    later();
    expect(await running()).toContain('Finished');
  });
});

describe('Snapshot', () => {
  it('reads a store that does not change once, whatever the number of readers', () => {
    const snapshot = new Snapshot(folder, undefined);
    const first = snapshot.data;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    expect(snapshot.data).toBe(first);
  });

  it('reads a store that changes at most once in two seconds', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const snapshot = new Snapshot(folder, undefined);
    const first = snapshot.data;
    writeSweep(folder, { ...syntheticSweep(400), name: 'more' });
    vi.advanceTimersByTime(1900);
    expect(snapshot.data).toBe(first);
    vi.advanceTimersByTime(200);
    expect(snapshot.data.name).toBe('more');
  });

  it('says what runs while a process writes to the store, with names that are text', () => {
    const store = openStore(folder, { mode: 'write' });
    const live = new LiveFile(folder);
    live.begin({ row: 1, id: 'f'.repeat(64), config: { experiment: 'x', seed: 3 }, cost: 1 });
    live.write({ done: 5, total: 1205, failed: 0, running: 1, eta: 300 }, SCRIPT, 1);
    const { running } = JSON.parse(new Snapshot(folder, undefined).answer.body) as { running: string };
    store.close();
    expect(running).toContain('5 of 1,205 trials done, about 5 min left');
    expect(running).toContain(`Process ${process.pid}`);
    expect(running).toContain('<code>ffffffffffff</code> seed 3');
    expect(running).not.toContain('<script>');
  });

  it('says how many trials have not run where nothing runs', () => {
    writeSweep(folder, { name: 'more', made: [{ config: { a: 1 }, seeds: [1, 2], end: () => undefined }] });
    const { running } = JSON.parse(new Snapshot(folder, undefined).answer.body) as { running: string };
    expect(running).toContain('2 trials have not run yet');
  });
});
