/** The C++ programs of the benchmarks. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './contender.js';

/** Builds one where it is missing or older than its sources. @returns its path */
export function buildProgram(target: 'layerwise-step' | 'layerwise-kernels'): string {
  const folder = join(ROOT, 'build-bench');
  for (const args of [
    ['-S', ROOT, '-B', folder, '-DLAYERWISE_BENCH=ON', '-DCMAKE_BUILD_TYPE=Release'],
    ['--build', folder, '--target', target],
  ]) {
    const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`cmake ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
  return join(folder, target);
}
