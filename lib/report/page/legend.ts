/** The legend of the comparisons: the line and mark of each series, as in the charts. */
import { STYLES } from '../../figures/index.js';
import { html, Html } from '../../html.js';
import { labelled } from './labels.js';
import type { Comparison } from '../data/comparison.js';

/** Outlines about the origin, of the size that a mark has in the charts. */
const SHAPES: Readonly<Record<string, string>> = {
  circle: 'M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0',
  square: 'M-3.5,-3.5h7v7h-7z',
  'triangle-up': 'M0,-4.5L4.5,3.5H-4.5z',
  diamond: 'M0,-5L4,0L0,5L-4,0z',
  cross: 'M-4.5,-1.5h3v-3h3v3h3v3h-3v3h-3v-3h-3z',
  'triangle-down': 'M0,4.5L4.5,-3.5H-4.5z',
  'triangle-right': 'M4.5,0L-3.5,4.5V-4.5z',
  'triangle-left': 'M-4.5,0L3.5,4.5V-4.5z',
};

export function legend({ series, omitted }: Comparison): Html {
  if (series.length < 2) return html``;
  const items = series.map((label, i) => html`<li>${swatch(i)} ${labelled(label)}</li>`);
  const more = omitted.series === 0 ? '' : html`<li class="note">and ${omitted.series} more, left out here</li>`;
  return html`<ul class="legend">
    ${items}${more}
  </ul>`;
}

function swatch(index: number): Html {
  const { dash, shape } = STYLES[index];
  const own = `var(--series${index})`;
  return html`<svg width="40" height="14" viewBox="-20 -7 40 14" aria-hidden="true">
    <path d="M-20,0H20" stroke="${own}" stroke-width="2" stroke-dasharray="${dash.join(' ')}" />
    <path d="${SHAPES[shape]}" stroke="${own}" stroke-width="1.6" class="mark" />
  </svg>`;
}
