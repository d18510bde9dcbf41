/** The package as it would be published: packed, unpacked in another project, and used there by the scripts that readers copy. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { studies } from '../lib/studies/index.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SCRIPTS = join(ROOT, 'scripts', 'figures');
const scripts = readdirSync(SCRIPTS);

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'layerwise-project-'));
  // What is compiled is there already, and does not change by being packed.
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', project], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }); // prettier-ignore
  const place = join(project, 'node_modules', 'layerwise');
  mkdirSync(place, { recursive: true });
  execFileSync('tar', ['xzf', join(project, packed.trim().split('\n').at(-1)!), '-C', place, '--strip-components=1']);
  // Its dependencies and the compiled addon, as an installation would make them.
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  symlinkSync(join(ROOT, 'build'), join(place, 'build'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
}, 60_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

function run(program: string): string {
  writeFileSync(join(project, 'program.mjs'), program);
  return execFileSync(process.execPath, ['program.mjs'], { cwd: project, encoding: 'utf8' });
}
const script = (name: string): string => readFileSync(join(SCRIPTS, name), 'utf8');

describe('examples/own-figure', () => {
  it('draws and judges a figure with an optimiser of its own', () => {
    const folder = join(ROOT, 'examples', 'own-figure');
    for (const name of ['lion.mjs', 'figure.mjs']) copyFileSync(join(folder, name), join(project, name));
    const said = execFileSync(process.execPath, ['figure.mjs'], { cwd: project, encoding: 'utf8' });
    expect(said).toMatch(/^REPRODUCED: .*Lion.*\n {2}Layer-wise, condition 100: \d/);
    expect(readFileSync(join(project, 'figure.png')).subarray(1, 4).toString()).toBe('PNG');
  });
});

describe('scripts/figures', () => {
  it('has one for every figure, of at most 40 lines', () => {
    expect(scripts.map((name) => `fig-${name.replace('.mjs', '')}`).sort()).toEqual(Object.keys(studies).sort());
    for (const name of scripts) expect(script(name).trimEnd().split('\n').length, name).toBeLessThanOrEqual(40);
  });

  // The others take longer, or images: scripts/nightly.sh runs them.
  it.each(['batchnorm.mjs', 'batch-size.mjs', 'alignment.mjs', 'spectrum.mjs', 'combined.mjs'])('%s runs in another project', (name) => {
    expect(run(script(name))).toMatch(/│ .*\d/);
  });

  it('can be changed as its head says', () => {
    const changed = script('alignment.mjs').replace("{ name: 'tanh', gain: 1 }", "'relu'").replace('dimension: 1000', 'dimension: 100');
    expect(run(changed)).not.toBe(run(script('alignment.mjs')));
  });
});
