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

/** How the learning rate of a method was chosen at a condition. */
export interface Searched {
  readonly condition: string;
  readonly method: string;
  /** Learning rates, ascending. */
  readonly tried: readonly number[];
  readonly best: number;
  readonly damping?: { readonly tried: readonly number[]; readonly best: number };
  /** A better one may lie outside of what was tried. */
  readonly atEdge: boolean;
}

/** Methods whose best setting is at the edge of what was searched; '' where there is none. */
export const edgeText = (searches: readonly Searched[]): string =>
  searches
    .filter((s) => s.atEdge)
    .map(({ method, condition }) => `${method} (${condition})`)
    .join('; ');

/** A short program that does the same. */
export interface Script {
  readonly name: string;
  readonly text: string;
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
  readonly searches: readonly Searched[];
  /** To copy and change; null where there is none. */
  readonly script: Script | null;
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
  const { name, title, about, equations, charts, searches, script, command, protocol, config, environment, runs, seconds } = figure;
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
    ${edges(searches)} ${searches.length === 0 ? null : searched(searches)}
    <details>
      <summary>Protocol: seeds, grids, sizes</summary>
      ${json(protocol)}
    </details>
    ${
      script === null
        ? null
        : html`<details>
            <summary>A program to copy and change</summary>
            <p class="quiet">The same in short, <code>${script.name}</code>, for any project in which layerwise is installed:</p>
            <pre tabindex="0">${script.text}</pre>
          </details>`
    }
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

/** Said where it is seen: a better setting may lie outside. */
function edges(searches: readonly Searched[]): Html | null {
  const text = edgeText(searches);
  return text === '' ? null : html`<p class="edge">Best at the edge of what was searched: ${text}.</p>`;
}

function searched(searches: readonly Searched[]): Html {
  const row = ({ condition, method, tried, best, damping, atEdge }: Searched): Html =>
    html`<tr>
      <td>${condition}</td>
      <td>${method}</td>
      <td>
        ${tried.map((rate) => marked(rate, best))}${damping === undefined ? null : html`<br />damping ${damping.tried.map((d) => marked(d, damping.best))}`}
      </td>
      <td>${atEdge ? html`<strong class="no">edge</strong>` : 'inside'}</td>
    </tr>`;
  return html`<details>
    <summary>
      Learning rates searched: ${String(searches.length)} searches, ${String(searches.filter((s) => s.atEdge).length)} best at an edge
    </summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Learning rates searched">
      <table class="searches">
        <thead>
          <tr>
            <th scope="col">condition</th>
            <th scope="col">method</th>
            <th scope="col">tried, the best one marked</th>
            <th scope="col">the best lies</th>
          </tr>
        </thead>
        <tbody>
          ${searches.map(row)}
        </tbody>
      </table>
    </div>
  </details>`;
}

const marked = (value: number, best: number): Html => (value === best ? html`<mark>${shortest(value)}</mark> ` : html`${shortest(value)} `);
/** 0.0009765625 is a power of 2 that nobody has to read. */
const shortest = (x: number): string => String(Number(x.toPrecision(3)));

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
