/** Holds fig-transfer's data against the reference figures of the paper's setting (d_X = 100, d_Y = 15, k = 8, n = 1024, noise 0.1, 300
 *  steps; mean over at least 5 seeds, best of at least four learning rates): node --import tsx scripts/acceptance.ts DATA.json */
import { readFileSync } from 'node:fs';
import { parse } from '../lib/json.js';

interface Data {
  readonly finals: readonly {
    readonly condition: string;
    readonly method: string;
    readonly metric: string;
    readonly mean: number;
    readonly values: readonly number[];
  }[];
  readonly tuned: readonly { readonly condition: string; readonly method: string; readonly candidates: readonly unknown[] }[];
}

/** condition, method, and the side of the bound that its mean final subspace distance must be on. */
const BOUNDS: readonly (readonly [string, string, 'below' | 'above', number])[] = [
  ['100', 'Layer-wise (KFAC)', 'below', 0.03],
  ['100', 'SGD', 'above', 0.2],
  ['100', 'Whitened AMGD', 'below', 0.06],
  ['10000', 'Layer-wise (KFAC)', 'below', 0.2],
  ['10000', 'SGD', 'above', 0.6],
  ['10000', 'Adam', 'above', 0.6],
];

const path = process.argv[2];
if (path === undefined) throw new Error('which data.json?');
const { finals, tuned } = parse(readFileSync(path, 'utf8')) as Data;

let missed = 0;
for (const [condition, method, side, bound] of BOUNDS) {
  const final = finals.find((f) => f.condition === condition && f.method === method && f.metric === 'distance');
  const rates = tuned.find((t) => t.condition === condition && t.method === method)?.candidates.length ?? 0;
  const holds =
    final !== undefined && final.values.length >= 5 && rates >= 4 && (side === 'below' ? final.mean < bound : final.mean > bound);
  if (!holds) missed++;
  console.log(
    `${holds ? 'met' : 'MISSED'}: kappa = ${condition}, ${method}: ${final?.mean.toPrecision(4) ?? 'no data'} (${side} ${bound}; ${final?.values.length ?? 0} seeds, ${rates} learning rates)`,
  );
}
process.exitCode = missed > 0 ? 1 : 0;
