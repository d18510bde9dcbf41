/** Another way to build the addon, node-gyp with binding.gyp, gives one that passes the self-test; scripts/nightly.sh builds it with plain cmake. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { native } from '../../lib/native/index.js';
import { selfTest, type Checked } from '../../lib/native/selfTest.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layerwise-build-'));
  for (const name of ['native', 'binding.gyp', 'CMakeLists.txt', 'package.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (command: string, ...args: string[]): void => void execFileSync(command, args, { cwd: folder, stdio: 'pipe' });

function expectSound(addon: string): void {
  const built = require(addon) as Checked;
  selfTest(built);
  expect(Object.keys(built).sort()).toEqual(Object.keys(native).sort());
}

it('node-gyp builds the same addon', () => {
  const nodePrefix = dirname(dirname(process.execPath)); // its headers are installed beside Node
  run('node', join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js'), 'rebuild', `--nodedir=${nodePrefix}`);
  expectSound(join(folder, 'build/Release/layerwise.node'));
}, 180_000);
