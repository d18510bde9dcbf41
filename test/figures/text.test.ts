import { Resvg } from '@resvg/resvg-js';
import { expect, it } from 'vitest';
import { wrapped } from '../../lib/figures/subtitle.js';
import { FONT, FONT_FILES, textWidth } from '../../lib/figures/text.js';

it.each([
  ['mean and 95% bootstrap interval over 10 seeds', 11, 'normal'],
  ['Strongly anisotropic, \u03ba = 10\u2074', 13, 'bold'],
  ['iiiiillll', 12, 'normal'],
  ['WWWWMMMM', 12, 'normal'],
] as const)('%s is as wide as the renderer draws it', (text, size, weight) => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="100"><text x="50" y="50" font-family="${FONT}" font-size="${size}" font-weight="${weight}">${text}</text></svg>`;
  const drawn = new Resvg(svg, { font: { loadSystemFonts: false, fontFiles: [...FONT_FILES], defaultFontFamily: FONT } }).innerBBox()!;
  // The box of the ink is a little narrower than the advance.
  expect(Math.abs(textWidth(text, size, weight) - drawn.width)).toBeLessThan(0.02 * drawn.width + 2);
});

it('lines are broken where they would be wider than the panels', () => {
  const line = 'mean and 95% bootstrap interval over 10 seeds, each method at its best learning rate on 4 other seeds';
  const broken = wrapped([line, 'short'], 300);
  expect(broken.join(' ')).toBe(`${line} short`);
  expect(broken.length).toBeGreaterThan(2);
  for (const part of broken) expect(textWidth(part, 11)).toBeLessThanOrEqual(300);
});
