/**
 * Theory against simulation, single-index alignment: 3 covariances x 3 teachers x 6 lambdas x n/d in {0.5, 1, 2, 8} at d = 1000 over 20
 * seeds. A cell holds where the mean of (simulated - theoretical) rho^2 is within 3 standard errors + 0.01. Exits 1 below 97% of cells.
 *
 *   node --import tsx scripts/theory.ts [--dimension 1000] [--seeds 20] [--jobs 2]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mean, standardError } from '../lib/metrics/index.js';
import { openStore, runTrials, trial, type Trial } from '../lib/sweep/index.js';

const { values } = parseArgs({
  options: {
    dimension: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '20' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});
const [dimension, seeds, jobs] = [values.dimension, values.seeds, values.jobs].map(Number);

const COVARIANCES = [{ family: 'isotropic' }, { family: 'power', exponent: 1 }, { family: 'log', condition: 100 }];
const TEACHERS = ['tanh', 'relu', { name: 'hermite', coefficients: [0, 1, 0.5, 0.3] }];
const LAMBDAS = [0.01, 0.1, 0.3, 1, 3, 30];
const RATIOS = [0.5, 1, 2, 8];

interface Cell {
  readonly name: string;
  readonly trials: readonly Trial[];
}
const cells: Cell[] = COVARIANCES.flatMap((covariance) =>
  TEACHERS.flatMap((teacher) =>
    RATIOS.map((ratio) => ({
      name: `${covariance.family}, ${typeof teacher === 'string' ? teacher : teacher.name}, n/d = ${ratio}`,
      trials: Array.from({ length: seeds }, (_, seed) => {
        const samples = Math.round(ratio * dimension);
        return trial({ experiment: 'alignment', seed, dimension, samples, covariance, teacher, noise: 0.5, lambdas: LAMBDAS });
      }),
    })),
  ),
);

const folder = mkdtempSync(join(tmpdir(), 'layerwise-theory-'));
const started = performance.now();
const store = openStore(folder, { mode: 'write' });
try {
  const { lookup, failures } = await runTrials(
    cells.flatMap((c) => c.trials),
    { store, name: 'theory', jobs, threads: 1 },
  );
  for (const { message } of failures) console.error(message);
  const rows = cells.flatMap(({ name, trials }) =>
    LAMBDAS.map((lambda, k) => {
      const paths = trials.map((t) => lookup(t)!.tables!['path']);
      const differences = paths.map((p) => p['rho2'][k] - p['rho2Theory'][k]);
      const allowed = 3 * standardError(differences) + 0.01;
      const off = Math.abs(mean(differences));
      return { name: `${name}, lambda = ${lambda}`, simulated: mean(paths.map((p) => p['rho2'][k])), theory: mean(paths.map((p) => p['rho2Theory'][k])), off, allowed }; // prettier-ignore
    }),
  );
  const holding = rows.filter((r) => r.off <= r.allowed).length;
  const worst = rows.toSorted((a, b) => b.off / b.allowed - a.off / a.allowed).slice(0, 10);
  console.log(`${holding} of ${rows.length} cells hold (${((100 * holding) / rows.length).toFixed(1)}%), in ${((performance.now() - started) / 1000).toFixed(0)} s; the worst ten:`); // prettier-ignore
  for (const r of worst)
    console.log(`  ${r.name}: simulated ${r.simulated.toFixed(4)}, theory ${r.theory.toFixed(4)}, off ${r.off.toFixed(4)} of ${r.allowed.toFixed(4)} allowed`); // prettier-ignore
  process.exitCode = holding >= 0.97 * rows.length && failures.length === 0 ? 0 : 1;
} finally {
  store.close();
  rmSync(folder, { recursive: true, force: true });
}
