/** Series stay apart for eyes that see fewer colours, in grey, and on a dark ground: measured by simulation. */
import {
  converter,
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  parse,
  type Color,
} from 'culori';
import { scheme } from 'vega';
import { describe, expect, it } from 'vitest';
import { MAP_SCHEME, STYLES } from '../../lib/figures/index.js';

const lab = converter('lab65');
const difference = differenceCiede2000();
const grey = (c: Color): Color => ({ ...lab(c), a: 0, b: 0 });
const colorOf = (text: string): Color => parse(text)!;
type Seen = (c: Color) => Color;

/** Ways of seeing, with the least CIEDE2000 difference asked of two series; 2.3 is about the least that is seen at all. */
const views: readonly (readonly [string, Seen, number])[] = [
  ['normal', (c) => c, 18],
  ['red-blind', filterDeficiencyProt(1), 9],
  ['green-blind', filterDeficiencyDeuter(1), 9],
  ['blue-blind', filterDeficiencyTrit(1), 9],
  ['grey', grey, 4.5],
];
const grounds = [
  ['color', '#ffffff'],
  ['dark', '#161616'],
] as const;
const pairs = STYLES.flatMap((a, i) => STYLES.slice(i + 1).map((b) => [a, b] as const));

describe.each(grounds)('series, %s on %s', (part, ground) => {
  it.each(views)('are told apart by eyes that are %s', (_, seen, least) => {
    for (const [a, b] of pairs)
      expect(difference(seen(colorOf(a[part])), seen(colorOf(b[part]))), `${a[part]} and ${b[part]}`).toBeGreaterThan(least);
  });

  it.each(views)('stand out from the ground by eyes that are %s', (_, seen) => {
    for (const s of STYLES) expect(difference(seen(colorOf(s[part])), seen(colorOf(ground))), s[part]).toBeGreaterThan(15);
  });
});

it('no two series share both dash and mark', () => {
  const drawn = STYLES.map(({ dash, shape }) => `${dash.join(' ')} ${shape}`);
  expect(new Set(drawn).size).toBe(STYLES.length);
  expect(new Set(STYLES.map((s) => s.shape)).size).toBe(STYLES.length);
});

it.each(views)("the map's colours grow lighter all along for eyes that are %s", (_, seen) => {
  const viridis = scheme(MAP_SCHEME) as unknown as (at: number) => string;
  const lightness = Array.from({ length: 21 }, (_, i) => lab(seen(colorOf(viridis(i / 20)))).l);
  for (const [i, l] of lightness.slice(1).entries()) expect(l).toBeGreaterThan(lightness[i]);
});
