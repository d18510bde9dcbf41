// A sweep from a script: which learning rate suits which optimiser? Run it twice: the second time everything is in the store.
import { sweep, openStore } from 'layerwise';

const run = sweep(
  {
    name: 'from a script',
    experiment: 'linear-representation',
    base: { task: { inputs: 30, outputs: 6, rank: 3 }, train: { batch: 128, steps: 60, every: 20 } },
    axes: [
      { path: 'optimizer', values: [{ name: 'layerwise' }, { name: 'sgd' }] },
      { path: 'optimizer.learningRate', log: { from: 0.01, to: 1, count: 5 } },
    ],
    seeds: { tuning: 2, evaluation: 3 },
    objective: { metric: 'distance' },
  },
  { store: 'from-a-script.store' },
);
let results = 0;
for await (const { record } of run) results += record === undefined ? 0 : 1; // each as soon as it is on the disk
const { ending } = await run.done;

const store = openStore('from-a-script.store');
for (const { group, config, mean } of store.best({ metric: 'distance' }))
  console.log(group['optimizer.name'], config.optimizer.learningRate, mean.toFixed(3));
store.close();
console.log(`${ending}, ${results} new results`);
