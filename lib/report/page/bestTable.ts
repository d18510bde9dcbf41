/** The winners as a table. */
import type { ReportData } from '../data/reportData.js';
import { html, type Html } from '../../html.js';
import { cut } from './labels.js';
import { count } from './summary.js';
import { keyOf, numberText, textOf } from '../words.js';

/** Rows of the table: the JSON has all. */
const MOST_ROWS = 200;

export function bestTable({ best, objective, comparison }: ReportData): Html {
  if (objective === null || best.length === 0) return html``;
  const axes = Object.keys(best[0].setting);
  const column = (path: string): Html => html`<th title="${path}">${cut(keyOf(path), 24)}</th>`;
  const shown = best.slice(0, MOST_ROWS);
  const rows = shown.map(({ group, setting, mean, low, high, seeds, score, among, chosenOn }) => {
    const interval = seeds > 1 ? `${numberText(low)} to ${numberText(high)}` : seeds === 1 ? 'one seed only' : 'not run yet';
    return html`<tr>
      ${comparison.per.map((path) => html`<td>${cellOf(group[path])}</td>`)}${axes.map((path) => html`<td>${cellOf(setting[path])}</td>`)}
      <td class="number">${seeds > 0 ? numberText(mean) : ''}</td>
      <td class="number">${interval}</td>
      <td class="number">${seeds}</td>
      <td>${count(among)} on ${chosenOn} seeds${chosenOn === 'tuning' ? `, where it had ${numberText(score)}` : ''}</td>
    </tr>`;
  });
  const more = best.length > shown.length ? html`<p class="note">The first ${shown.length} of ${best.length}.</p>` : null;
  return html`<div class="scroll">
      <table>
        <thead>
          <tr>
            ${comparison.per.map(column)}${axes.map(column)}
            <th class="number">${cut(objective.metric)}</th>
            <th class="number">95% interval</th>
            <th class="number">seeds</th>
            <th>chosen from</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${more}`;
}

const cellOf = (value: unknown): Html =>
  typeof value === 'number' ? html`<span class="number">${numberText(value)}</span>` : cut(textOf(value));
