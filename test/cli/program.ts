/** The compiled program, in processes and folders of each test's own. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Program {
  /** The test's folder, gone after it. */
  folder: () => string;
  run: (...args: string[]) => SpawnSyncReturns<string>;
  /** Writes a file there. @returns its name */
  file: (name: string, text: string) => string;
}

export function useProgram(): Program {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'layerwise-cli-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder: () => folder,
    run: (...args) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', cwd: folder, timeout: 60_000 }),
    file(name, text) {
      writeFileSync(join(folder, name), text);
      return name;
    },
  };
}
