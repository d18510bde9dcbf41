// fig-deep in short: optimisers on real images (apt-get install dataset-fashion-mnist).   node scripts/figures/deep.mjs
// To try: another folder of IDX files, other layers (sequential), another optimiser or preset.
import { parseConfig, runExperiment } from 'layerwise';

const kronecker = { damping: 0.1, outputFactor: 'mc', momentum: 0.9 };
const optimizers = [
  { name: 'sgd', learningRate: 0.1, momentum: 0.9 },
  { name: 'adamw', learningRate: 0.001 },
  { name: 'kfac', learningRate: 0.03, inversePeriod: 10, ...kronecker },
  { name: 'shampoo', learningRate: 0.003, beta2: 0.99, epsilon: 1e-8, grafting: 'adam', rootPeriod: 20 },
  { name: 'soap', learningRate: 0.003 },
  { name: 'muon', learningRate: 0.03 },
];

const rows = {};
for (const optimizer of optimizers) {
  const { metrics, timing } = await runExperiment(
    parseConfig({
      experiment: 'image-classification',
      data: { directory: '/usr/share/datasets/fashion-mnist' },
      network: { hidden: [128, 64] },
      optimizer,
      train: { batch: 256, epochs: 1 },
    }),
  );
  rows[optimizer.name] = {
    accuracy: metrics.accuracy.values.at(-1),
    'test loss': metrics.testLoss.values.at(-1),
    seconds: timing.trainingSeconds,
  };
}
console.table(rows);
