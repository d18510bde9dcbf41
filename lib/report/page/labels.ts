/** Words that may be long, in HTML. */
import { html, type Html } from '../../html.js';
import { shortened, type Label } from '../words.js';

/** A label; the whole of it as the title where it was shortened. */
export const labelled = ({ short, whole }: Label): Html =>
  short === whole ? html`${short}` : html`<span class="cut" title="${whole}">${short}</span>`;

export const cut = (text: string, most?: number): Html => labelled({ short: shortened(text, most), whole: text });
