/** One figure on the page: its charts, what it asks, how it was made, and how to make it again. */
import { html, Html } from '../../html.js';
import { stringify } from '../../json.js';
import type { InteractiveChart } from '../interactive.js';
import type { Claim } from '../claims.js';

/** An equation in MathML, with words before it. */
export interface Equation {
  readonly words: string;
  readonly mathml: string;
}

export interface PageChart extends InteractiveChart {
  readonly name: string;
  readonly svg: string;
}

export interface PageFigure {
  readonly name: string;
  readonly title: string;
  readonly claims: readonly Claim[];
  readonly charts: readonly PageChart[];
  /** What it asks and how it goes about it, a paragraph each. */
  readonly about: readonly string[];
  readonly equations: readonly Equation[];
  /** The data as a table. */
  readonly csv: string;
  /** The command that makes it again. */
  readonly command: string;
  /** Seeds, grids and sizes. */
  readonly protocol: object;
  /** Of one of its runs. */
  readonly config: object;
  readonly environment: object;
  readonly runs: number;
  /** Seconds of training that the runs took together, on one thread. */
  readonly seconds: number;
}

const json = (value: object): Html => html`<pre tabindex="0">${stringify(value, 1)}</pre>`;

export function figureSection(figure: PageFigure): Html {
  const { name, title, about, equations, charts, command, protocol, config, environment, runs, seconds } = figure;
  return html`<section id="${name}" aria-labelledby="${name}-title">
    <h2 id="${name}-title">${title}</h2>
    ${about.map((paragraph) => html`<p>${paragraph}</p>`)} ${charts.map((chart) => chartFigure(figure, chart))}
    ${
      equations.length === 0
        ? null
        : html`<details open>
            <summary>Equations</summary>
            ${equations.map(
              ({ words, mathml }) =>
                html`<p>${words}</p>
                  ${new Html(mathml)}`,
            )}
          </details>`
    }
    <details>
      <summary>Protocol: seeds, grids, sizes</summary>
      ${json(protocol)}
    </details>
    <details>
      <summary>How to make it again</summary>
      <pre tabindex="0">${command}</pre>
      <p class="quiet">
        ${runs} runs, ${seconds < 100 ? seconds.toFixed(0) : (60 * Math.round(seconds / 60)).toFixed(0)} seconds of training in all. The
        configuration of one of them, for <code>layerwise run</code>:
      </p>
      ${json(config)}
      <p class="quiet">Made with:</p>
      ${json(environment)}
    </details>
  </section>`;
}

function chartFigure({ name, title }: PageFigure, chart: PageChart): Html {
  const id = `${name}-${chart.name}`;
  const toggles =
    chart.series.length < 2
      ? null
      : html`<ul class="toggles" aria-label="Series shown">
          ${chart.series.map(
            ({ name: series, color }) =>
              html`<li>
                <button type="button" aria-pressed="true" data-series="${series}">
                  <span class="swatch" data-color="${color}"></span>${series}
                </button>
              </li>`,
          )}
        </ul>`;
  return html`<figure data-chart="${id}" aria-label="${title}">
    ${toggles}
    <div class="plot" tabindex="0" role="img" aria-label="${title}: chart ${chart.name}; its numbers are in the CSV below">
      ${new Html(unique(chart.svg, `${id}-`).replace('<svg ', '<svg aria-hidden="true" '))}
    </div>
    <div class="tools">
      <button type="button" data-save="svg">SVG</button>
      <button type="button" data-save="png">PNG</button>
      <button type="button" data-save="csv">CSV</button>
      <button type="button" data-reset>Reset zoom</button>
    </div>
  </figure>`;
}

/** Ids inside an SVG (clip paths, gradients) must stay its own once several stand on one page. */
function unique(svg: string, prefix: string): string {
  return svg
    .replace(/\bid="/g, `id="${prefix}`)
    .replace(/url\(#/g, `url(#${prefix}`)
    .replace(/href="#/g, `href="#${prefix}`);
}
