/** What runs now, as the live page shows it above all else. */
import { duration } from '../../duration.js';
import type { Coordinator } from '../../sweep/index.js';
import { html, type Html } from '../../html.js';
import { cut } from './labels.js';
import { count, counted } from './summary.js';

/** Running trials that are named. */
const MOST_SHOWN = 12;

/** @param planned  trials that have not run yet; @param now  seconds since 1970 */
export function running(live: Coordinator | null, planned: number, now: number): Html {
  if (live === null)
    return planned === 0
      ? html`<strong>Finished:</strong> nothing runs in this store.`
      : html`<strong>Nothing runs</strong> in this store, and ${counted(planned, 'trial')} have not run yet.`;
  const { holder, executor, trials, running: number, eta, done, total } = live;
  const left = eta === undefined || done >= total ? '' : `, about ${duration(eta)} left`;
  const shown = trials.slice(0, MOST_SHOWN);
  const items = shown.map(
    ({ id, since, config }) =>
      html`<li><code>${id.slice(0, 12)}</code> seed ${config.seed}, for ${duration(Math.max(0, now - since))}</li>`,
  );
  const more = number > shown.length && shown.length > 0 ? html`<li>and ${count(number - shown.length)} more</li>` : null;
  return html`<strong>Running:</strong> ${count(done)} of ${count(total)} trials done${left}. Process ${holder.pid} on ${cut(holder.host)}
    runs ${count(number)} at a time
    (${executor === '' ? 'starting' : executor}).${
      items.length === 0
        ? null
        : html`<details data-key="running">
            <summary>trials that run now</summary>
            <ul>
              ${items}${more}
            </ul>
          </details>`
    }`;
}

/** A store that cannot be read. */
export const trouble = (message: string): Html => html`<span class="trouble">${message}</span> What is shown here is from before.`;
