/** Every configuration in examples/ is one. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { check, parseConfig } from '../lib/experiments/index.js';
import { parseSpec, settingsOf } from '../lib/sweep/index.js';

const FOLDER = new URL('../examples/', import.meta.url);

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const read = (name: string): object => parse(readFileSync(new URL(name, FOLDER), 'utf8')) as object;
const isSweep = (name: string): boolean => 'axes' in read(name);

it.each(files.filter((name) => !isSweep(name)))('examples/%s is valid, for each of its optimisers', (name) => {
  const config = read(name) as { optimizer?: unknown };
  const each = Array.isArray(config.optimizer) ? config.optimizer.map((optimizer: unknown) => ({ ...config, optimizer })) : [config];
  for (const one of each) {
    const parsed = parseConfig(one, name);
    if (parsed.experiment !== 'image-classification') check(parsed); // the images may not be installed
  }
  expect(each.length).toBeGreaterThan(0);
});

it.each(files.filter(isSweep))('examples/%s is a specification of which every setting is valid', (name) => {
  const spec = parseSpec(read(name), name);
  const settings = [...settingsOf(spec)];
  check(settings[0].config);
  if (name === 'sweep.yaml') expect(settings.length * spec.seeds.evaluation.length).toBe(2000);
});
