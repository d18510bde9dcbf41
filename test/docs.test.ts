/** docs/optimizers.md says what the code does. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { optimizers, presets, type OptimizerName } from '../lib/optimizers/index.js';

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

it.each([...Object.keys(presets), 'grafted', 'clipped', 'groups'])('%s is documented', (name) => {
  expect(text).toContain(`\`${name}`);
});
