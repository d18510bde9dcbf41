/** The text of the page: whole, closed to the outside, and deaf to what it shows. */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, reportData } from '../../lib/report/index.js';
import { chartSpecs } from '../../lib/report/charts/specs.js';
import { html } from '../../lib/html.js';
import { labelsOf, numberText, shortened } from '../../lib/report/words.js';
import { openStore } from '../../lib/sweep/index.js';
import { HOSTILE, hostileSweep, LONG, QUOTES, SCRIPT } from './hostile.js';
import { syntheticSweep, temporaryFolder, writeSweep, type Sweep } from './stores.js';

let folder: string;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function pageOf(sweep: Sweep): string {
  writeSweep(folder, sweep);
  return read();
}

function read(): string {
  const store = openStore(folder);
  try {
    return page(reportData(store));
  } finally {
    store.close();
  }
}

/** The page without its scripts. */
const markup = (text: string): string => text.replace(/<script[^>]*>[^]*?<\/script>/g, '');
const scriptsOf = (text: string): string[] => [...text.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)].map(([, , own]) => own);

describe('page', () => {
  it('holds three scripts and loads nothing', () => {
    const text = pageOf(syntheticSweep(200));
    expect(scriptsOf(text)).toHaveLength(3);
    expect(markup(text)).not.toMatch(/<(script|iframe|object|embed|img|link rel="stylesheet")/);
    expect([...markup(text).matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, address]) => address)).toEqual(['data:,']);
    expect(text).not.toContain('sourceMappingURL=draw');
  });

  it('allows the scripts and the style it holds, by their digests, and no others', () => {
    const text = pageOf(syntheticSweep(200));
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)![1];
    const digest = (own: string): string => `'sha256-${createHash('sha256').update(own).digest('base64')}'`;
    const [, vega, own] = scriptsOf(text);
    const style = /<style>([^]*?)<\/style>/.exec(text)![1];
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${digest(vega)} ${digest(own)}`,
      `style-src ${digest(style)}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(markup(text)).not.toMatch(/ (on[a-z]+|style)=/);
  });

  it('of equal results is equal to the byte', () => {
    const first = pageOf(syntheticSweep(200));
    expect(read()).toBe(first);
  });

  it('of ten thousand trials takes less than two megabytes', () => {
    expect(pageOf(syntheticSweep(10_000)).length).toBeLessThan(2e6);
  });

  it('of an empty store says that nothing was planned', () => {
    openStore(folder, { mode: 'write' }).close();
    expect(markup(read())).toContain('Nothing has been planned here.');
  });

  it('warns of settings chosen on the seeds they are reported on, of few seeds and of an objective that is not named', () => {
    const end = (seed: number) => ({ curves: { distance: [seed] } });
    const made = [1, 2].map((learningRate) => ({ config: { optimizer: { name: 'sgd', learningRate } }, seeds: [0, 1], end }));
    const text = markup(pageOf({ made }));
    expect(text).toContain('names no objective');
    expect(text).toContain('chosen on the very seeds they are reported on');
    expect(text).toContain('fewer than five seeds');
  });

  it('says how many lines, panels and failures it leaves out', () => {
    const made = Array.from({ length: 240 }, (_, i) => ({
      config: { optimizer: { name: `method ${i % 10}` }, task: { condition: i % 8, a: i } },
      seeds: [0],
      end: () => (i < 220 ? { failure: 'error' as const, message: 'no' } : { curves: { distance: [i] } }),
    }));
    const objective = { metric: 'distance', goal: 'min', at: 'last', per: ['optimizer.name', 'task.condition'] };
    const text = markup(pageOf({ spec: { objective }, made }));
    expect(text).toContain('and 2 more, left out here');
    expect(text).toContain('2 more combinations have no chart of their own here');
    expect(text).toContain('The first 200 of 220.');
  });
});

describe('hostile words', () => {
  it('are text in the page: no tag, attribute or script of theirs is left', () => {
    const text = pageOf(hostileSweep());
    expect(scriptsOf(text)).toHaveLength(3);
    expect(text.match(/<script/g)).toHaveLength(3);
    for (const word of ['<script>window.hacked', '<img src=x', '<svg onload', 'onerror="', '<b>$'])
      expect(markup(text).includes(word), word).toBe(false);
    expect(scriptsOf(text)[0]).not.toContain('<');
  });

  it('are there as a whole, and shortened where they are shown', () => {
    const text = markup(pageOf(hostileSweep()));
    for (const word of HOSTILE) expect(text).toContain(`title="${html`${word}`.text}"`);
    const shown = text.replace(/title="[^"]*"/g, '').replace(/<pre>[^]*?<\/pre>/g, '');
    expect(shown).not.toContain('long '.repeat(40));
  });

  it('do not reach the specifications of the charts', () => {
    const before = JSON.stringify(chartSpecs());
    pageOf(hostileSweep());
    expect(JSON.stringify(chartSpecs())).toBe(before);
    expect(before).not.toContain('hacked');
  });
});

describe('html', () => {
  it('escapes strings, keeps what it made, joins lists and leaves out what is not there', () => {
    const inner = html`<i>${QUOTES}</i>`;
    expect(html`<p title="${'"'}">${[inner, inner]}${null}${undefined}${0}</p>`.text).toBe(
      `<p title="&#34;">${inner.text}${inner.text}0</p>`,
    );
    expect(inner.text).not.toMatch(/["'`]|<b/);
  });
});

describe('words', () => {
  it('labelsOf keeps labels apart that shortening makes alike', () => {
    expect(labelsOf([LONG, `${LONG}!`, 'short']).map(({ short }) => short.slice(-4))).toEqual(['ong…', ' (2)', 'hort']);
  });

  it('shortened leaves what is short, and makes lines one', () => {
    expect(shortened('a\nb')).toBe('a b');
    expect(shortened(SCRIPT, 10)).toBe('</script>…');
  });

  it.each([
    [0.00001234567, '1.235e-5'],
    [1234.5678, '1235'],
    [0, '0'],
    [NaN, 'none'],
    [Infinity, 'infinite'],
    [123_456_789, '1.235e+8'],
  ])('numberText writes %d as %s', (value, text) => {
    expect(numberText(value)).toBe(text);
  });
});
