/** The page of figures in a real browser, from disk. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curveGrid, heatMap, judge, scaling, writeFigure, writePage } from '../../lib/figures/index.js';
import { openChromium } from '../engines/chromium.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const curves = curveGrid({
  title: 'Curves',
  subtitle: ['under them'],
  points: ['one', 'two'].flatMap((series, s) =>
    [1, 2, 3, 4].map((x) => ({ condition: 'c', series, metric: 'loss', x, mean: (s + 1) / x, low: 0.9 / x, high: 2.2 / x })),
  ),
  conditions: [{ key: 'c', title: 'Panel' }],
  metrics: [{ key: 'loss', title: 'loss', ticks: [0.1, 1] }],
  series: ['one', 'two'],
  xTitle: 'steps',
  xScale: 'linear',
});
const points = scaling({
  title: 'Scaling',
  subtitle: ['under it'],
  panels: [{ key: 'p', title: 'Panel', xTitle: 'x', ticks: [1, 10] }],
  points: ['one', 'two'].flatMap((series) =>
    [1, 10].map((x) => ({ panel: 'p', series, x, mean: x, low: x / 2, high: 2 * x, bound: x === 10 })),
  ),
  lines: [{ panel: 'p', series: 'one', from: [1, 1], to: [10, 10] }],
  series: ['one', 'two'],
  yTitle: 'y',
  yTicks: [1, 10],
});
const map = heatMap({
  title: 'Map',
  subtitle: [],
  panels: ['m'],
  cells: [0.1, 1].flatMap((x) => [1e-3, 1].map((y) => ({ panel: 'm', x, y, value: x === 1 ? Infinity : y }))),
  xTitle: 'rate',
  yTitle: 'damping',
  valueTitle: 'distance',
  ticks: [0.01, 1],
});

/** What axe finds. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

let browser: Browser;
let folder: string;
let address: string;
beforeAll(async () => {
  browser = await openChromium();
  folder = mkdtempSync(join(tmpdir(), 'layerwise-page-'));
  const measured = [{ label: 'slope:', mean: 0.5, low: 0.4, high: 0.6 }];
  await writeFigure(folder, {
    name: 'fig-x',
    title: 'A figure',
    data: { protocol: {} },
    rows: [{ x: 1, y: 'a,b' }],
    charts: { figure: curves, 'figure-scaling': points, 'figure-map': map },
    claims: [
      judge({ id: 'A1', statement: 'It holds', rule: 'above 0', measured }, true),
      judge({ id: 'B1', statement: 'It does not', rule: 'above 1', measured }, false),
    ],
    timings: {},
    page: {
      about: ['What it asks.'],
      equations: [{ words: 'The rate:', tex: String.raw`\rho^2 = \frac{a}{b}` }],
      command: 'layerwise figures fig-x',
      searches: [
        { condition: '\u03ba = 100', method: 'SGD', tried: [0.1, 0.2], best: 0.2, atEdge: true },
        {
          condition: '\u03ba = 1',
          method: 'Gauss-Newton',
          tried: [0.1, 0.2, 0.4],
          best: 0.2,
          damping: { tried: [1, 2, 3], best: 2 },
          atEdge: false,
        },
      ],
      script: { name: 'scripts/figures/x.mjs', text: "console.log('<b>')" },
      protocol: { seeds: [1] },
      config: { experiment: 'x' },
      environment: { node: 'v20' },
      runs: 2,
      seconds: 3,
    },
  });
  address = pathToFileURL(writePage(folder, ['fig-x'], [{ name: 'fig-y', why: 'there are no images' }])).href;
}, 300_000);
afterAll(async () => {
  await (browser as Browser | undefined)?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open({ width = 1280, dark = false } = {}): Promise<{ page: Page; complaints: string[]; requests: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light', acceptDownloads: true });
  const [complaints, requests]: string[][] = [[], []];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(address);
  await page.waitForFunction("document.querySelectorAll('.plot svg.marks').length === 3");
  return { page, complaints, requests };
}

describe('the page of figures', () => {
  it.each([
    { width: 1280, dark: false },
    { width: 400, dark: false },
    { width: 400, dark: true },
  ])(
    'at $width pixels, dark $dark: nothing is complained of, asked for, wider than the page, or hard to reach',
    async ({ width, dark }) => {
      const { page, complaints, requests } = await open({ width, dark });
      expect(complaints).toEqual([]);
      expect(requests).toEqual([address]);
      expect(await page.locator('meta[http-equiv]').getAttribute('content')).not.toContain('unsafe');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      // The policy of the page lets nothing else in: axe comes beside it.
      const { violations } = await page.evaluate<{ violations: Violation[] }>(`(() => { ${AXE}; return axe.run(); })()`);
      expect(
        violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)}`),
      ).toEqual([]);
      await page.close();
    },
    60_000,
  );

  it('has the claims with their verdicts first, and says what was left out', async () => {
    const { page } = await open();
    const text = await page.locator('main').innerText();
    expect(text.indexOf('It holds')).toBeLessThan(text.indexOf('A figure'));
    for (const part of ['1 of 2 reproduced', 'NOT REPRODUCED', 'slope: 0.500 [0.400, 0.600]', 'fig-y is not here: there are no images'])
      expect(text).toContain(part);
    expect(await page.locator('math mfrac').count()).toBe(1);
    await page.close();
  }, 60_000);

  it('shows what was searched, says where the best lies at an edge, and has the program to copy', async () => {
    const { page } = await open();
    const section = page.locator('section');
    expect(await section.locator('.edge').innerText()).toBe('Best at the edge of what was searched: SGD (\u03ba = 100).');
    await section.getByText('Learning rates searched: 2 searches, 1 best at an edge').click();
    const rows = await section.locator('.searches tbody tr').allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, ' ').trim())).toEqual([
      '\u03ba = 100 SGD 0.1 0.2 edge',
      '\u03ba = 1 Gauss-Newton 0.1 0.2 0.4 damping 1 2 3 inside',
    ]);
    expect(await section.locator('mark').allInnerTexts()).toEqual(['0.2', '0.2', '2']);
    await section.getByText('A program to copy and change').click();
    expect(await section.getByText("console.log('<b>')").isVisible()).toBe(true);
    await page.close();
  }, 60_000);

  it('does not show what another version has drawn, and says so', () => {
    const other = mkdtempSync(join(tmpdir(), 'layerwise-page-'));
    try {
      mkdirSync(join(other, 'fig-x'));
      const part = JSON.parse(readFileSync(join(folder, 'fig-x', 'page.json'), 'utf8')) as { version: number; figure: { title: string } };
      writeFileSync(join(other, 'fig-x', 'page.json'), JSON.stringify({ ...part, version: part.version - 1 }));
      const text = readFileSync(writePage(other, ['fig-x']), 'utf8');
      expect(text).toContain('fig-x is not here: it was drawn by another version of layerwise');
      expect(text).not.toContain(part.figure.title);
      writeFileSync(join(other, 'fig-x', 'page.json'), '{"version": 2, "fig');
      expect(readFileSync(writePage(other, ['fig-x']), 'utf8')).toContain('fig-x is not here: its file page.json is damaged');
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  it('hides a series by its button, by keyboard too, and shows it again on reset', async () => {
    const { page } = await open();
    const figure = page.locator('figure').first();
    const marks = (): Promise<number> => figure.locator('.mark-symbol.role-mark path').count();
    const before = await marks();
    const button = figure.getByRole('button', { name: 'two' });
    await button.focus();
    await page.keyboard.press('Enter');
    await expect.poll(marks).toBeLessThan(before);
    expect(await button.getAttribute('aria-pressed')).toBe('false');
    await figure.getByRole('button', { name: 'Reset zoom' }).click();
    await expect.poll(marks).toBe(before);
    await page.close();
  }, 60_000);

  it('tells what is pointed at, and saves SVG, PNG and CSV', async () => {
    const { page, complaints } = await open();
    const figure = page.locator('figure').first();
    await figure.locator('.mark-symbol.role-mark path').last().hover(); // the first one is half outside its panel
    await expect.poll(() => page.locator('#pointed').innerText()).toMatch(/series: two/);
    const saved = async (name: string): Promise<Buffer> => {
      const [download] = await Promise.all([page.waitForEvent('download'), figure.getByRole('button', { name, exact: true }).click()]);
      return readFileSync(await download.path());
    };
    expect((await saved('CSV')).toString()).toBe('x,y\n1,"a,b"\n');
    expect((await saved('SVG')).toString()).toContain('<svg');
    expect((await saved('PNG')).subarray(1, 4).toString()).toBe('PNG');
    expect(complaints).toEqual([]);
    await page.close();
  }, 60_000);
});
