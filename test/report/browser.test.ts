/** The page in a real browser: from disk and from the server, with what it draws looked at pixel by pixel. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { page as pageOf, reportData, watch } from '../../lib/report/index.js';
import { openStore } from '../../lib/sweep/index.js';
import { openChromium } from '../engines/chromium.js';
import { hostileSweep, LONG, QUOTES, SCRIPT } from './hostile.js';
import { syntheticSweep, temporaryFolder, writeSweep, type Sweep } from './stores.js';

let browser: Browser;
let folder: string;
beforeAll(async () => void (browser = await openChromium()), 300_000);
afterAll(() => (browser as Browser | undefined)?.close());
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A page, with all that it complained of and asked for. */
interface Opened {
  readonly page: Page;
  readonly complaints: string[];
  readonly requests: string[];
}

async function open(address: string, { width = 1280, dark = false }: { width?: number; dark?: boolean } = {}): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light' });
  const [complaints, requests]: string[][] = [[], []];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  await page.goto(address);
  return { page, complaints, requests };
}

/** The report of a sweep as a file. @returns its address */
function written(sweep: Sweep): string {
  writeSweep(folder, sweep);
  const store = openStore(folder);
  const text = pageOf(reportData(store));
  store.close();
  writeFileSync(join(folder, 'report.html'), text);
  return pathToFileURL(join(folder, 'report.html')).href;
}

interface Drawn {
  readonly name: string;
  /** Pixels with anything on them, and those with a colour that is no grey. */
  readonly pixels: number;
  readonly colored: number;
}

// Of what a browser has, as much as is looked at here: its types are not those of Node.
interface Pixels {
  readonly data: Uint8ClampedArray;
}
interface Canvas {
  readonly width: number;
  readonly height: number;
  toDataURL(): string;
}
interface Element {
  readonly dataset: Readonly<Record<string, string>>;
  readonly title: string;
  readonly value: string;
  querySelector(selector: 'canvas'): Canvas;
  getBoundingClientRect(): { readonly top: number };
}
declare const OffscreenCanvas: new (
  width: number,
  height: number,
) => { getContext(kind: '2d'): { drawImage(canvas: Canvas, x: number, y: number): void; getImageData(...box: number[]): Pixels } };

/** Counts pixels in the page, on a copy: a canvas that is read again and again complains. */
const countPixels = (figures: unknown): Drawn[] =>
  (figures as readonly Element[]).map((figure) => {
    const canvas = figure.querySelector('canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let [pixels, colored] = [0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] < 60) continue;
      pixels++;
      const [r, g, b] = data.slice(i, i + 3);
      if (Math.max(r, g, b) - Math.min(r, g, b) > 40) colored++;
    }
    return { name: figure.dataset['chart'], pixels, colored };
  });

const pageWidth = (page: Page): Promise<number> => page.evaluate<number>('document.documentElement.scrollWidth');
const imageOf = (page: Page, name: string): Promise<string> =>
  page.locator(`figure[data-chart="${name}"] canvas`).evaluate((canvas) => (canvas as unknown as Canvas).toDataURL());
const topOf = (page: Page, selector: string): Promise<number> =>
  page.locator(selector).evaluate((own) => (own as unknown as Element).getBoundingClientRect().top);

/** Gives an element an id, by which it is known to be the same later. */
const mark = (page: Page, selector: string): Promise<void> =>
  page.locator(selector).evaluate((own) => void ((own as unknown as { id: string }).id = 'marked'));

/** Every chart, once all of them were scrolled to. */
async function charts(page: Page): Promise<Drawn[]> {
  const figures = page.locator('figure');
  for (let i = 0; i < (await figures.count()); i++) {
    await figures.nth(i).scrollIntoViewIfNeeded();
    await figures.nth(i).locator('canvas').waitFor();
  }
  return figures.evaluateAll(countPixels);
}

const NAMES = [
  'best-0',
  'best-1',
  'sensitivity-0-0',
  'sensitivity-0-1',
  'sensitivity-1-0',
  'sensitivity-1-1',
  'curves-0',
  'curves-1',
  'parallel',
];

