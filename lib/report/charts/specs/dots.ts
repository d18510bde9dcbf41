import { compiled, scaleOf, signal, styled, ticksOf, type ChartSpec, type Scale } from './looks.js';

/** A dot with its interval for each series. */
export function dots(scale: Scale): ChartSpec {
  const y = {
    field: 'label',
    type: 'nominal',
    scale: { domain: signal('yDomain') },
    axis: { title: null, grid: true, labelLimit: 200, tickSize: 0, domain: false, labelPadding: 8 },
  };
  const x = {
    type: 'quantitative',
    scale: { ...scaleOf(scale, 'xDomain') },
    axis: { title: signal('xTitle'), grid: true, ...ticksOf(scale) },
  };
  const color = styled('color');
  const layer = [
    { mark: { type: 'rule', strokeWidth: 2.5 }, encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' }, color } },
    {
      mark: { type: 'point', filled: true, size: 90, opacity: 1, tooltip: { content: 'data' } },
      encoding: { y, x: { ...x, field: 'y' }, color, shape: styled('shape') },
    },
  ];
  return compiled({ height: 100, data: { name: 'rows' }, layer }, { rows: ['series', 'label', 'y', 'low', 'high', 'seeds'] }, [
    'xTitle',
    'xDomain',
    'yDomain',
  ]);
}
