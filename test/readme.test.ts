/** README tells the truth: its program runs as it stands, and every function it names exists. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as api from '../lib/index.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Runs a program in a folder of its own where 'layerwise' is installed. */
function runElsewhere(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-readme-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules', 'layerwise'));
    writeFileSync(join(folder, 'program.mjs'), program);
    return execFileSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('README.md', () => {
  it('has a program that prints what the text says', () => {
    const program = /```js\n([\s\S]*?)```/.exec(readme)![1];
    const [status, distance] = runElsewhere(program).trim().split(' ');
    const said = /It prints `done ([\d.]+)`/.exec(readme)![1];
    expect([status, Number(distance).toFixed(4)]).toEqual(['done', said]);
  });

  it('says truly what SGD reaches in its place', () => {
    const program = /```js\n([\s\S]*?)```/.exec(readme)![1];
    const bySgd = program.replace(/layerwise\(\{[^}]*\}\)/, 'sgd({ learningRate: 0.1 })').replace('import { layerwise', 'import { sgd');
    const said = /in\s+its place, ([\d.]+)\./.exec(readme)![1];
    expect(Number(runElsewhere(bySgd).trim().split(' ')[1]).toFixed(2)).toBe(said);
  });

  it('names functions that the package exports, and files that exist', () => {
    const table = /## From the paper's equations[\s\S]*?## What to know/.exec(readme)![0];
    const options = new Set(['outputFactor', 'factorDecay', 'covariance', 'none', 'Matrix']);
    const names = [...table.matchAll(/`([a-zA-Z]+)(?=[`(:])/g)].map((m) => m[1]).filter((n) => !options.has(n));
    expect(names.length).toBeGreaterThan(25);
    for (const name of names) expect(api, name).toHaveProperty(name);
    for (const [, path] of readme.matchAll(/\]\(([^)]+)\)|(?<=run )(examples\/\S+)/g))
      if (path) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it('is joined by examples that run', () => {
    const run = (name: string): string => runElsewhere(readFileSync(join(ROOT, 'examples', name), 'utf8'));
    expect(run('representation.mjs')).toMatch(/sgd done 0\.\d+\nadam done 0\.\d+\nlayerwise done 0\.0\d+\n/);
    expect(run('sweep.mjs')).toMatch(/^layerwise 0\.\d+ 0\.\d+\nsgd \S+ 0\.\d+\ncomplete, 26 new results\n$/);
  });
});
