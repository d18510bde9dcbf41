import { sweep, openStore } from '../lib/sweep/index.js';
const run = sweep({ name: 'try', base: { task: { inputs: 9, outputs: 5, rank: 3 }, train: { batch: 16, steps: 40, every: 10 } },
  axes: [{ path: 'optimizer', values: [{ name: 'sgd' }, { name: 'adam' }] }, { path: 'optimizer.learningRate', log: { from: 0.01, to: 1, count: 5 } }],
  seeds: { tuning: 2, evaluation: 3 }, objective: { metric: 'distance' } }, { store: '/tmp/try-store', jobs: 2, onProgress: (p) => console.error(p) });
let n = 0;
for await (const r of run) { n++; if (n < 3) console.log(r.id, r.state, r.config.optimizer, r.record?.metrics['distance']); }
console.log(n, await run.done);
const store = openStore('/tmp/try-store', { verify: true });
console.log(store.status(), store.best({ metric: 'distance' }).map((b) => [b.group, b.config['optimizer'], b.mean, b.interval, b.among]));
console.log(Buffer.from(store.export({ format: 'csv' })).toString().slice(0, 1000));
