// fig-combined in short: the layer-wise method with what other optimisers have.   node scripts/figures/combined.mjs
// To try: other momenta, schedules, averages; grafted() of any two optimisers.
import { adam, cosine, grafted, kfac, layerwise, linearRepresentation, subspaceDistance, train, twoLayer } from 'layerwise';

const SIZES = { inputs: 100, outputs: 15 };
const STEPS = 300;
const same = { dampingKind: 'separate', damping: 1e-8, factorDecay: 0, inversePeriod: 1, bias: 'separate' }; // kfac that equals layerwise
const optimizers = {
  'layer-wise': layerwise({ learningRate: 0.02 }),
  '+ averaged factors': layerwise({ learningRate: 0.02, factorDecay: 0.9 }),
  '+ momentum': kfac({ ...same, learningRate: 0.002, momentum: 0.9 }),
  '+ cosine schedule': layerwise({ learningRate: cosine({ initial: 0.1, steps: STEPS }) }),
  '+ Adam grafting': grafted({ direction: layerwise({ learningRate: 1 }), magnitude: adam({ learningRate: 0.01 }) }),
};

const rows = {};
for (const [name, optimizer] of Object.entries(optimizers)) {
  rows[name] = {};
  for (const condition of [100, 10_000]) {
    const task = linearRepresentation({
      ...SIZES,
      rank: 8,
      noise: 0.1,
      headCondition: 3,
      seed: 0,
      covariance: { family: 'log', condition },
    });
    const network = twoLayer({ ...SIZES, hidden: 8, seed: 0 });
    const metrics = { distance: subspaceDistance(task) };
    const record = train({ task, network, optimizer, order: 'alternating', metrics, batch: 1024, steps: STEPS });
    rows[name][`kappa ${condition}`] = record.metrics.distance.values.at(-1).toFixed(4);
  }
}
console.table(rows);
