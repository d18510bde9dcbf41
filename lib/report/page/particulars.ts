/** The end of the page: what failed, where results come from, what was asked for. */
import { stringify as yaml } from 'yaml';
import { stringify } from '../../json.js';
import { valueAt, type Origin } from '../../sweep/index.js';
import type { ReportData } from '../data/reportData.js';
import { html, type Html } from '../../html.js';
import { cut } from './labels.js';
import { keyOf, textOf } from '../words.js';
import { count, counted } from './summary.js';

export function failures({ failures: { total, shown }, axes }: ReportData): Html {
  if (total === 0) return html`<p class="note">None.</p>`;
  const rows = shown.map(
    ({ id, state, message, log, attempts, config }) =>
      html`<tr>
        <td><span class="dot ${state}"></span>${state}</td>
        <td class="text">
          ${cut(message, 160)}
          <details data-key="${id}">
            <summary>log and configuration</summary>
            <p class="note">Trial <code>${id}</code>, ${counted(attempts, 'attempt')}.</p>
            <pre>${log === '' ? 'Its process wrote nothing.' : log}</pre>
            <pre>${stringify(config, 1)}</pre>
          </details>
        </td>
        ${axes.map((path) => html`<td>${cut(textOf(valueAt(config, path)), 24)}</td>`)}
        <td class="number">${config.seed}</td>
      </tr>`,
  );
  const first = shown.length < total ? ` The first ${shown.length} of ${count(total)}.` : '';
  return html`<p class="note">The last attempt of each; they run again when the sweep is resumed.${first}</p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>ended as</th>
            <th>message</th>
            ${axes.map((path) => html`<th title="${path}">${cut(keyOf(path), 24)}</th>`)}
            <th class="number">seed</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

const COLUMNS = ['version', 'commit', 'node', 'cpu', 'blas', 'kernel', 'threads'] as const;

export function origins({ provenances }: ReportData): Html {
  if (provenances.length === 0) return html`<p class="note">No results yet.</p>`;
  const cell = (origin: Origin, key: (typeof COLUMNS)[number]): Html => {
    const value = origin.provenance[key];
    return html`<td>${cut(value === null ? 'not a checkout' : String(value), key === 'commit' ? 12 : 30)}</td>`;
  };
  const several =
    provenances.length > 1 ? html`<p class="note">Results of several origins: they need not agree to the last bit.</p>` : null;
  return html`${several}
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th class="number">results</th>
            ${COLUMNS.map((key) => html`<th>${key}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${provenances.map(
            (origin) =>
              html`<tr>
                <td class="number">${count(origin.results)}</td>
                ${COLUMNS.map((key) => cell(origin, key))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

export const specification = ({ spec }: ReportData): Html =>
  html`<details data-key="specification">
    <summary>As it was planned, with every default filled in</summary>
    <pre>${yaml(spec, { lineWidth: 0 })}</pre>
  </details>`;
