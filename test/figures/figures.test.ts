import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  claimsTable,
  csv,
  curveGrid,
  dotPlot,
  judge,
  renderPng,
  renderSvg,
  STYLES,
  writeFigure,
  writePage,
  type CurvePoint,
} from '../../lib/figures/index.js';

const points: CurvePoint[] = ['left', 'right'].flatMap((condition) =>
  ['one', 'two'].flatMap((series, s) =>
    Array.from({ length: 12 }, (_, i) => ({
      condition,
      series,
      metric: 'loss',
      x: i,
      mean: (s + 1) / (i + 1),
      low: 0.9 / (i + 1),
      high: 2.2 / (i + 1),
    })),
  ),
);
const grid = {
  title: 'A title',
  subtitle: ['under it'],
  points,
  conditions: ['left', 'right'].map((key) => ({ key, title: `Panel ${key}` })),
  metrics: [{ key: 'loss', title: 'training loss', ticks: [0.1, 1] }],
  series: ['one', 'two'],
  xTitle: 'steps',
  xScale: 'linear',
} as const;
const claim = judge(
  { id: 'A1', statement: 'x < y & "z"', rule: '<script>alert(1)</script>', measured: [{ label: 'm', mean: 0.5, low: 0.4, high: 1e-5 }] },
  true,
);

/** Width and height from a PNG's header. */
const sizeOf = (png: Uint8Array): [number, number] => {
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
};

describe('curveGrid', () => {
  it('draws every panel, axis title and legend entry, with no warning', async () => {
    const svg = await renderSvg(curveGrid(grid));
    for (const text of ['A title', 'under it', 'Panel left', 'Panel right', 'training loss', 'steps', '>one<', '>two<'])
      expect(svg).toContain(text);
    expect(svg.match(/>one</g)).toHaveLength(1); // one legend
  });

  it('gives equal bytes for equal data', async () => {
    expect(await renderSvg(curveGrid(grid))).toBe(await renderSvg(curveGrid(grid)));
  });

  it('leaves out what a log axis cannot show', async () => {
    const odd = [NaN, 0, -1, Infinity].map((mean, i) => ({ ...points[i], mean }));
    expect(await renderSvg(curveGrid({ ...grid, points: [...points, ...odd] }))).not.toMatch(/NaN|Infinity/);
  });

  it('has styles that differ in dash or mark as well as colour, so that grey print keeps them apart', () => {
    expect(new Set(STYLES.map((s) => s.shape)).size).toBe(STYLES.length);
    expect(new Set(STYLES.map((s) => s.color)).size).toBe(STYLES.length);
  });
});

it('dotPlot draws a dot and an interval for each series and condition', async () => {
  const dots = points.filter((p) => p.x === 3);
  const svg = await renderSvg(dotPlot({ ...grid, dots, ticks: [0.1, 1] }));
  expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(4);
  expect(svg.match(/aria-roledescription="rule mark"|aria-roledescription="rule"/g)).toHaveLength(4);
});

it('renderPng keeps the text: a picture without its font would be emptier', async () => {
  const svg = await renderSvg(curveGrid(grid));
  const png = renderPng(svg, 2);
  const bare = renderPng(svg.replace(/<text[\s\S]*?<\/text>/g, ''), 2);
  expect(sizeOf(png)).toEqual(sizeOf(bare));
  expect(sizeOf(png)[0]).toBeGreaterThan(1000);
  expect(png.length).toBeGreaterThan(1.2 * bare.length);
});

it('csv quotes what needs it', () => {
  expect(
    csv([
      { a: 'x,y', b: 'say "hi"', c: 0.1 },
      { a: 'line\nbreak', b: 'plain', c: NaN },
    ]),
  ).toBe('a,b,c\n"x,y","say ""hi""",0.1\n"line\nbreak",plain,NaN\n');
});

it('claimsTable shows both verdicts with their numbers', () => {
  const text = claimsTable([claim, judge({ ...claim, id: 'B' }, false)]);
  expect(text).toContain('REPRODUCED');
  expect(text).toContain('NOT REPRODUCED');
  expect(text).toContain('0.500 [0.400, 1.0e-5]');
});

describe('a figure on disk', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'layerwise-figure-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is data, rows, claims, timings and two forms of each chart; the page holds it all and asks for nothing', async () => {
    const figure = {
      name: 'fig-x',
      title: 'T',
      data: { a: [NaN, 1], protocol: { seeds: [1, 2] } },
      rows: [{ a: 1 }],
      charts: { figure: curveGrid(grid) },
      claims: [claim],
      timings: { s: 1 },
      page: {
        about: ['What <it> asks.'],
        equations: [{ words: 'A fraction:', tex: String.raw`\frac{1}{n}` }],
        command: 'layerwise figures fig-x',
        searches: [],
        script: null,
        protocol: { seeds: [1, 2] },
        config: { experiment: 'x' },
        environment: { node: 'v20' },
        runs: 3,
        seconds: 4,
      },
    };
    expect(await writeFigure(folder, figure)).toBe(join(folder, 'fig-x'));
    expect(readdirSync(join(folder, 'fig-x')).sort()).toEqual([
      'claims.json',
      'data.csv',
      'data.json',
      'figure.png',
      'figure.svg',
      'page.json',
      'timings.json',
    ]);
    expect(readFileSync(join(folder, 'fig-x', 'data.json'), 'utf8')).toContain('"NaN"');
    const html = readFileSync(writePage(folder, ['fig-w', 'fig-x']), 'utf8');
    expect(html).toContain('&#60;script&#62;');
    expect(html).not.toMatch(/src="http|href="http|@import|url\(http/);
    expect(html).toContain('<mfrac>');
    expect(html).toContain('What &#60;it&#62; asks.');
    for (const text of ['layerwise figures fig-x', '&#34;experiment&#34;: &#34;x&#34;', 'Protocol', '3 runs, 4 seconds'])
      expect(html).toContain(text);
    const ids = [...html.matchAll(/\bid="([^"]+)"/g)].map((m) => m[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
