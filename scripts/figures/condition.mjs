// fig-condition in short: steps until the features are learned, against the condition number.   node scripts/figures/condition.mjs
// To try: headCondition instead of condition, another target, another optimiser.
import { adam, layerwise, linearRepresentation, sgd, subspaceDistance, train, twoLayer } from 'layerwise';

const SIZES = { inputs: 50, outputs: 10 };
const BUDGET = 5000;
const methods = {
  sgd: { optimizers: [0.1, 0.2, 0.4].map((learningRate) => () => sgd({ learningRate })) },
  adam: { optimizers: [0.003, 0.01, 0.03].map((learningRate) => () => adam({ learningRate })) },
  'layer-wise': { optimizers: [0.1, 0.2, 0.4].map((learningRate) => () => layerwise({ learningRate })), order: 'alternating' },
};

/** Steps to a subspace distance of 0.1; the budget where it is not reached. The noise is so small that its floor lies below. */
function steps(condition, optimizer, order) {
  const task = linearRepresentation({
    ...SIZES,
    rank: 4,
    noise: 0.001,
    headCondition: 1,
    seed: 0,
    covariance: { family: 'log', condition },
  });
  const network = twoLayer({ ...SIZES, hidden: 4, seed: 0 });
  const target = { metric: 'distance', below: 0.1 };
  const metrics = { distance: subspaceDistance(task) };
  const record = train({ task, network, optimizer, order, target, metrics, batch: 512, steps: BUDGET, every: 5 });
  return record.status === 'done' ? record.steps : Infinity;
}

const rows = {};
for (const [name, { optimizers, order = 'simultaneous' }] of Object.entries(methods)) {
  rows[name] = {};
  for (const condition of [1, 10, 100, 1000, 10_000]) {
    const best = Math.min(...optimizers.map((optimizer) => steps(condition, optimizer(), order)));
    rows[name][`kappa ${condition}`] = best < BUDGET ? best : `over ${BUDGET}`;
  }
}
console.table(rows);
