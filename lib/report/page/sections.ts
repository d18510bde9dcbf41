/** The sections of the page, in order. */
import type { Charts } from '../charts/charts.js';
import type { ReportData } from '../data/reportData.js';
import { html, labelled, type Html } from './html.js';
import { legend } from './legend.js';
import { failures, origins, specification } from './particulars.js';
import { head, warnings } from './summary.js';
import { bestTable } from './bestTable.js';

export interface Section {
  readonly id: string;
  /** Undefined for what stands without a heading. */
  readonly title?: string;
  /** Null where there is nothing to show. */
  readonly body: Html | null;
}

export function sectionsOf(data: ReportData, charts: Charts): Section[] {
  return [
    { id: 'head', body: html`${head(data)}${warnings(data)}` },
    { id: 'best', title: 'The best setting of each comparison', body: best(data, charts) },
    { id: 'sensitivity', title: 'What each axis does', body: sensitivity(data, charts) },
    { id: 'curves', title: 'The best settings against steps', body: curves(data, charts) },
    { id: 'parallel', title: 'All settings at once', body: parallel(data, charts) },
    { id: 'failures', title: 'Trials without a result', body: failures(data) },
    { id: 'origins', title: 'Where the results come from', body: origins(data) },
    { id: 'specification', title: 'Specification', body: specification(data) },
  ];
}

const note = (...parts: readonly (Html | string)[]): Html => html`<p class="note">${parts}</p>`;

/** Places for the charts whose names begin so, in the order of their panels. */
function figures(charts: Charts, prefix: string): Html {
  const names = Object.keys(charts).filter((name) => name.startsWith(prefix));
  const one = (name: string): Html => {
    const { caption, height } = charts[name];
    return html`<figure data-chart="${name}" data-height="${height}">
      ${caption === null ? null : html`<figcaption>${labelled(caption)}</figcaption>`}
      <div class="plot"></div>
    </figure>`;
  };
  const layout = names.length === 1 ? ' alone' : names.length === 2 || names.length === 4 ? ' pairs' : '';
  return html`<div class="figures${layout}">${names.map(one)}</div>`;
}

function omittedPanels({ comparison: { omitted } }: ReportData): Html | null {
  return omitted.panels === 0 ? null : note(`${omitted.panels} more combinations have no chart of their own here; the table has them.`);
}

function best(data: ReportData, charts: Charts): Html {
  if (data.objective === null) return note('Nothing has been measured yet.');
  const some = 'best-0' in charts;
  return html`${note('Dots are means over evaluation seeds, lines 95% bootstrap intervals of the mean.')}
  ${some ? figures(charts, 'best-') : note('No evaluation seed has run yet.')} ${omittedPanels(data)}${bestTable(data)}`;
}

function sensitivity(data: ReportData, charts: Charts): Html {
  const { objective, sensitivity: axes, comparison } = data;
  if (objective === null || axes.length === 0) return note('No axis varies beside what is compared.');
  const { metric, goal } = objective;
  const explanation = `Lines show the metric at the setting with the ${goal === 'min' ? 'smallest' : 'largest'} ${metric} among all that have this value on the axis: what the axis allows when everything else is tuned. Bands hold the middle half of those settings: what it gives when nothing is. A setting of which a run did not end well counts as the worst for ${metric}, and not at all for other metrics; a cross at the top marks a value at which no setting ended well.`;
  return html`${note(explanation)}${legend(comparison)}${axes.map(
    ({ path, gathered }, i) =>
      html`<h3><code>${path}</code></h3>
        ${gathered ? note('It has many values: twelve intervals of equal width hold them, each shown at its middle.') : null}${figures(charts, `sensitivity-${i}-`)}`,
  )}${omittedPanels(data)}`;
}

function curves(data: ReportData, charts: Charts): Html {
  if (!('curves-0' in charts)) return note('No curves yet.');
  return html`${note('Means over seeds, with 95% bootstrap bands. Where a run ended early, the mean goes on over the others.')}${legend(data.comparison)}${figures(charts, 'curves-')}${omittedPanels(data)}`;
}

function parallel({ parallel: own, objective, settings }: ReportData, charts: Charts): Html | null {
  if (own === null || objective === null || !('parallel' in charts)) return null;
  const { lines } = own;
  const sample = lines.length < settings ? ` Shown are ${lines.length} of ${settings}: the best 500 and an even sample of the rest.` : '';
  return html`${note(`A line for each setting, from its value on every axis to its ${objective.metric}: the best tenth in orange, the others the bluer the better. Lines that end before the last axis are of settings of which a run did not end well.${sample}`)}
    <div class="wide">${figures(charts, 'parallel')}</div>`;
}
