/** DIR/index.html: every figure on one self-contained page, claims first. It makes no request to anywhere. */
import { html, type Html } from '../../html.js';
import { inlineScript, policy, vegaScript } from '../../inline.js';
import { stringify } from '../../json.js';
import { measuredText } from '../claims.js';
import { figureSection, type PageFigure } from './figure.js';
import { STYLE } from './style.js';

/** @param leftOut  figures that are not there, and why */
export function page(figures: readonly PageFigure[], leftOut: readonly { readonly name: string; readonly why: string }[] = []): string {
  const [vega, draw] = [vegaScript(), inlineScript(new URL('../browser/draw.js', import.meta.url))];
  const charts = Object.fromEntries(figures.flatMap((f) => f.charts.map((c) => [`${f.name}-${c.name}`, c.vega])));
  const tables = Object.fromEntries(figures.map((f) => [f.name, f.csv]));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy({ scripts: [vega, draw], style: STYLE })}">
<link rel="icon" href="data:,">
<title>Layer-wise preconditioning and feature learning</title>
<style>${STYLE}</style>
</head>
<body>
${
  html`<a class="skip" href="#figures">To the figures</a>
    <header>
      <h1>Layer-wise preconditioning and feature learning: claims and figures</h1>
      <p>
        What Zhang, Moniri and others claim in &ldquo;On the Concurrence of Layer-wise Preconditioning Methods and Provable Feature
        Learning&rdquo; (ICML 2025), measured. Every claim has a rule that was written down with it; intervals are over seeds.
      </p>
    </header>
    <main>
      ${claimsTable(figures)} ${leftOut.map(({ name, why }) => html`<p class="quiet">${name} is not here: ${why}</p>`)}
      <div id="figures">${figures.map(figureSection)}</div>
    </main>`.text
}
<div id="pointed" hidden></div>
<script type="application/json" id="payload">${stringify({ charts, tables }).replaceAll('<', '\\u003c')}</script>
<script>${vega}</script>
<script type="module">${draw}</script>
</body>
</html>
`;
}

function claimsTable(figures: readonly PageFigure[]): Html {
  const rows = figures.flatMap(({ name, title, claims }) =>
    claims.map(
      (c) =>
        html`<tr>
          <td><a href="#${name}" title="${title}">${c.id}</a></td>
          <td>
            ${c.statement}
            <span class="measured">Rule: ${c.rule}.</span>
            <span class="measured">${c.measured.map(measuredText).join('; ')}</span>
          </td>
          <td class="${c.verdict === 'REPRODUCED' ? 'yes' : 'no'}">${c.verdict}</td>
        </tr>`,
    ),
  );
  const all = figures.flatMap((f) => f.claims);
  const good = all.filter((c) => c.verdict === 'REPRODUCED').length;
  return html`<h2 id="claims">Claims</h2>
    <p>${good} of ${all.length} reproduced.</p>
    <table class="claims">
      <thead>
        <tr>
          <th scope="col">Claim</th>
          <th scope="col">Statement, rule and measurement</th>
          <th scope="col">Verdict</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`;
}
