/** A real Slurm of two nodes on this machine, for the tests: installed where root may, started, and taken down again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT, requirePrograms } from './install.js';

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

/** @throws Error where it is not installed and cannot be: a test that needs it fails then, and is not skipped */
export function startSlurm(): Slurm {
  requirePrograms(['sbatch', 'slurmctld', 'slurmd', 'munged'], 'slurm-wlm', 'munge');
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-slurm-'));
  const env = { ...ENVIRONMENT, SLURM_CONF: join(folder, 'slurm.conf') };
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
