// fig-lr in short: where a method ends, against its learning rate.   node scripts/figures/lr.mjs
// To try: other optimisers, and for gaussNewton and layerwise another damping.
import { adam, gaussNewton, layerwise, linearRepresentation, sgd, subspaceDistance, train, twoLayer } from 'layerwise';

const SIZES = { inputs: 50, outputs: 10 };
const methods = {
  sgd: { optimizer: (learningRate) => sgd({ learningRate }) },
  adam: { optimizer: (learningRate) => adam({ learningRate }) },
  'full Gauss-Newton': { optimizer: (learningRate) => gaussNewton({ learningRate, damping: 1e-3 }) },
  'layer-wise': { optimizer: (learningRate) => layerwise({ learningRate }), order: 'alternating' },
};

const rows = {};
for (const [name, { optimizer, order = 'simultaneous' }] of Object.entries(methods)) {
  rows[name] = {};
  for (const rate of [2 ** -8, 2 ** -6, 2 ** -4, 2 ** -2, 1, 4]) {
    const task = linearRepresentation({
      ...SIZES,
      rank: 5,
      noise: 0.1,
      headCondition: 3,
      seed: 0,
      covariance: { family: 'log', condition: 100 },
    });
    const network = twoLayer({ ...SIZES, hidden: 5, seed: 0 });
    const metrics = { distance: subspaceDistance(task) };
    const record = train({ task, network, optimizer: optimizer(rate), order, metrics, batch: 512, steps: 300 });
    rows[name][rate] = record.status === 'done' ? record.metrics.distance.values.at(-1).toFixed(3) : record.status;
  }
}
console.table(rows);
