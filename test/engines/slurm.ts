/** A real Slurm of two nodes on this machine, for the tests: installed where root may, started, and taken down again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./slurm-two-nodes.sh', import.meta.url));

export interface Slurm {
  readonly folder: string;
  /** What its commands need to find it. */
  readonly env: NodeJS.ProcessEnv;
  command(name: string, ...args: readonly string[]): string;
  /** Process of a daemon: 'slurmctld', 'slurmd.n1', 'slurmd.n2'. */
  pid(daemon: string): number;
  down(): void;
}

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** @throws Error where it is not installed and cannot be: a test that needs it fails then, and is not skipped */
export function startSlurm(): Slurm {
  if (!['sbatch', 'slurmctld', 'slurmd', 'munged'].every(has)) install();
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-slurm-'));
  const env = { ...process.env, SLURM_CONF: join(folder, 'slurm.conf') };
  execFileSync('bash', [SCRIPT, 'up', folder], { env, stdio: 'pipe', timeout: 60_000 });
  return {
    folder,
    env,
    command: (name, ...args) => execFileSync(name, args, { env, encoding: 'utf8', stdio: 'pipe' }),
    pid: (daemon) => Number(readFileSync(join(folder, `${daemon}.pid`), 'utf8')),
    down() {
      spawnSync('bash', [SCRIPT, 'down', folder], { env, timeout: 60_000 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function install(): void {
  if (process.getuid?.() !== 0 || !has('apt-get'))
    throw new Error('Slurm is not installed: apt-get install -y --no-install-recommends slurm-wlm munge, then run the tests again');
  const options = { stdio: 'pipe', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  execFileSync('apt-get', ['update'], options);
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'slurm-wlm', 'munge'], options);
}
