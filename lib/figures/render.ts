/** Vega-Lite specifications to SVG and PNG, without a browser. Equal specifications give equal bytes. */
import { Resvg } from '@resvg/resvg-js';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { SUBTITLE_SIZE } from './subtitle.js';
import { FONT, FONT_FILES, textWidth } from './text.js';

export type { TopLevelSpec };

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
  /** Pixels at which it is cut off; 0 or absent for none. */
  readonly limit?: number;
}

function measured({ fontSize = 11, fontWeight, limit = 0 }: TextItem, text: string | number | null | undefined): number {
  const width = textWidth(String(text ?? ''), fontSize, fontWeight === 'bold' || Number(fontWeight) >= 600 ? 'bold' : 'normal');
  return limit > 0 ? Math.min(limit, width) : width;
}

/** How Vega measures text: it lets others say. */
const { textMetrics } = vega as unknown as { textMetrics: { width: unknown } };

/** Vega's own guess, where it has no canvas, is a third too wide: pictures would have empty margins, and lines of titles break too soon.
 *  Whoever else uses Vega in this process keeps the guess. */
let drawing = 0;
let guess: unknown;
async function withMeasuredText<T>(draw: () => Promise<T>): Promise<T> {
  if (drawing++ === 0) guess = textMetrics.width;
  textMetrics.width = measured;
  try {
    return await draw();
  } finally {
    if (--drawing === 0) textMetrics.width = guess;
  }
}

/** Looks shared by all charts. */
export const config = {
  font: FONT,
  background: 'white',
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    gridColor: '#e8e8e8',
    domainColor: '#555',
    tickColor: '#555',
    labelColor: '#222',
  },
  title: { fontSize: 13, fontWeight: 'bold', subtitleFontSize: SUBTITLE_SIZE, subtitleColor: '#444', anchor: 'start' },
  legend: { labelFontSize: 12, titleFontSize: 12, symbolOpacity: 1, labelLimit: 400, symbolSize: 160, symbolStrokeWidth: 2 },
  view: { stroke: '#bbb' },
} as const;

export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const compiled = compile({ ...spec, config: { ...config, ...spec.config } });
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: vega.Error });
  const svg = await withMeasuredText(() => view.toSVG());
  view.finalize();
  return svg;
}

/** @param scale  pixels per unit of the SVG */
export function renderPng(svg: string, scale = 2): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: [...FONT_FILES],
      defaultFontFamily: FONT,
    },
  });
  return image.render().asPng();
}
