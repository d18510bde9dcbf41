/**
 * What the report of a large store costs: seconds to build it, bytes of the page, and the time from opening the file to the first chart.
 *
 *   node --import tsx scripts/bench/report.ts [TRIALS]      50,000 unless given
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { page, reportData } from '../../lib/report/index.js';
import { openStore } from '../../lib/sweep/index.js';
import { openChromium } from '../../test/engines/chromium.js';
import { syntheticSweep, writeSweep } from '../../test/report/stores.js';

const OPENINGS = 5;
const trials = Number(process.argv[2] ?? 50_000);
const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'));

const seconds = <T>(work: () => T): [T, number] => {
  const start = performance.now();
  const result = work();
  return [result, (performance.now() - start) / 1000];
};

try {
  const [, making] = seconds(() => writeSweep(folder, syntheticSweep(trials)));
  const store = openStore(folder);
  const { planned } = store.status();
  const [data, reading] = seconds(() => reportData(store));
  const [text, writing] = seconds(() => page(data));
  store.close();
  const path = join(folder, 'report.html');
  writeFileSync(path, text);
  console.log(`${planned} trials made in ${making.toFixed(1)} s`);
  console.log(`data ${reading.toFixed(2)} s, page ${writing.toFixed(2)} s, ${(statSync(path).size / 1e6).toFixed(2)} MB`);
  const browser = await openChromium();
  const firsts: number[] = [];
  for (let i = 0; i < OPENINGS; i++) {
    const opened = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await opened.goto(pathToFileURL(path).href);
    await opened.locator('canvas').first().waitFor();
    firsts.push(await opened.evaluate<number>("performance.getEntriesByName('chart')[0].startTime"));
    await opened.close();
  }
  await browser.close();
  console.log(`first chart after ${firsts.map((ms) => ms.toFixed(0)).join(', ')} ms`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
