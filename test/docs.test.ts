/** docs/optimizers.md says what the code does. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { initialisation } from '../lib/networks/initialise.js';
import { layerSpec } from '../lib/networks/specification.js';
import { optimizers, presets, type OptimizerName } from '../lib/optimizers/index.js';
import { parseSpec, settingsOf, TRIAL_STATES } from '../lib/sweep/index.js';
import { specSchema } from '../lib/sweep/spec/schema.js';
import { measured, rendered } from '../scripts/bench/bench.js';

const text = readFileSync(new URL('../docs/optimizers.md', import.meta.url), 'utf8');

/** Defaults as documented: `Defaults: {...}` under a heading that names one optimiser, or `of name: {...}`. */
function documented(): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const section of text.split(/^###? /m)) {
    const heading = section.split('\n')[0].trim();
    const flat = section.replaceAll('\n', ' ');
    for (const [, name, options] of flat.matchAll(/(?:Defaults|of (\w+)): `(\{.*?\})`/g)) found[name ?? heading] = parse(options);
  }
  return found;
}

it.each(Object.keys(optimizers) as OptimizerName[])('the documented defaults of %s are its defaults', (name) => {
  expect(documented()[name]).toEqual(optimizers[name].schema.parse({}));
});

/** Options without a default stand in the method's section, or in that of its family. */
it.each(Object.keys(optimizers) as OptimizerName[])('every option of %s is documented', (name) => {
  const sections = text.split(/^##+ /m).filter((s) => s.split('\n')[0].split(', ').includes(name) || s.startsWith('The Kronecker family'));
  for (const option of Object.keys(optimizers[name].schema.shape))
    expect(sections.join('\n'), option).toMatch(new RegExp(`\\b${option}\\b`));
});

it('docs/networks.md names every layer, activation, initialisation and loss', () => {
  const networks = readFileSync(new URL('../docs/networks.md', import.meta.url), 'utf8');
  const kinds = layerSpec.options.map((o) => o.shape.kind.value);
  const inits = initialisation.options;
  for (const name of [
    ...kinds,
    ...inits,
    'relu',
    'leakyRelu',
    'tanh',
    'sigmoid',
    'gelu',
    'erf',
    'polynomial',
    'hermite',
    'squared',
    'softmaxCrossEntropy',
    'logistic',
  ])
    expect(networks, name).toContain(name);
});

it.each(Object.keys(optimizers))('%s has its source and its deviations', (name) => {
  const section = text.split(/^###? /m).find((s) => s.split('\n')[0].split(', ').includes(name));
  expect(section).toMatch(/Source: /);
  if (name !== 'amgd') expect(section).toMatch(/Deviation/);
});

it.each([...Object.keys(presets), 'grafted', 'clipped', 'groups'])('%s is documented', (name) => {
  expect(text).toContain(`\`${name}`);
});

it('the specification in docs/sweeps.md is one, and its table has every key of a specification', () => {
  const sweeps = readFileSync(new URL('../docs/sweeps.md', import.meta.url), 'utf8');
  const blocks = [...sweeps.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => parse(yaml) as object);
  expect(blocks).toHaveLength(2);
  const settings = [...settingsOf(parseSpec(Object.assign({}, ...blocks)))];
  expect(settings).toHaveLength(70); // two optimisers of 10 rates and 2 batches, SGD's momentum doubles, Adam's larger batch is left out
  for (const key of Object.keys(specSchema.shape)) expect(sweeps, key).toMatch(new RegExp(`\\b${key}\\b`));
  for (const state of TRIAL_STATES) if (state !== 'planned') expect(sweeps, state).toContain(`| \`${state}\` `);
});

it.each(['performance.md', 'single-index.md'])('the tables of docs/%s are those of the results beside it', (name) => {
  const document = readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');
  // Widths of columns are the formatter's.
  const plain = (s: string): string => s.replace(/ +/g, ' ').replace(/-+/g, '-');
  expect(document).toMatch(/<!-- table \w/);
  expect(plain(rendered(document, measured()))).toBe(plain(document));
});
