// fig-alignment in short: the direction that one step learns, theory beside simulation.   node scripts/figures/alignment.mjs
// To try: another covariance, another teacher ('relu', { name: 'hermite', coefficients: [0, 1, 0.5] }), more noise.
import { parseConfig, runExperiment } from 'layerwise';

const record = await runExperiment(
  parseConfig({
    experiment: 'alignment',
    dimension: 1000,
    samples: 2000,
    covariance: { family: 'power', exponent: 1 },
    teacher: { name: 'tanh', gain: 1 },
    noise: 0.5,
    seed: 0,
  }),
);
const { lambda, ...columns } = record.tables.path;
console.table(
  lambda.map((l, i) => ({ lambda: l, ...Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]])) })),
);
console.table(Object.fromEntries(Object.entries(record.metrics).map(([name, { values }]) => [name, values.at(-1)])));
