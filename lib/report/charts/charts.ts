/** All charts of the page: which specification each is drawn by, with which rows, for every metric that can be chosen. */
import type { ReportData } from '../data/reportData.js';
import { bestChart } from './best.js';
import type { Chart } from './chart.js';
import { curvesChart } from './curves.js';
import { parallelChart } from './parallel.js';
import { sensitivityChart } from './sensitivity.js';

export type Charts = Readonly<Record<string, Chart>>;

/** @returns charts by name, in the order of the page: 'best-0' (panel), 'sensitivity-1-0' (axis, panel), 'curves-0', 'parallel' */
export function chartsOf(data: ReportData): Charts {
  const { comparison, sensitivity, parallel } = data;
  const panels = comparison.panels.map((_, panel) => panel);
  const all: (readonly [string, Chart | null])[] = [
    ...panels.map((panel) => [`best-${panel}`, bestChart(data, panel)] as const),
    ...sensitivity.flatMap((axis, i) => panels.map((panel) => [`sensitivity-${i}-${panel}`, sensitivityChart(data, axis, panel)] as const)),
    ...panels.map((panel) => [`curves-${panel}`, curvesChart(data, panel)] as const),
    ['parallel', parallel === null ? null : parallelChart(parallel)],
  ];
  return Object.fromEntries(all.filter((entry): entry is [string, Chart] => entry[1] !== null));
}
