/** Every configuration in examples/ is one. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { check, parseConfig } from '../lib/experiments/index.js';

const FOLDER = new URL('../examples/', import.meta.url);

it.each(readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')))('examples/%s is valid, for each of its optimisers', (name) => {
  const config = parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { optimizer?: unknown };
  const each = Array.isArray(config.optimizer) ? config.optimizer.map((optimizer: unknown) => ({ ...config, optimizer })) : [config];
  for (const one of each) {
    const parsed = parseConfig(one, name);
    if (parsed.experiment !== 'image-classification') check(parsed); // the images may not be installed
  }
  expect(each.length).toBeGreaterThan(0);
});