describe('the page from disk', () => {
  it.each([
    [1280, false],
    [1280, true],
    [390, false],
    [390, true],
  ])('draws every chart at %d pixels (dark: %s), complains of nothing and asks for nothing', async (width, dark) => {
    const address = written(syntheticSweep(1000));
    const { page, complaints, requests } = await open(address, { width, dark });
    const drawn = await charts(page);
    expect(drawn.map(({ name }) => name)).toEqual(NAMES);
    for (const { name, pixels, colored } of drawn) {
      expect(pixels, name).toBeGreaterThan(2000);
      expect(colored, name).toBeGreaterThan(100);
    }
    expect(complaints).toEqual([]);
    expect(requests).toEqual([address]);
    await page.close();
  });

  it.each([1280, 390])('is no wider than a window of %d pixels', async (width) => {
    const { page } = await open(written(syntheticSweep(1000)), { width });
    expect(await pageWidth(page)).toBe(width);
    await page.close();
  });

  it('draws what is near first, and the rest when it is scrolled to', async () => {
    const { page } = await open(written(syntheticSweep(1000)));
    await page.locator('figure[data-chart="best-0"] canvas').waitFor();
    expect(await page.locator('figure[data-chart="parallel"] canvas').count()).toBe(0);
    await charts(page);
    expect(await page.locator('canvas').count()).toBe(NAMES.length);
    await page.close();
  });

  it('shows another metric in the charts that have one, and leaves the others', async () => {
    const { page, complaints } = await open(written(syntheticSweep(1000)));
    await charts(page);
    const names = ['sensitivity-1-0', 'curves-0', 'best-0', 'parallel'];
    const before = await Promise.all(names.map((name) => imageOf(page, name)));
    await mark(page, 'figure[data-chart="best-0"] canvas');
    await page.locator('#metric').selectOption('transfer');
    await charts(page);
    const after = await Promise.all(names.map((name) => imageOf(page, name)));
    expect(after.map((now, i) => now === before[i])).toEqual([false, false, true, true]);
    expect(await page.locator('figure[data-chart="best-0"] canvas#marked').count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('says the numbers of a point that is pointed at', async () => {
    const { page } = await open(written(syntheticSweep(1000)));
    const canvas = page.locator('figure[data-chart="best-0"] canvas');
    await canvas.waitFor();
    const { x, y, width, height } = (await canvas.boundingBox())!;
    for (let across = 0; across < width && (await page.locator('#pointed').isHidden()); across += 3)
      await page.mouse.move(x + across, y + 0.1 * height + 6);
    expect(await page.locator('#pointed').textContent()).toMatch(
      /sgd\ndistance: [\d.e-]+\n95% interval of the mean: [\d.e-]+ to [\d.e-]+\nseeds: 5/,
    );
    await page.close();
  });
});

describe('hostile words', () => {
  it('are seen and do not run, wherever they stand', async () => {
    const { page, complaints, requests } = await open(written(hostileSweep()));
    const drawn = await charts(page);
    expect(drawn.every(({ pixels }) => pixels > 500)).toBe(true);
    for (const name of await page.locator('#metric option').evaluateAll((all) => (all as unknown as Element[]).map(({ value }) => value))) {
      await page.locator('#metric').selectOption(name);
      await charts(page);
    }
    for (const details of await page.locator('details').all())
      await details.evaluate((own) => void ((own as unknown as { open: boolean }).open = true));
    await page.waitForTimeout(200);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
    const text = await page.locator('body').innerText();
    for (const word of [SCRIPT.slice(0, 36), QUOTES.slice(0, 30), 'long long']) expect(text).toContain(word);
    expect(await page.locator(`h1 span, h1`).first().textContent()).toContain('</script><script>');
    expect(await page.locator('img, svg[onload], b').count()).toBe(0);
    await page.close();
  });

  it('of ten thousand characters do not widen the page, and are whole where they are pointed at', async () => {
    const { page } = await open(written(hostileSweep()), { width: 390 });
    expect(await pageWidth(page)).toBe(390);
    const titles = await page.locator('.cut').evaluateAll((all) => (all as unknown as Element[]).map(({ title }) => title));
    expect(titles).toContain(LONG);
    await page.close();
  });
});

describe('the live page', () => {
  /** A sweep of which so many trials have run; the first of every hundred fails. */
  const partly = (ran: number): Sweep => {
    const whole = syntheticSweep(400);
    let left = ran;
    return {
      ...whole,
      made: [...whole.made].map((m) => ({
        ...m,
        end: (seed) => (left-- <= 0 ? undefined : left % 100 === 99 ? { failure: 'error', message: 'no' } : m.end(seed)),
      })),
    };
  };

  it('shows what was added while it is open, and keeps the place, the metric and what is unfolded', async () => {
    writeSweep(folder, partly(300));
    const served = await watch(folder);
    const { page, complaints, requests } = await open(served.url);
    await charts(page);
    expect(await page.locator('.states').innerText()).toContain('100 not run yet');
    await page.locator('#metric').selectOption('transfer');
    await page.locator('#failures summary').first().click();
    await mark(page, 'figure[data-chart="best-0"]');
    await page.locator('#parallel').scrollIntoViewIfNeeded();
    const place = await topOf(page, '#parallel');
    const before = await imageOf(page, 'parallel');
    writeSweep(folder, partly(400));
    await page.locator('.states', { hasNotText: 'not run yet' }).waitFor({ timeout: 30_000 });
    await expect.poll(() => imageOf(page, 'parallel')).not.toBe(before);
    expect(Math.abs((await topOf(page, '#parallel')) - place)).toBeLessThan(2);
    expect(await page.locator('#metric').inputValue()).toBe('transfer');
    expect(await page.locator('#failures details').count()).toBe(4);
    expect(await page.locator('#failures details[open]').count()).toBe(1);
    expect(await page.locator('#best figure#marked').count()).toBe(1);
    expect(await page.locator('#live').innerText()).toContain('Finished');
    expect((await charts(page)).every(({ colored }) => colored > 100)).toBe(true);
    expect(complaints).toEqual([]);
    expect(new Set(requests)).toEqual(new Set([served.url, `${served.url}data.json`]));
    await page.close();
    await served.close();
  });

  it('redraws nothing when nothing has changed', async () => {
    writeSweep(folder, partly(400));
    const served = await watch(folder);
    const { page } = await open(served.url);
    await page.locator('figure[data-chart="best-0"] canvas').waitFor();
    await mark(page, 'figure[data-chart="best-0"] canvas');
    const answers: number[] = [];
    page.on('response', (response) => answers.push(response.status()));
    await expect.poll(() => answers.length, { timeout: 30_000 }).toBeGreaterThan(1);
    expect(answers.at(-1)).toBe(304);
    expect(await page.locator('figure[data-chart="best-0"] canvas#marked').count()).toBe(1);
    await page.close();
    await served.close();
  });

  it('says so when the server is gone', async () => {
    writeSweep(folder, partly(400));
    const served = await watch(folder);
    const { page } = await open(served.url);
    await page.locator('#live', { hasText: 'Finished' }).waitFor();
    await served.close();
    await page.locator('#live', { hasText: 'No answer from layerwise watch' }).waitFor({ timeout: 30_000 });
    await page.close();
  });
});
