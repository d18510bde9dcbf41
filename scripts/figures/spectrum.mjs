// fig-spectrum in short: what one step does to the spectrum of a layer, beside its theory.   node scripts/figures/spectrum.mjs
// To try: another method, strength of the step, covariance, or width.
import { parseConfig, runExperiment } from 'layerwise';

const rows = {};
for (const method of ['none', 'sgd', 'layerwise']) {
  const { metrics } = await runExperiment(
    parseConfig({
      experiment: 'spectrum',
      inputs: 400,
      hidden: 300,
      samples: 1200,
      strength: 3,
      method,
      covariance: { family: 'power', exponent: 0.5 },
    }),
  );
  rows[method] = Object.fromEntries(
    ['topWeight', 'topWeightTheory', 'topDirection', 'weightsOff', 'featuresOff'].map((name) => [name, metrics[name].values[0]]),
  );
}
console.table(rows);
