/** How wide text is in the font of the charts, where no canvas measures it: by the font's own tables. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import opentype, { type Font } from 'opentype.js';

export const FONT = 'DejaVu Sans';

const folder = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const files = { normal: join(folder, 'DejaVuSans.ttf'), bold: join(folder, 'DejaVuSans-Bold.ttf') } as const;
export const FONT_FILES: readonly string[] = Object.values(files);

const fonts = new Map<string, Font>();
function fontOf(weight: keyof typeof files): Font {
  const known = fonts.get(weight);
  if (known !== undefined) return known;
  const bytes = readFileSync(files[weight]);
  const font = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  fonts.set(weight, font);
  return font;
}

/** @param size  of the font, in pixels @returns pixels */
export function textWidth(text: string, size: number, weight: keyof typeof files = 'normal'): number {
  const font = fontOf(weight);
  let units = 0;
  // A character at a time: charts have no ligatures, and kerning is less than a pixel.
  for (const character of text) units += font.charToGlyph(character).advanceWidth ?? 0;
  return (units / font.unitsPerEm) * size;
}
