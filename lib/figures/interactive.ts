/** What a chart becomes on the page: the same specification with a signal that hides series, values to point at, and zoom by dragging. */
import { compile, type TopLevelSpec } from 'vega-lite';
import { config } from './render.js';

/** A specification that Vega's runtime takes, and the series that a reader can turn off, with their colours. */
export interface InteractiveChart {
  readonly vega: object;
  readonly series: readonly { readonly name: string; readonly color: string }[];
}

type Node = Record<string, unknown>;
const isNode = (x: unknown): x is Node => typeof x === 'object' && x !== null && !Array.isArray(x);

/** Of the views below a node, itself included, every one. */
function* nodes(node: Node): Generator<Node> {
  yield node;
  for (const key of ['layer', 'concat', 'hconcat', 'vconcat'])
    for (const child of (node[key] as Node[] | undefined) ?? []) yield* nodes(child);
}

const SHOWN = 'indexof(hidden, datum.series) < 0';
const MARKS = ['point', 'rect', 'bar', 'tick'];
const ZOOM = { type: 'interval', zoom: 'wheel![event.ctrlKey || event.metaKey]' };

export function interactive(spec: TopLevelSpec): InteractiveChart {
  const copy = structuredClone(spec) as unknown as Node;
  copy['params'] = [{ name: 'hidden', value: [] }];
  const series = new Map<string, string>();
  let zooms = 0;
  for (const node of [...nodes(copy)]) {
    if ('data' in node) node['transform'] = [{ filter: SHOWN }, ...((node['transform'] as object[] | undefined) ?? [])];
    const mark = isNode(node['mark']) ? node['mark'] : undefined;
    if (mark !== undefined && MARKS.includes(String(mark['type']))) mark['tooltip'] = { content: 'data' };
    const encoding = isNode(node['encoding']) ? node['encoding'] : {};
    for (const [name, color] of seriesOf(encoding['color'])) series.set(name, color);
    if (isPanel(node)) addZoom(node, `zoom${zooms++}`);
  }
  const { spec: vega } = compile({ ...(copy as unknown as TopLevelSpec), config });
  return { vega, series: [...series].map(([name, color]) => ({ name, color })) };
}

function seriesOf(color: unknown): (readonly [string, string])[] {
  if (!isNode(color) || color['field'] !== 'series' || !isNode(color['scale'])) return [];
  const { domain, range } = color['scale'] as { domain?: string[]; range?: string[] };
  return domain === undefined || range === undefined ? [] : domain.map((name, i) => [name, range[i]] as const);
}

/** A view of layers that is itself no layer: it has a size. */
const isPanel = (node: Node): boolean => 'layer' in node && 'width' in node;

/** On the first mark whose two axes are of numbers. */
function addZoom(panel: Node, name: string): void {
  const quantitative = (channel: unknown): boolean => isNode(channel) && channel['type'] === 'quantitative';
  for (const node of nodes(panel)) {
    const encoding = node['encoding'];
    if (!('mark' in node) || !isNode(encoding) || !quantitative(encoding['x']) || !quantitative(encoding['y'])) continue;
    node['params'] = [{ name, select: ZOOM, bind: 'scales' }];
    return;
  }
}
