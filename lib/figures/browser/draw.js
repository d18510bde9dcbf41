/**
 * The script of the page of figures, sent as it is: puts a chart that answers in place of each picture when it comes near, and saves what is
 * asked for. Words of figures reach the page as text, or as HTML that was escaped where it was made.
 */
/** @type {{ charts: Record<string, import('vega').Spec>, tables: Record<string, string> }} */
const { charts, tables } = JSON.parse(document.getElementById('payload')?.textContent ?? '');

/** @type {Map<Element, import('vega').View>} */
const views = new Map();

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) draw(/** @type {HTMLElement} */ (target));
  },
  { rootMargin: '600px' },
);

/** @param {HTMLElement} figure */
function draw(figure) {
  near.unobserve(figure);
  const name = figure.dataset['chart'] ?? '';
  const plot = /** @type {HTMLElement} */ (figure.querySelector('.plot'));
  const runtime = vega.parse(charts[name], undefined, { ast: true });
  const options = { renderer: 'svg', container: plot, hover: true, logLevel: vega.Error, expr: expressionInterpreter };
  const view = new vega.View(runtime, /** @type {import('vega').ViewOptions} */ (options));
  view.tooltip((_, event, __, value) => point(event, value)).run();
  // A chart is one image to a reader of screens, named by the page: hundreds of marks with a role each would be noise.
  plot.querySelector('svg')?.setAttribute('aria-hidden', 'true');
  views.set(figure, view);
}

/** What the pointer is on.
 *  @param {MouseEvent} event @param {any} value */
function point(event, value) {
  const box = /** @type {HTMLElement} */ (document.getElementById('pointed'));
  box.hidden = value === null || value === undefined || typeof value !== 'object';
  if (box.hidden) return;
  const number = (/** @type {unknown} */ v) => (typeof v === 'number' ? String(Number(v.toPrecision(4))) : String(v));
  const lines = Object.entries(value).filter(([key, v]) => v !== null && key !== 'marked' && typeof v !== 'boolean');
  box.textContent = lines.map(([key, v]) => `${key}: ${number(v)}`).join('\n');
  box.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${Math.min(event.clientY + 14, innerHeight - box.offsetHeight - 8)}px`;
}

/** @param {string} name @param {string} address */
function save(name, address) {
  const link = document.createElement('a');
  link.download = name;
  link.href = address;
  link.click();
}

/** @param {string} text @param {string} type */
const addressOf = (text, type) => URL.createObjectURL(new Blob([text], { type }));

/** @param {HTMLElement} figure @param {string} kind */
async function download(figure, kind) {
  const name = figure.dataset['chart'] ?? 'figure';
  if (kind === 'csv') {
    const section = figure.closest('section')?.id ?? '';
    save(`${section}.csv`, addressOf(tables[section], 'text/csv'));
    return;
  }
  if (!views.has(figure)) draw(figure);
  const view = /** @type {import('vega').View} */ (views.get(figure));
  if (kind === 'svg') save(`${name}.svg`, addressOf(await view.toSVG(), 'image/svg+xml'));
  else save(`${name}.png`, await view.toImageURL('png', 2));
}

for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('figure'))) {
  near.observe(figure);
  for (const swatch of /** @type {NodeListOf<HTMLElement>} */ (figure.querySelectorAll('.swatch')))
    swatch.style.background = swatch.dataset['color'] ?? '';
  for (const button of figure.querySelectorAll('[data-series]'))
    button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') === 'false'));
      const off = [...figure.querySelectorAll('[aria-pressed="false"]')].map((b) => /** @type {HTMLElement} */ (b).dataset['series']);
      if (!views.has(figure)) draw(figure);
      void views.get(figure)?.signal('hidden', off).runAsync();
    });
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (figure.querySelectorAll('[data-save]')))
    button.addEventListener('click', () => void download(figure, button.dataset['save'] ?? ''));
  figure.querySelector('[data-reset]')?.addEventListener('click', () => {
    views.get(figure)?.finalize();
    views.delete(figure);
    /** @type {HTMLElement} */ (figure.querySelector('.plot')).textContent = '';
    for (const button of figure.querySelectorAll('[data-series]')) button.setAttribute('aria-pressed', 'true');
    draw(figure);
  });
}
addEventListener('beforeprint', () => {
  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('figure'))) if (!views.has(figure)) draw(figure);
});
