import type { Parallel } from '../data/parallel.js';
import { shortened } from '../words.js';
import type { Chart, Row } from './chart.js';
import { rounded } from './domains.js';

/** Characters of a label between two axes. */
const MOST = 22;

/** Lines from which on they must let others shine through. */
const MANY = 60;

/** Every setting as a line over all axes. */
export function parallelChart({ axes, lines }: Parallel): Chart {
  // The best ones are drawn last, over all others.
  const rows = lines.toReversed().flatMap((heights, line) => {
    const goodness = lines.length < 2 ? 1 : rounded(line / (lines.length - 1));
    return heights.flatMap((at, axis): Row[] => (at === null ? [] : [[line, axis, at, goodness]]));
  });
  const view = {
    spec: 'parallel' as const,
    signals: { xDomain: [-0.1, axes.length - 1 + 0.45], opacity: lines.length > MANY ? 0.45 : 0.9 },
    data: {
      lines: rows,
      axes: axes.map(({ name }, axis) => [axis, shortened(name, MOST)]),
      ticks: axes.flatMap(({ ticks }, axis) => ticks.map(({ at, label }) => [axis, at, shortened(label.short, MOST)])),
    },
    words: { x: '', y: '', range: '' },
  };
  return { caption: null, height: 320, views: { '': view } };
}
