// fig-batch-size in short: what is left of the distance, against samples a step.   node scripts/figures/batch-size.mjs
// To try: another dimension, learning rate, noise, or condition number.
import { layerwise, linearRepresentation, mean, subspaceDistance, train, twoLayer } from 'layerwise';

const SIZES = { inputs: 50, outputs: 10 };
const rows = [4, 8, 16, 32, 64].map((ratio) => {
  const floors = [0, 1, 2].map((seed) => {
    const task = linearRepresentation({
      ...SIZES,
      rank: 4,
      noise: 0.1,
      headCondition: 1,
      seed,
      covariance: { family: 'log', condition: 100 },
    });
    const network = twoLayer({ ...SIZES, hidden: 4, seed });
    const metrics = { distance: subspaceDistance(task) };
    const optimizer = layerwise({ learningRate: 0.1 });
    const record = train({
      task,
      network,
      optimizer,
      order: 'alternating',
      metrics,
      batch: ratio * SIZES.inputs,
      steps: 300,
      every: 5,
      seed,
    });
    return mean(record.metrics.distance.values.slice(-30));
  });
  return { 'n / d_X': ratio, floor: mean(floors), 'floor sqrt(n / d_X)': mean(floors) * Math.sqrt(ratio) };
});
console.table(rows); // the last column stays where the floor goes as sqrt(d_X / n)
