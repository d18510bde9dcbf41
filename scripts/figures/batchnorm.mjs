// fig-batchnorm in short: does batch-norm help, and what does it cost?   node scripts/figures/batchnorm.mjs
// To try: another condition number, other optimisers, a deeper network (multilayerPerceptron with batchNorm).
import { adam, layerwise, linearRepresentation, sgd, subspaceDistance, train, transferLoss, twoLayer } from 'layerwise';

const SIZES = { inputs: 100, outputs: 15 };
const CONDITION = 100;
const methods = {
  sgd: { optimizer: () => sgd({ learningRate: 0.1 }) },
  adam: { optimizer: () => adam({ learningRate: 0.03 }) },
  'layer-wise': { optimizer: () => layerwise({ learningRate: 0.02 }), order: 'alternating' },
};

const rows = {};
for (const batchNorm of [false, true])
  for (const [name, { optimizer, order = 'simultaneous' }] of Object.entries(methods)) {
    const task = linearRepresentation({ ...SIZES, rank: 8, noise: 0.1, seed: 0, covariance: { family: 'log', condition: CONDITION } });
    const network = twoLayer({ ...SIZES, hidden: 8, batchNorm, seed: 0 });
    const metrics = { distance: subspaceDistance(task), transfer: transferLoss(task) };
    const { metrics: curves } = train({ task, network, optimizer: optimizer(), order, metrics, batch: 1024, steps: 300 });
    const last = (metric) => curves[metric].values.at(-1).toFixed(4);
    rows[batchNorm ? `${name} + batch-norm` : name] = {
      'training loss': last('loss'),
      distance: last('distance'),
      'transfer loss': last('transfer'),
    };
  }
console.table(rows);
