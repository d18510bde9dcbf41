/**
 * Breaks the code in known ways, one at a time, and sees a test go red each time: signs, transposes and scales of every identity.
 *
 *   node --import tsx scripts/mutations.ts [part of a file's name ...]
 *
 * The ways are listed in scripts/mutations/*.json: a file, a text that it has once, what is put in its place, the test that must notice.
 *
 * Works in a copy, so that the tree stays as it is. A mutation that no test notices, or whose text is not found exactly once, fails the run.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A test that runs longer has been broken too. */
const MOST_SECONDS = 120;
/** Exit status of `timeout` then. */
const KILLED = 137;

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Mutation {
  readonly file: string;
  readonly old: string;
  readonly new: string;
  readonly test: string;
}

function allMutations(): Mutation[] {
  const folder = join(ROOT, 'scripts', 'mutations');
  return readdirSync(folder).flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Mutation[]);
}

function copyOfTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-mutations-'));
  for (const name of ['lib', 'test', 'docs', 'examples', 'scripts', 'README.md', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const name of ['node_modules', 'build', 'dist']) symlinkSync(join(ROOT, name), join(folder, name));
  return folder;
}

/** @returns what came of it: 'red' is how it should be */
function outcome(folder: string, { file, old: from, new: to, test }: Mutation): string {
  const path = join(folder, file);
  const original = readFileSync(path, 'utf8');
  const places = original.split(from).length - 1;
  if (places !== 1) return `its text is found ${places} times`;
  writeFileSync(
    path,
    original.replace(from, () => to),
  );
  try {
    const report = join(folder, 'report.json');
    // GNU timeout ends the whole group of processes, which a signal to npx alone would not.
    const { stdout, status } = spawnSync(
      'timeout',
      [
        '--signal=KILL',
        String(MOST_SECONDS),
        'npx',
        '--no-install',
        'vitest',
        'run',
        '--bail',
        '1',
        '--reporter=json',
        `--outputFile=${report}`,
        test,
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    if (status === KILLED) return 'red'; // it no longer ends
    const { numFailedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<
      'numFailedTests' | 'numTotalTests',
      number
    >;
    rmSync(report);
    if (numTotalTests === 0) return `no test ran: ${stdout.slice(0, 200)}`;
    return numFailedTests > 0 || status !== 0 ? 'red' : 'no test noticed'; // an error outside of a test fails the run too
  } finally {
    writeFileSync(path, original);
  }
}

const wanted = process.argv.slice(2);
const chosen = allMutations().filter(({ file }) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
const folder = copyOfTree();
let survivors = 0;
try {
  for (const mutation of chosen) {
    const result = outcome(folder, mutation);
    if (result !== 'red') survivors++;
    const { file, old: from, new: to, test } = mutation;
    console.log(
      `${result === 'red' ? 'red     ' : 'SURVIVED'} ${file}: ${short(from)} -> ${short(to)}  [${test}]${result === 'red' ? '' : `  ${result}`}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${chosen.length - survivors} of ${chosen.length} mutations turned a test red`);
process.exitCode = survivors > 0 || chosen.length === 0 ? 1 : 0;

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
