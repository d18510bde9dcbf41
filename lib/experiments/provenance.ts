/** Where a result comes from: all that it can depend on beside its configuration. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { systemInfo } from '../linalg/index.js';
import { packageVersion } from './version.js';

export interface Provenance {
  readonly version: string;
  /** Commit of the package's checkout, with '+' where files differ from it; null outside a checkout. */
  readonly commit: string | null;
  readonly node: string;
  readonly cpu: string;
  readonly blas: string;
  readonly kernel: string;
  readonly threads: number;
}

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

let held: Provenance | undefined;

/** Read once a process: the commit and the machine do not change under a run. */
export function provenance(): Provenance {
  const { config, kernel, threads } = systemInfo();
  held ??= {
    version: packageVersion(),
    commit: commit(),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    blas: config,
    kernel,
    threads,
  };
  return { ...held, threads };
}

function commit(): string | null {
  if (!existsSync(`${PACKAGE}.git`)) return null;
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: PACKAGE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    return null;
  }
}
