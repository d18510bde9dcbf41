/** How series are told apart, in every chart of the package. */

export interface Style {
  /** On white. */
  readonly color: string;
  /** On a dark ground. */
  readonly dark: string;
  readonly dash: readonly number[];
  readonly shape: string;
}

/** Eight styles that stay apart in greyscale and for the colour-blind: colours of eight lightnesses, found by search for the largest least
 *  difference between any two as seen with normal, red-, green- and blue-blind eyes and in grey; each with a dash or a mark of its own.
 *  test/figures/styles.test.ts measures them. */
export const STYLES: readonly Style[] = [
  { color: '#000000', dark: '#ededed', dash: [], shape: 'circle' },
  { color: '#73180f', dark: '#cb6f60', dash: [6, 3], shape: 'square' },
  { color: '#3078e0', dark: '#6d76b4', dash: [], shape: 'triangle-up' },
  { color: '#bf7f29', dark: '#ae983b', dash: [2, 2], shape: 'diamond' },
  { color: '#00cbfb', dark: '#83c5f9', dash: [8, 3, 2, 3], shape: 'cross' },
  { color: '#5db284', dark: '#c1dfa1', dash: [4, 2], shape: 'triangle-down' },
  { color: '#c6127f', dark: '#e095b6', dash: [1, 3], shape: 'triangle-right' },
  { color: '#555555', dark: '#6d6d6d', dash: [10, 4], shape: 'triangle-left' },
];

/** Of charts without series: an accent for what is measured, and one that stands out from it. */
export const ACCENT = STYLES[2];
export const CONTRAST = STYLES[1];

/** A part of the first styles, for the range of a scale. */
export const rangeOf = <P extends keyof Style>(part: P, count: number = STYLES.length): Style[P][] =>
  STYLES.slice(0, count).map((s) => s[part]);
