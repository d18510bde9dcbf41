import { compiled, scaleOf, signal, styled, ticksOf, type ChartSpec, type Scale } from './looks.js';

const points = { type: 'point', filled: false, strokeWidth: 1.6 } as const;
const CROSS = 'M-1,-1L1,1M-1,1L1,-1';

/** Lines with bands: `y` against `x`, from `low` to `high`; marks with bars over categories, which have no order. A row without `y` is marked `top` pixels from the top.
 *  @param more  names of further values, for those who point at a mark */
export function lines(xScale: Scale | 'category', yScale: Scale, more: readonly string[]): ChartSpec {
  const axis = xScale === 'category' ? categories() : { x: numbers(xScale) };
  const y = { field: 'y', type: 'quantitative', scale: scaleOf(yScale, 'yDomain'), axis: { title: signal('yTitle'), ...ticksOf(yScale) } };
  const color = styled('color');
  const band =
    xScale === 'category' ? { type: 'rule', strokeWidth: 7, opacity: 0.25, clip: true } : { type: 'area', opacity: 0.15, clip: true };
  const top = { field: 'top', type: 'quantitative', scale: null, axis: null };
  const layer = [
    { mark: band, encoding: { ...axis, y: { ...y, field: 'low' }, y2: { field: 'high' }, color } },
    ...(xScale === 'category'
      ? []
      : [{ mark: { type: 'line', strokeWidth: 2, clip: true }, encoding: { ...axis, y, color, strokeDash: styled('dash') } }]),
    { transform: [{ filter: 'datum.marked' }], mark: { ...points, size: 46 }, encoding: { ...axis, y, color, shape: styled('shape') } },
    { mark: { ...points, filled: true, size: 110, opacity: 0, tooltip: { content: 'data' } }, encoding: { ...axis, y } },
    {
      transform: [{ filter: 'datum.y === null' }],
      mark: { ...points, size: 46, tooltip: { content: 'data' } },
      encoding: { ...axis, y: top, color, shape: { value: CROSS } },
    },
  ];
  const columns = { rows: ['series', 'x', 'y', 'low', 'high', 'marked', ...more] };
  const own = xScale === 'category' ? ['seriesDomain', 'angle'] : [];
  return compiled({ height: 220, data: { name: 'rows' }, layer }, columns, ['xTitle', 'yTitle', 'xDomain', 'yDomain', ...own]);
}

const numbers = (scale: Scale): object => ({
  field: 'x',
  type: 'quantitative',
  scale: scaleOf(scale, 'xDomain'),
  axis: { title: signal('xTitle'), grid: false, ...ticksOf(scale) },
});

/** Side by side within a category, so that bands do not cover each other. */
const categories = (): { readonly x: object; readonly xOffset: object } => ({
  x: {
    field: 'x',
    type: 'nominal',
    scale: { domain: signal('xDomain'), type: 'band', paddingInner: 0.4, paddingOuter: 0.2 },
    axis: {
      title: signal('xTitle'),
      grid: false,
      labelAngle: signal('angle'),
      labelLimit: 110,
      labelOverlap: signal("width / length(xDomain) > 16 ? false : 'greedy'"),
    },
  },
  xOffset: { field: 'series', type: 'nominal', scale: { domain: signal('seriesDomain'), type: 'point', padding: 0.5 } },
});
