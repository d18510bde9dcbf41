// fig-one-step in short: features after one step, judged by a ridge head.   node scripts/figures/one-step.mjs
// To try: another covariance, activation, teacher, or number of samples.
import { parseConfig, runExperiment } from 'layerwise';

const rows = {};
for (const exponent of [0, 0.5, 1]) {
  const { metrics } = await runExperiment(
    parseConfig({
      experiment: 'one-step',
      inputs: 150,
      hidden: 300,
      samples: 900,
      covariance: { family: 'power', exponent },
      teacher: { name: 'tanh', gain: 3 },
      activation: 'relu',
    }),
  );
  rows[`power law ${exponent}`] = Object.fromEntries(Object.entries(metrics).map(([name, { values }]) => [name, values[0].toFixed(3)]));
}
console.table(rows); // test error over the variance of the targets
