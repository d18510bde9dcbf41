/** The top of the page: what the sweep is, how far it got, and what to beware of. */
import { duration } from '../../duration.js';
import { TRIAL_STATES, type TrialState } from '../../sweep/index.js';
import type { ReportData } from '../data/reportData.js';
import { html, type Html } from '../../html.js';
import { cut } from './labels.js';

const WORDS: Readonly<Record<TrialState, string>> = {
  done: 'done',
  diverged: 'diverged: the loss left all bounds',
  failed: 'failed: an update could not be computed',
  pruned: 'pruned: ended early for being worse than others',
  error: 'threw an error',
  timeout: 'ran out of time',
  memory: 'ran out of memory',
  crashed: 'crashed',
  lost: 'lost with their process or machine',
  planned: 'not run yet',
};

export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
export const counted = (n: number, word: string): string => `${count(n)} ${word}${n === 1 ? '' : 's'}`;

export function head(data: ReportData): Html {
  const { name, status, settings, objective, spec } = data;
  if (status.sweep === null)
    return html`<h1>An empty store</h1>
      <p>Nothing has been planned here.</p>`;
  const { planned, states, seconds } = status;
  const present = TRIAL_STATES.filter((state) => states[state] > 0);
  return html`<h1>${cut(name, 80)}</h1>
    <p>
      ${counted(planned, 'trial')}, ${counted(settings, 'setting')} of which something
      ran${seconds > 0 ? `, ${duration(seconds)} of computing` : ''}.
      ${typeof spec['experiment'] === 'string' ? html`Experiment: <code>${cut(spec['experiment'])}</code>.` : null}
      ${objective === null ? null : html`Judged by <strong>${cut(objective.metric)}</strong>, ${objectiveText(objective)}.`}
    </p>
    ${bar(present, states, planned)}
    <ul class="states">
      ${present.map((state) => html`<li><span class="dot ${state}"></span>${count(states[state])} ${WORDS[state]}</li>`)}
    </ul>`;
}

const objectiveText = ({ goal, at }: NonNullable<ReportData['objective']>): string =>
  `${at === 'last' ? 'its last value' : at === 'best' ? 'its best value' : `its value at step ${at}`}, the ${goal === 'min' ? 'smaller' : 'larger'} the better`;

/** Shares of the states, a strip of 1000 units. */
function bar(present: readonly TrialState[], states: Readonly<Record<TrialState, number>>, planned: number): Html {
  let at = 0;
  const parts = present.map((state) => {
    const width = (1000 * states[state]) / planned;
    const part = html`<rect x="${at}" width="${width}" height="8" class="${state}" />`;
    at += width;
    return part;
  });
  return html`<svg class="bar" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label="shares of the states">${parts}</svg>`;
}

/** What a reader would want to know before believing the rest. */
export function warnings({ objective, assumed, best, status, failures, otherMetrics, metrics }: ReportData): Html {
  const all: (Html | string)[] = [];
  if (objective !== null && assumed)
    all.push(
      html`The specification names no objective. <strong>${cut(objective.metric)}</strong> stands in for it, the smaller the better.`,
    );
  if (best.some(({ chosenOn, among, seeds }) => chosenOn === 'evaluation' && among > 1 && seeds > 0))
    all.push(
      html`The best settings were chosen on the very seeds they are reported on: the best of many looks better than it is. Give the
        specification seeds to choose on, <code>seeds: { tuning: 5, evaluation: 10 }</code>, for numbers to report.`,
    );
  if (best.some(({ seeds }) => seeds > 0 && seeds < 5)) all.push('Some intervals rest on fewer than five seeds: they are too narrow.');
  if (status.differing > 0) all.push(`${counted(status.differing, 'result')} came again and differed: something does not repeat.`);
  if (failures.total > 0) all.push(`${counted(failures.total, 'trial')} ended without a result; their logs are below.`);
  if (otherMetrics > 0) all.push(`Of ${metrics.length + otherMetrics} metrics, the first ${metrics.length} can be chosen here.`);
  return all.length === 0
    ? html``
    : html`<ul class="warnings">
        ${all.map((text) => html`<li>${text}</li>`)}
      </ul>`;
}
