/** A figure's folder: data, pictures, claims and timings, each file whole or not there. */
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '../files.js';
import { stringify } from '../json.js';
import { csv } from '../csv.js';
import type { Claim } from './claims.js';
import { page, type PageFigure } from './page.js';
import { renderPng, renderSvg, type TopLevelSpec } from './render.js';

export interface FigureOutput {
  readonly name: string;
  readonly title: string;
  /** Everything the figure shows and its protocol: a pure function of scale and seed. */
  readonly data: object;
  /** The same curves as rows. */
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  /** Pictures by file name without ending; 'figure' is the main one. */
  readonly charts: Readonly<Record<string, TopLevelSpec>>;
  readonly claims: readonly Claim[];
  /** Wall-clock and provenance: what differs between two equal runs. */
  readonly timings: object;
}

/** Writes DIR/NAME/{data.json, data.csv, timings.json, claims.json, CHART.svg, CHART.png}. @returns the folder and what the page shows */
export async function writeFigure(out: string, figure: FigureOutput): Promise<{ readonly folder: string; readonly page: PageFigure }> {
  const folder = join(out, figure.name);
  makeFolder(folder);
  const put = (name: string, content: string | Uint8Array): void => writeFileAtomic(join(folder, name), content);
  put('data.json', stringify(figure.data, 1) + '\n');
  put('data.csv', csv(figure.rows));
  put('claims.json', stringify(figure.claims, 1) + '\n');
  put('timings.json', stringify(figure.timings, 1) + '\n');
  const svgs: string[] = [];
  for (const [name, spec] of Object.entries(figure.charts)) {
    const svg = await renderSvg(spec);
    svgs.push(svg);
    put(`${name}.svg`, svg);
    put(`${name}.png`, renderPng(svg));
  }
  return { folder, page: { name: figure.name, title: figure.title, claims: figure.claims, svgs } };
}

/** Writes DIR/index.html. @returns its path */
export function writePage(out: string, figures: readonly PageFigure[]): string {
  const path = join(out, 'index.html');
  writeFileAtomic(path, page(figures));
  return path;
}
