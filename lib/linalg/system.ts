import { ArgumentError } from '../errors.js';
import { native, type SystemInfo } from '../native/index.js';

export type { SystemInfo };

/** What the process computes with: BLAS build, kernel, threads, CPU features. */
export function systemInfo(): SystemInfo {
  return native.systemInfo();
}

/** Sets the number of threads BLAS uses, for the whole process. Results can differ in the last bits between thread counts.
 *  @throws ArgumentError outside [1, 1024] */
export function setThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024)
    throw new ArgumentError(`setThreads: threads must be an integer in [1, 1024], got ${threads}`);
  native.setThreads(Int32Array.of(threads));
}

/** Has the system end this process once the one that started it has ended, whatever it is at: a child in a long computation hears nothing
 *  of its parent's death. */
export function endWithParent(): void {
  native.endWithParent();
}
