/** What the tests need beside npm: installed where root may. They never skip: where it is missing and cannot be installed, they fail. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Daemons are where a user's PATH does not always lead. */
export const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

export const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`], { env: ENVIRONMENT }).status === 0;

/** Test files run side by side, and apt-get does not wait for another one. */
const LOCK = join(tmpdir(), 'layerwise-tests-apt.lock');

/** @throws Error naming the command that installs what is missing */
export function requirePrograms(programs: readonly string[], ...packages: readonly string[]): void {
  if (programs.every(has)) return;
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const able = process.getuid?.() === 0 && has('apt-get') && has('flock');
  const env = { ...ENVIRONMENT, DEBIAN_FRONTEND: 'noninteractive' };
  const said = able ? spawnSync('flock', [LOCK, 'sh', '-c', install], { env, encoding: 'utf8' }) : undefined;
  const missing = programs.filter((program) => !has(program));
  if (missing.length === 0) return;
  const why = said === undefined ? '' : `\n${said.stdout.slice(-500)}${said.stderr.slice(-500)}`;
  throw new Error(`${missing.join(', ')}: not installed. As root: ${install}; then run the tests again${why}`);
}
