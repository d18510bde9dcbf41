/** Vega-Lite specifications to SVG and PNG, without a browser. Equal specifications give equal bytes. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export type { TopLevelSpec };

const FONT = 'DejaVu Sans';
const fontFolder = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');

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
  title: { fontSize: 13, fontWeight: 'bold', subtitleFontSize: 11, subtitleColor: '#444', anchor: 'start' },
  legend: { labelFontSize: 12, titleFontSize: 12, symbolOpacity: 1, labelLimit: 400, symbolSize: 160, symbolStrokeWidth: 2 },
  view: { stroke: '#bbb' },
} as const;

export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const compiled = compile({ ...spec, config: { ...config, ...spec.config } });
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: vega.Error });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** @param scale  pixels per unit of the SVG */
export function renderPng(svg: string, scale = 2): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((f) => join(fontFolder, f)),
      defaultFontFamily: FONT,
    },
  });
  return image.render().asPng();
}
