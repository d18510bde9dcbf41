/** Runs the checks of `npm test` one after another and counts them with the tests: types, lint, format, then vitest. Arguments are
 *  passed to vitest, and run it alone. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}
const tally: Tally = { passed: 0, failed: 0, skipped: 0 };

const CHECKS: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['tsc', '--noEmit', '-p', 'tsconfig.json']],
  ['types of the report page', ['tsc', '--noEmit', '-p', 'lib/report/browser']],
  ['types of the page of figures', ['tsc', '--noEmit', '-p', 'lib/figures/browser']],
  ['lint', ['eslint', '.']],
  ['format', ['prettier', '--check', '--log-level', 'warn', '.']],
];

function run(command: readonly string[]): boolean {
  return spawnSync('npx', ['--no-install', ...command], { stdio: 'inherit' }).status === 0;
}

function vitest(filters: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-test-'));
  const report = join(folder, 'report.json');
  const ok = run(['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters]);
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8')) as Record<
      'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numFailedTestSuites',
      number
    >;
    tally.passed += counts.numPassedTests;
    tally.skipped += counts.numPendingTests;
    // A file that does not load has no tests to count, and still is a failure.
    tally.failed += Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 ? 1 : 0, ok ? 0 : 1);
  } catch {
    tally.failed++;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const filters = process.argv.slice(2);
if (filters.length === 0)
  for (const [name, command] of CHECKS) {
    const ok = run(command);
    console.log(`${ok ? 'passed' : 'FAILED'}: ${name} (${command.join(' ')})`);
    tally[ok ? 'passed' : 'failed']++;
  }
vitest(filters);
console.log(`\n${tally.passed} passed, ${tally.failed} failed${tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''}`);
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
