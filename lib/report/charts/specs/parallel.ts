import { compiled, signal, type ChartSpec } from './looks.js';

/** A line a setting over upright axes, coloured by how good it is: 0 the worst, 1 the best. */
export function parallel(): ChartSpec {
  const x = { field: 'axis', type: 'quantitative', scale: { domain: signal('xDomain'), nice: false, zero: false }, axis: null };
  const y = { field: 'at', type: 'quantitative', scale: { domain: [0, 1], nice: false }, axis: null };
  const goodness = {
    field: 'goodness',
    type: 'quantitative',
    scale: { domain: [0, 0.9, 0.9, 1], range: ['@line', '@series2', '@series3', '@series3'] },
  };
  const text = { type: 'text', fontSize: 12, color: '@ink', limit: 130 };
  const layer = [
    {
      data: { name: 'lines' },
      mark: { type: 'line', strokeWidth: 1.2, opacity: { expr: 'opacity' } },
      encoding: { x, y, detail: { field: 'line', type: 'nominal' }, color: goodness },
    },
    {
      data: { name: 'axes' },
      mark: { type: 'rule', color: '@ink', opacity: 0.6 },
      encoding: { x, y: { value: 0 }, y2: { value: { expr: 'height' } } },
    },
    { data: { name: 'axes' }, mark: { ...text, dy: -14, fontWeight: 'bold' }, encoding: { x, y: { value: 0 }, text: { field: 'title' } } },
    { data: { name: 'ticks' }, mark: { type: 'tick', orient: 'horizontal', size: 8, color: '@ink' }, encoding: { x, y } },
    {
      data: { name: 'ticks' },
      mark: { ...text, align: 'left', dx: 7, stroke: '@paper', strokeWidth: 3, strokeJoin: 'round' },
      encoding: { x, y, text: { field: 'label' } },
    },
    { data: { name: 'ticks' }, mark: { ...text, align: 'left', dx: 7 }, encoding: { x, y, text: { field: 'label' } } },
  ];
  return compiled(
    { height: 320, layer },
    { lines: ['line', 'axis', 'at', 'goodness'], axes: ['axis', 'title'], ticks: ['axis', 'at', 'label'] },
    ['xDomain', 'opacity'],
  );
}
