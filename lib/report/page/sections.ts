/** The sections of the page, in order. */
import type { Charts } from '../charts/charts.js';
import type { ReportData } from '../data/reportData.js';
import type { Sensitivity } from '../data/sensitivity.js';
import { html, type Html } from '../../html.js';
import { cut, labelled } from './labels.js';
import { legend } from './legend.js';
import { failures, origins, specification } from './particulars.js';
import { count, head, warnings } from './summary.js';
import { shortened } from '../words.js';
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

const note = (...parts: readonly (Html | string | null)[]): Html => html`<p class="note">${parts}</p>`;

/** Places for the charts whose names begin so, in the order of their panels.
 *  @param what  is drawn, for those who cannot see it; @returns null where there are none */
function figures(charts: Charts, prefix: string, what: string): Html | null {
  const names = Object.keys(charts).filter((name) => name.startsWith(prefix));
  if (names.length === 0) return null;
  const one = (name: string): Html => {
    const { caption, height } = charts[name];
    const label = caption === null ? what : `${what}, ${caption.short}`;
    return html`<figure data-chart="${name}" data-height="${height}">
      ${caption === null ? null : html`<figcaption>${labelled(caption)}</figcaption>`}
      <div class="plot" role="img" aria-label="${label}"></div>
    </figure>`;
  };
  const layout = names.length === 1 ? ' alone' : names.length === 2 || names.length === 4 ? ' pairs' : '';
  return html`<div class="figures${layout}">${names.map(one)}</div>`;
}

function omittedPanels({ comparison: { omitted } }: ReportData): Html | null {
  return omitted.panels === 0 ? null : note(`${omitted.panels} more combinations have no chart of their own here; the table has them.`);
}

function best(data: ReportData, charts: Charts): Html {
  const { objective } = data;
  if (objective === null) return note('Nothing has been measured yet.');
  const drawn = figures(charts, 'best-', `${shortened(objective.metric)} of the best settings`);
  return html`${note('Dots are means over evaluation seeds, lines 95% bootstrap intervals of the mean.')}
  ${drawn ?? note('No evaluation seed has run yet.')} ${omittedPanels(data)}${bestTable(data)}`;
}

function sensitivity(data: ReportData, charts: Charts): Html {
  const { objective, sensitivity: axes, comparison } = data;
  if (objective === null || axes.length === 0) return note('No axis varies beside what is compared.');
  const metric = shortened(objective.metric);
  const banded = axes.some(({ points }) => points[objective.metric].some(({ settings }) => settings > 1));
  const extreme = objective.goal === 'min' ? 'smallest' : 'largest';
  return html`${note(
    `Lines and marks show the metric at the setting with the ${extreme} ${metric} among all that have this value on the axis: what the axis allows when everything else is tuned. `,
    banded
      ? `Bands and bars hold the middle half of those settings: what it gives when nothing is tuned. There, a setting of which a run did not end well counts as the worst for ${metric}, and not at all for other metrics. `
      : null,
    'A cross at the top marks a value at which no setting ended well.',
  )}${legend(comparison)}${axes.map((axis, i) => sensitivityOf(axis, figures(charts, `sensitivity-${i}-`, `the metric against ${shortened(axis.path)}`)))}${omittedPanels(data)}`;
}

const sensitivityOf = ({ path, gathered }: Sensitivity, drawn: Html | null): Html =>
  html`<h3><code>${cut(path, 80)}</code></h3>
    ${gathered ? note('It has many values: twelve intervals of equal width hold them, each shown at its middle.') : null}${drawn}`;

function curves(data: ReportData, charts: Charts): Html {
  const drawn = figures(charts, 'curves-', 'the metric of the best settings against steps');
  if (drawn === null) return note('No curves yet.');
  return html`${note('Means over seeds, with 95% bootstrap bands. Where a run ended early, the mean goes on over the others.')}
  ${legend(data.comparison)}${drawn}${omittedPanels(data)}`;
}

function parallel({ parallel: own, objective, settings }: ReportData, charts: Charts): Html | null {
  if (own === null || objective === null) return null;
  const shown = own.lines.length;
  return html`${note(
      `A line for each setting, from its value on every axis to its ${shortened(objective.metric)}: the best tenth in orange, the others the bluer the better. Lines that end before the last axis are of settings of which a run did not end well.`,
      shown < settings ? ` Shown are ${count(shown)} of ${count(settings)}: the best 500 and an even sample of the rest.` : null,
    )}
    <div class="wide">${figures(charts, 'parallel', 'every setting as a line over all axes')}</div>`;
}
