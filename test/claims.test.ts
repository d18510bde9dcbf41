/** The verdicts at full scale that are kept with the code: judged again from their data, and docs/claims.md has their tables. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { studies } from '../lib/studies/index.js';
import { fullResults, rendered } from '../scripts/results.js';

const results = fullResults();

it.each(Object.keys(results))('%s at full scale is judged from what is kept, and says where it was made', (name) => {
  const { study, scale, protocol, made, ...rest } = results[name];
  expect(study).toBe(name);
  expect(scale).toBe('full');
  for (const part of studies[name].evidence) expect(rest, part).toHaveProperty(part);
  expect(Object.keys(protocol).length).toBeGreaterThan(0);
  expect(made.origins.length).toBeGreaterThan(0);
  for (const origin of made.origins)
    for (const key of ['cpu', 'blas', 'node', 'commit'] as const) expect(origin[key], key).toMatch(/^[^+]+$/); // no '+': what was committed
  const claims = studies[name].judge(results[name]);
  expect(claims.length).toBeGreaterThan(0);
  for (const { measured } of claims) for (const { mean, low, high } of measured) expect([low <= mean, mean <= high]).toEqual([true, true]);
});

const documentOf = (name: string): string => readFileSync(join(fileURLToPath(new URL('..', import.meta.url)), 'docs', name), 'utf8');

it.each(['claims.md', 'single-index.md'])('the tables of docs/%s are those of the results', (name) => {
  expect(rendered(documentOf(name), results)).toBe(documentOf(name));
});

it('every claim has a name of its own, and a figure with a result its table', () => {
  const ids = Object.keys(results).flatMap((name) => studies[name].judge(results[name]).map((c) => c.id));
  expect(new Set(ids).size).toBe(ids.length);
  for (const name of Object.keys(results)) expect(documentOf('claims.md')).toContain(`<!-- claims ${name} -->`);
});

it('a table that nothing was measured for is refused', () => {
  expect(() => rendered('<!-- claims fig-none -->\n<!-- end -->', results)).toThrow(/fig-none, of which there is no result/);
});
