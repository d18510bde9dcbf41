// fig-transfer in short: which methods learn the features of anisotropic inputs?   node scripts/figures/transfer.mjs
// To try: another covariance ({ family: 'power', exponent: 1 }), another teacher (headCondition), another optimiser (soap, muon, ...).
import { adam, layerwise, linearRepresentation, mean, sgd, subspaceDistance, train, transferLoss, twoLayer } from 'layerwise';

const SIZES = { inputs: 100, outputs: 15 };
const methods = {
  sgd: { optimizer: () => sgd({ learningRate: 0.1 }) },
  adam: { optimizer: () => adam({ learningRate: 0.03 }) },
  'batch-norm + sgd': { optimizer: () => sgd({ learningRate: 0.1 }), batchNorm: true },
  'layer-wise': { optimizer: () => layerwise({ learningRate: 0.02 }), order: 'alternating' },
};

for (const condition of [1, 100, 10_000]) {
  const rows = {};
  for (const [name, { optimizer, batchNorm = false, order = 'simultaneous' }] of Object.entries(methods)) {
    const ends = [0, 1, 2].map((seed) => {
      const task = linearRepresentation({
        ...SIZES,
        rank: 8,
        noise: 0.1,
        headCondition: 3,
        seed,
        covariance: { family: 'log', condition },
      });
      const network = twoLayer({ ...SIZES, hidden: 8, batchNorm, seed });
      const metrics = { distance: subspaceDistance(task), transfer: transferLoss(task) };
      const record = train({ task, network, optimizer: optimizer(), order, metrics, batch: 1024, steps: 300, seed });
      return [record.metrics.distance.values.at(-1), record.metrics.transfer.values.at(-1)];
    });
    rows[name] = { distance: mean(ends.map(([d]) => d)).toFixed(3), 'transfer loss': mean(ends.map(([, t]) => t)).toFixed(4) };
  }
  console.log(`condition number ${condition}`);
  console.table(rows);
}
