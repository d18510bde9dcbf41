/** A figure's folder: data, pictures, claims and timings, each file whole or not there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '../files.js';
import { parse, stringify } from '../json.js';
import { csv } from '../csv.js';
import type { Claim } from './claims.js';
import temml from 'temml';
import { interactive } from './interactive.js';
import type { PageChart, PageFigure } from './page/figure.js';
import { page } from './page/page.js';
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
  /** For the page alone. */
  readonly page: Omit<PageFigure, 'name' | 'title' | 'claims' | 'charts' | 'csv' | 'equations'> & {
    readonly equations: readonly TexEquation[];
  };
}

/** An equation in TeX, with words before it. */
export interface TexEquation {
  readonly words: string;
  readonly tex: string;
}

/** What the page has of a figure, in its folder; the number grows with what is in it. */
const PAGE = { file: 'page.json', version: 2 } as const;

interface PagePart {
  readonly version: number;
  readonly figure: PageFigure;
}

/** Writes DIR/NAME/{data.json, data.csv, timings.json, claims.json, page.json, CHART.svg, CHART.png}. @returns the folder */
export async function writeFigure(out: string, figure: FigureOutput): Promise<string> {
  const folder = join(out, figure.name);
  makeFolder(folder);
  const put = (name: string, content: string | Uint8Array): void => writeFileAtomic(join(folder, name), content);
  put('data.json', stringify(figure.data, 1) + '\n');
  const table = csv(figure.rows);
  put('data.csv', table);
  put('claims.json', stringify(figure.claims, 1) + '\n');
  put('timings.json', stringify(figure.timings, 1) + '\n');
  const charts: PageChart[] = [];
  for (const [name, spec] of Object.entries(figure.charts)) {
    const svg = await renderSvg(spec);
    charts.push({ name, svg, ...interactive(spec) });
    put(`${name}.svg`, svg);
    put(`${name}.png`, renderPng(svg));
  }
  const equations = figure.page.equations.map(({ words, tex }) => ({ words, mathml: mathml(tex) }));
  const { name, title, claims } = figure;
  const whole: PageFigure = { ...figure.page, name, title, claims, charts, csv: table, equations };
  put(PAGE.file, `${stringify({ version: PAGE.version, figure: whole } satisfies PagePart)}\n`);
  return folder;
}

/** Without the styles that stand in it, which the page's policy does not let in: browsers set equations well without. */
const mathml = (tex: string): string => temml.renderToString(tex, { displayMode: true, throwOnError: true }).replace(/ style="[^"]*"/g, '');

/** A figure's part of the page, or why it cannot be shown. */
function readPart(
  path: string,
): { readonly figure: PageFigure; readonly why?: undefined } | { readonly figure?: undefined; readonly why: string } {
  try {
    const { version, figure } = parse(readFileSync(path, 'utf8')) as PagePart;
    return version === PAGE.version ? { figure } : { why: 'it was drawn by another version of layerwise' };
  } catch {
    return { why: `its file ${PAGE.file} is damaged` };
  }
}

/** Writes DIR/index.html of the figures of these names that are in DIR, those of earlier calls too, in this order. @returns its path */
export function writePage(out: string, names: readonly string[], leftOut: readonly { name: string; why: string }[] = []): string {
  const missing = [...leftOut];
  const figures = names.flatMap((name): PageFigure[] => {
    const part = join(out, name, PAGE.file);
    if (!existsSync(part)) return [];
    const { figure, why } = readPart(part);
    if (figure !== undefined) return [figure];
    missing.push({ name, why: `${why}; make it again, its runs are kept` });
    return [];
  });
  const path = join(out, 'index.html');
  writeFileAtomic(path, page(figures, missing));
  return path;
}
