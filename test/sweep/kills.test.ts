import { expect, it } from 'vitest';
import { survive } from './kills.js';
import { useFolder } from './records.js';

const folder = useFolder();

// Thirty of them: scripts/kills.ts, nightly.
it('a sweep that is killed with -9 again and again exports what an undisturbed one does, and runs nothing twice that it had acknowledged', async () => {
  const { kills, again, mostRecords, sameExport } = await survive(folder(), { rounds: 5, trials: 600, seed: 1 });
  expect(kills).toEqual({ coordinator: 3, children: 2 });
  expect(again).toEqual([]);
  expect(mostRecords).toBe(1);
  expect(sameExport).toBe(true);
});
