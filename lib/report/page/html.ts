/** HTML in which every string is text unless it was made here. */
import { shortened, type Label } from '../words.js';

export class Html {
  readonly text: string;

  /** Use the tag `html`. */
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Part[] | null | undefined;

/** html`<td>${anything}</td>`: strings are escaped, lists joined, null and undefined left out. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, i) => (i === 0 ? text : `${textOf(parts[i - 1])}${text}`)).join(''));
}

const textOf = (part: Part): string => {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(textOf).join('') : escape(String(part));
};

const escape = (text: string): string => text.replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A label; the whole of it as the title where it was shortened. */
export const labelled = ({ short, whole }: Label): Html =>
  short === whole ? html`${short}` : html`<span class="cut" title="${whole}">${short}</span>`;

export const cut = (text: string, most?: number): Html => labelled({ short: shortened(text, most), whole: text });
