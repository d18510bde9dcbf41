/** Kills a sweep with -9 at random moments, coordinator and children alternately, and looks what is left. Exits 1 where anything was lost,
 *  ran twice or differs from an undisturbed run.
 *
 *    node --import tsx scripts/kills.ts [--rounds 30] [--seed 0] */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { survive } from '../test/sweep/kills.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' }, seed: { type: 'string', default: '0' } } });
const folder = mkdtempSync(join(tmpdir(), 'layerwise-kills-'));
try {
  const rounds = Number(values.rounds);
  const trials = 110 * rounds;
  const { kills, again, mostRecords, sameExport } = await survive(folder, { rounds, trials, seed: Number(values.seed) });
  console.log(`${kills.coordinator} kills of the coordinator, ${kills.children} of children, ${trials} trials`);
  console.log(
    `acknowledged trials that began again: ${again.length}; records a trial at most: ${mostRecords}; export: ${sameExport ? 'the same bytes' : 'DIFFERS'}`,
  );
  process.exitCode = again.length === 0 && mostRecords === 1 && sameExport && kills.coordinator + kills.children === rounds ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
