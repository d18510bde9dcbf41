/**
 * The script of the page, sent as it is: draws the charts near the part that is looked at, lets the reader choose a metric, and where the
 * page is live asks for what is new. Words of a store reach the page as text, or as HTML that was escaped where it was made.
 */
/** @typedef {import('../page/page.js').Payload} Payload */
/** @typedef {import('../page/page.js').Content} Content */
/** @typedef {import('../charts/chart.js').View} View */

const $ = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @type {Payload} */
const payload = JSON.parse($('report').textContent ?? '');
const { specs, live } = payload;
/** @type {Content} */
let content = payload;
/** @type {string | undefined} */
let metric = content.metrics[0];

// ---- Charts ----

/** What is drawn in a figure: the view as text, to tell whether it has changed, and Vega's object.
 *  @type {Map<Element, { text: string, view: import('vega').View }>} */
const drawn = new Map();

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) draw(/** @type {HTMLElement} */ (target));
  },
  { rootMargin: '500px' },
);

/** @param {HTMLElement} figure */
function draw(figure) {
  const chart = content.charts[figure.dataset['chart'] ?? ''];
  const view = chart?.views[''] ?? chart?.views[metric ?? ''];
  const text = view === undefined ? '' : `${JSON.stringify(view)} ${dark.matches}`;
  const before = drawn.get(figure);
  if (before?.text === text) return;
  before?.view.finalize();
  drawn.delete(figure);
  const plot = /** @type {HTMLElement} */ (figure.querySelector('.plot'));
  plot.textContent = view === undefined ? 'not measured here' : '';
  if (view === undefined) return;
  const made = new vega.View(vega.parse(specOf(view, chart.height), undefined, { ast: true }), {
    expr: expressionInterpreter,
    renderer: 'canvas',
    container: plot,
    hover: true,
    logLevel: vega.Error,
  });
  made.tooltip((_, event, __, value) => point(event, value, view)).run();
  drawn.set(figure, { text, view: made });
  performance.mark('chart');
}

/** A copy of the specification with rows, signals and the page's colours.
 *  @param {View} view @param {number} height */
function specOf({ spec: name, signals, data }, height) {
  const style = getComputedStyle(document.documentElement);
  const colored = JSON.stringify(specs[name].vega).replace(/@(ink|line|paper|card|series\d)/g, (_, key) =>
    style.getPropertyValue(`--${key}`).trim(),
  );
  const spec = JSON.parse(colored);
  spec.height = height;
  for (const signal of spec.signals) if (signal.name in signals) signal.value = signals[signal.name];
  for (const set of spec.data) {
    const columns = specs[name].columns[set.name];
    if (columns !== undefined) set.values = data[set.name].map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
  }
  return spec;
}

/** All figures, from the start or anew: those near are drawn at once, the others when they come near. */
function watchFigures() {
  for (const figure of document.querySelectorAll('figure')) {
    /** @type {HTMLElement} */ (figure.querySelector('.plot')).style.minHeight = `${Number(figure.dataset['height']) + 45}px`;
    near.unobserve(figure);
    near.observe(figure);
  }
}

const dark = matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', watchFigures);
addEventListener('beforeprint', () => document.querySelectorAll('figure').forEach(draw));

// ---- What is pointed at ----

const number = (/** @type {unknown} */ x) => (typeof x === 'number' ? String(Number(x.toPrecision(4))) : String(x));

/** @param {MouseEvent} event @param {any} row @param {View} view */
function point(event, row, { words }) {
  const box = $('pointed');
  box.hidden = row === null || row === undefined;
  if (box.hidden) return;
  const lines = [content.series.length > 1 ? short(content.series[row.series]) : ''];
  if (words.x !== '') lines.push(`${short(words.x)}: ${number(row.x)}`);
  lines.push(row.y === null ? 'no setting ended well' : `${short(words.y)}: ${number(row.y)}`);
  if (row.low !== null) lines.push(`${words.range}: ${number(row.low)} to ${number(row.high)}`);
  if (row.seeds !== undefined) lines.push(`seeds: ${row.seeds}`);
  if (row.settings !== undefined) lines.push(`settings: ${row.settings}${row.lost > 0 ? `, of which ${row.lost} did not end well` : ''}`);
  box.textContent = lines.filter((line) => line !== '').join('\n');
  box.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${Math.min(event.clientY + 14, innerHeight - box.offsetHeight - 8)}px`;
}

const short = (/** @type {string} */ text) => (text.length > 120 ? `${text.slice(0, 119)}…` : text);

// ---- The choice of a metric ----

const choice = /** @type {HTMLSelectElement} */ ($('metric'));

function offerMetrics() {
  const { metrics } = content;
  choice.replaceChildren(...metrics.map((name) => new Option(short(name), name)));
  if (metric === undefined || !metrics.includes(metric)) metric = metrics[0];
  choice.value = metric ?? '';
  /** @type {HTMLElement} */ (choice.closest('.choice')).hidden = metrics.length < 2;
}

choice.addEventListener('change', () => {
  metric = choice.value;
  watchFigures();
});

// ---- What is new ----

/** Puts what has changed in place of what was there; figures, and what the reader has opened, stay.
 *  @param {Content} next */
function replaceWith(next) {
  const before = content;
  content = next;
  for (const [id, text] of Object.entries(next.sections)) if (before.sections[id] !== text) replaceSection($(id), text);
  for (const [figure, { view }] of drawn)
    if (!figure.isConnected) {
      view.finalize();
      drawn.delete(figure);
    }
  if (String(before.metrics) !== String(next.metrics)) offerMetrics();
  watchFigures();
}

/** @param {HTMLElement} section @param {string} text */
function replaceSection(section, text) {
  const open = new Set([...section.querySelectorAll('details[open]')].map((d) => /** @type {HTMLElement} */ (d).dataset['key']));
  const plots = new Map([...section.querySelectorAll('figure')].map((f) => [f.dataset['chart'], f]));
  section.innerHTML = text;
  for (const details of section.querySelectorAll('details')) details.open = open.has(details.dataset['key']);
  for (const figure of section.querySelectorAll('figure')) {
    const known = plots.get(figure.dataset['chart']);
    if (known === undefined) continue;
    known.dataset['height'] = figure.dataset['height'];
    known.querySelector('figcaption')?.replaceWith(figure.querySelector('figcaption') ?? '');
    figure.replaceWith(known);
  }
}

const INTERVAL = 3000;
let tag = '';
let shown = '';

async function ask() {
  try {
    const response = await fetch('data.json', { cache: 'no-store', headers: tag === '' ? {} : { 'If-None-Match': tag } });
    if (response.status === 200) {
      tag = response.headers.get('ETag') ?? '';
      const { running, content: next } = await response.json();
      if (running !== shown) replaceSection($('live'), running);
      shown = running;
      if (next !== null) replaceWith(next);
    } else if (response.status !== 304) throw new Error(`it answers ${response.status}`);
  } catch (error) {
    tag = '';
    shown = '';
    $('live').textContent = `No answer from layerwise watch: what is shown here may be old. (${/** @type {Error} */ (error).message})`;
  }
  setTimeout(() => void ask(), INTERVAL);
}

offerMetrics();
watchFigures();
if (live) void ask();
