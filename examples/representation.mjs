// Which optimiser finds the features of anisotropic inputs? Run with: node examples/representation.mjs
import { adam, layerwise, linearRepresentation, sgd, subspaceDistance, train, twoLayer } from 'layerwise';

const task = linearRepresentation({
  inputs: 100,
  outputs: 15,
  rank: 8,
  noise: 0.1,
  seed: 0,
  covariance: { family: 'log', condition: 100 },
});

for (const optimizer of [sgd({ learningRate: 0.1 }), adam({ learningRate: 0.03 }), layerwise({ learningRate: 0.03, damping: 1e-8 })]) {
  const network = twoLayer({ inputs: 100, hidden: 8, outputs: 15, seed: 1 });
  const order = optimizer.name === 'layerwise' ? 'alternating' : 'simultaneous';
  const record = train({ task, network, optimizer, order, batch: 1024, steps: 300, metrics: { distance: subspaceDistance(task) } });
  console.log(optimizer.name, record.status, record.metrics.distance.values.at(-1));
}
