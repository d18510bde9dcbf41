/** Slurm's own commands. What they say is a hint: the shards are the truth. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LayerwiseError } from '../../../errors.js';

const run = promisify(execFile);
const MOST_OUTPUT = 64 * 2 ** 20;

async function slurm(command: string, args: readonly string[], cwd?: string): Promise<string> {
  try {
    const { stdout } = await run(command, args, { maxBuffer: MOST_OUTPUT, timeout: 120_000, ...(cwd === undefined ? {} : { cwd }) });
    return stdout;
  } catch (cause) {
    const { code, stderr = '', message } = cause as { code?: unknown; stderr?: string; message: string };
    if (code === 'ENOENT')
      throw new LayerwiseError(
        'ERR_SLURM',
        `${command} is not there: this machine has no Slurm. Run on a login node, or use --executor local`,
        { cause },
      );
    throw new LayerwiseError('ERR_SLURM', `${command} failed: ${stderr.trim() || message}`, { cause });
  }
}

/** @returns the job's number @throws LayerwiseError with what sbatch says */
export async function sbatch(args: readonly string[], cwd: string): Promise<string> {
  const [id] = (await slurm('sbatch', ['--parsable', ...args], cwd)).trim().split(';');
  if (!/^\d+$/.test(id)) throw new LayerwiseError('ERR_SLURM', `sbatch answered '${id}', which is no job number`);
  return id;
}

export interface QueuedTask {
  /** PENDING, RUNNING ... */
  readonly state: string;
  /** Why it waits. */
  readonly reason: string;
}

/** Tasks of the arrays of this name that have not ended. By name: numbers are used again once a controller has lost its records. */
export async function queued(name: string): Promise<readonly QueuedTask[]> {
  const text = await slurm('squeue', ['--noheader', '--array', `--name=${name}`, '--format=%T|%r']);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [state, reason = ''] = line.split('|');
      return { state, reason };
    });
}

export async function cancel(name: string): Promise<void> {
  await slurm('scancel', [`--name=${name}`]);
}

/** Tasks an array may have on this site. */
export async function arrayLimit(): Promise<number> {
  const limit = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(await slurm('scontrol', ['show', 'config']))?.[1]);
  return Number.isInteger(limit) && limit > 1 ? limit - 1 : 1000;
}
