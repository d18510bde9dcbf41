/** DIR/index.html: every figure of a run on one self-contained page, claims first. It makes no request to anywhere. */
import { measuredText, type Claim } from './claims.js';

export interface PageFigure {
  readonly name: string;
  readonly title: string;
  readonly claims: readonly Claim[];
  /** SVG text of its charts, in order. */
  readonly svgs: readonly string[];
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #d8d8d8; --good: #0a6b3d; --bad: #9a4a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #161616; --line: #3a3a3a; --good: #5fd39a; --bad: #f0a860; } }
body { margin: 0 auto; max-width: 960px; padding: 1.5rem 1rem 4rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .5rem .6rem; border-bottom: 1px solid var(--line); }
.measured { display: block; font-size: .85rem; opacity: .8; font-variant-numeric: tabular-nums; }
.yes { color: var(--good); } .no { color: var(--bad); } .yes, .no { font-weight: 600; white-space: nowrap; }
figure { margin: 1.5rem 0; overflow-x: auto; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
figure svg { display: block; width: 100%; height: auto; min-width: 620px; }
@media (max-width: 560px) { tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); } td { display: block; border: 0; padding: .1rem 0; } thead { display: none; } }
`;

export function page(figures: readonly PageFigure[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>layerwise: figures</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Layer-wise preconditioning and feature learning: figures and verdicts</h1>
${figures.map(section).join('\n')}
</body>
</html>
`;
}

function section({ name, title, claims, svgs }: PageFigure): string {
  const rows = claims.map(
    (c) =>
      `<tr><td>${escape(c.id)}</td><td>${escape(c.statement)}<span class="measured">Rule: ${escape(c.rule)}.</span><span class="measured">${c.measured.map((m) => escape(measuredText(m))).join('; ')}</span></td><td class="${c.verdict === 'REPRODUCED' ? 'yes' : 'no'}">${c.verdict}</td></tr>`,
  );
  return `<section>
<h2>${escape(title)} <small>(<code>layerwise figures ${escape(name)}</code>)</small></h2>
<table><thead><tr><th></th><th>claim, rule and measurement</th><th>verdict</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table>
${svgs.map((svg, i) => `<figure>${unique(svg, `${name}-${i}-`)}</figure>`).join('\n')}
</section>`;
}

/** Ids inside an SVG (clip paths, gradients) must stay its own once several stand on one page. */
function unique(svg: string, prefix: string): string {
  return svg
    .replace(/\bid="/g, `id="${prefix}`)
    .replace(/url\(#/g, `url(#${prefix}`)
    .replace(/href="#/g, `href="#${prefix}`);
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
