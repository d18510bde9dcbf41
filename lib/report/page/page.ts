/** The page of a sweep: one file that opens from disk and asks nothing of anybody. The charts are drawn by Vega, which it holds. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stringify } from '../json.js';
import { chartsOf, type Charts } from './charts.js';
import type { ReportData } from './data.js';
import { html, type Html } from './html.js';
import { sectionsOf } from './sections.js';
import { chartSpecs, type ChartSpec } from './specs.js';
import { STYLE } from './style.js';

/** What the script of the page works from, and what it asks for again where the page is live. */
export interface Content {
  readonly series: readonly string[];
  readonly metrics: readonly string[];
  readonly charts: Charts;
  /** Section -> HTML. */
  readonly sections: Readonly<Record<string, string>>;
}

/** What is in the page itself. */
export interface Payload extends Content {
  readonly specs: Readonly<Record<string, ChartSpec>>;
  readonly live: boolean;
}

export function contentOf(data: ReportData): Content {
  const charts = chartsOf(data);
  const sections = sectionsOf(data, charts).map(({ id, title, body }) => [id, sectionHtml(title, body).text]);
  return {
    series: data.comparison.series.map(({ whole }) => whole),
    metrics: data.metrics,
    charts,
    sections: Object.fromEntries(sections) as Record<string, string>,
  };
}

const sectionHtml = (title: string | undefined, body: Html): Html =>
  title === undefined
    ? body
    : html`<h2>${title}</h2>
        ${body}`;

/** @param live  whether a server keeps it up to date (`watch`) */
export function page(data: ReportData, { live = false }: { readonly live?: boolean } = {}): string {
  const content = contentOf(data);
  const { vega, script } = scripts();
  // A live page compares what comes with what it has; a file never gets anything new.
  const payload: Payload = { ...content, ...(live ? {} : { sections: {} }), specs: chartSpecs(), live };
  const used = new Set(Object.values(content.charts).flatMap(({ views }) => Object.values(views).map(({ spec }) => spec)));
  const specs = live ? payload.specs : Object.fromEntries(Object.entries(payload.specs).filter(([name]) => used.has(name as never)));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy(live)}">
<link rel="icon" href="data:,">
${html`<title>${data.name === '' ? 'layerwise' : `${data.name.slice(0, 100)}: layerwise`}</title>`.text}
<style>${STYLE}</style>
</head>
<body>
${live ? '<div id="live" role="status">...</div>' : ''}
${Object.entries(content.sections)
  .map(([id, text]) => `${id === 'sensitivity' ? CHOICE : ''}<section id="${id}">${text}</section>`)
  .join('\n')}
<div id="pointed" hidden></div>
<script type="application/json" id="report">${stringify({ ...payload, specs }).replaceAll('<', '\\u003c')}</script>
<script>${vega}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

const CHOICE = '<p class="choice"><label>Metric shown from here on: <select id="metric"></select></label></p>';

interface Scripts {
  readonly vega: string;
  readonly script: string;
}
let held: Scripts | undefined;

function scripts(): Scripts {
  const vega = join(dirname(createRequire(import.meta.url).resolve('vega')), 'vega.min.js');
  const [library, own] = [readFileSync(vega, 'utf8'), readFileSync(new URL('./browser/draw.js', import.meta.url), 'utf8')];
  return (held ??= { vega: inline(library), script: inline(own) });
}

/** As it may stand between script tags. A source map would be asked for by its address. */
const inline = (script: string): string => script.replace(/^\/\/# sourceMappingURL=.*$/gm, '').replace(/<\/script/gi, '<\\/script');

/** Nothing is loaded from anywhere, and no script runs but the two that are here: Vega compiles expressions of the specifications, which
 *  hold no words of a store. */
export function policy(live: boolean): string {
  const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const { vega, script } = scripts();
  const parts = [
    "default-src 'none'",
    `script-src ${digest(vega)} ${digest(script)} 'unsafe-eval'`,
    `style-src ${digest(STYLE)}`,
    'img-src data:',
    ...(live ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return parts.join('; ');
}
