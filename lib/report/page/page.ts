/** The page of a sweep: one file that opens from disk and asks nothing of anybody. The charts are drawn by Vega, which it holds. */
import { stringify } from '../../json.js';
import { chartsOf, type Charts } from '../charts/charts.js';
import { chartSpecs, type ChartSpec } from '../charts/specs.js';
import type { ReportData } from '../data/reportData.js';
import { html, type Html } from '../../html.js';
import { policy, scripts } from './scripts.js';
import { sectionsOf } from './sections.js';
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

const sectionHtml = (title: string | undefined, body: Html | null): Html =>
  body === null || title === undefined
    ? html`${body}`
    : html`<h2>${title}</h2>
        ${body}`;

/** @param live  whether a server keeps it up to date (`watch`) */
export function page(data: ReportData, { live = false }: { readonly live?: boolean } = {}): string {
  const content = contentOf(data);
  const { vega, script } = scripts();
  const title = data.name === '' ? 'layerwise' : `${data.name.slice(0, 100)}: layerwise`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy(live)}">
<link rel="icon" href="data:,">
${html`<title>${title}</title>`.text}
<style>${STYLE}</style>
</head>
<body>
${live ? '<div id="live" role="status">...</div>' : ''}
${Object.entries(content.sections)
  .map(([id, text]) => `${id === 'sensitivity' ? CHOICE : ''}<section id="${id}">${text}</section>`)
  .join('\n')}
<div id="pointed" hidden></div>
<script type="application/json" id="report">${stringify(payloadOf(content, live)).replaceAll('<', '\\u003c')}</script>
<script>${vega}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

/** A file gets nothing new: it needs no copy of its sections, and only the specifications that it uses. */
function payloadOf(content: Content, live: boolean): Payload {
  const specs = chartSpecs();
  if (live) return { ...content, specs, live };
  const used = Object.values(content.charts).flatMap(({ views }) => Object.values(views).map(({ spec }) => spec));
  return { ...content, sections: {}, specs: Object.fromEntries(used.map((name) => [name, specs[name]])), live };
}

const CHOICE = '<p class="choice"><label>Metric shown from here on: <select id="metric"></select></label></p>';
