// fig-condition with another covariance and another optimiser, from a project of its own. With layerwise set up beside it:
//   npm install && npm start
import { writeFileSync } from 'node:fs';
import { bootstrapInterval, layerwise, linearRepresentation, mean, sgd, Stream, subspaceDistance, train, twoLayer } from 'layerwise';
import { judge, measuredText, renderPng, renderSvg, scaling } from 'layerwise/figures';
import { lion } from './lion.mjs';

const SIZES = { inputs: 40, outputs: 8 };
const [TARGET, BUDGET, SEEDS] = [0.1, 2000, [0, 1, 2, 3]];
const CONDITIONS = [1, 10, 100];
const METHODS = {
  'Layer-wise': { order: 'alternating', at: (learningRate) => layerwise({ learningRate }), grid: [0.2, 0.4, 0.8] },
  SGD: { order: 'simultaneous', at: (learningRate) => sgd({ learningRate }), grid: [0.025, 0.05, 0.1, 0.2, 0.4] },
  Lion: { order: 'simultaneous', at: (learningRate) => lion({ learningRate }), grid: [0.0003, 0.001, 0.003, 0.01] },
};

/** Steps to the target; the budget where it is not reached. Half of the directions have a variance that is `condition` times smaller. */
function steps({ order, at }, learningRate, condition, seed) {
  const covariance = { family: 'two-level', low: 1 / condition };
  const task = linearRepresentation({ ...SIZES, rank: 3, noise: 0.001, headCondition: 1, seed, covariance });
  const [network, metrics] = [twoLayer({ ...SIZES, hidden: 3, seed }), { distance: subspaceDistance(task) }];
  const target = { metric: 'distance', below: TARGET };
  const record = train({ task, network, optimizer: at(learningRate), order, metrics, target, batch: 256, steps: BUDGET, every: 2 });
  return record.status === 'done' ? Math.max(1, record.steps) : BUDGET;
}

const stream = new Stream(0);
const points = Object.entries(METHODS).flatMap(([series, method]) =>
  CONDITIONS.map((condition) => {
    // The rate is chosen on a seed that is not shown.
    const tried = method.grid.map((rate) => [rate, steps(method, rate, condition, 1000)]);
    const [rate] = tried.reduce((a, b) => (b[1] < a[1] ? b : a));
    const values = SEEDS.map((seed) => steps(method, rate, condition, seed));
    const bound = values.some((v) => v >= BUDGET);
    return { panel: 'kappa', series, x: condition, mean: mean(values), ...bootstrapInterval(values, stream), bound };
  }),
);
const svg = await renderSvg(
  scaling({
    title: `Steps until the subspace distance is ${TARGET}`,
    subtitle: [`two-level covariance; mean and 95% bootstrap interval over ${SEEDS.length} seeds; arrows: not within ${BUDGET} steps`],
    panels: [{ key: 'kappa', title: 'Two-level inputs', xTitle: 'condition number', ticks: CONDITIONS }],
    points,
    lines: [],
    series: Object.keys(METHODS),
    yTitle: 'steps',
    yTicks: [1, 3, 10, 30, 100, 300, 1000],
  }),
);
writeFileSync('figure.png', renderPng(svg));

const at = (series) => {
  const { mean, low, high } = points.find((p) => p.series === series && p.x === 100);
  return { label: `${series}, condition 100:`, mean, low, high };
};
const claim = judge(
  {
    id: 'L1',
    statement: 'Taking signs does not spare Lion the condition number: the layer-wise method needs fewer steps',
    rule: 'its interval lies below',
    measured: [at('Layer-wise'), at('Lion'), at('SGD')],
  },
  at('Layer-wise').high < at('Lion').low,
);
console.log(`${claim.verdict}: ${claim.statement}\n  ${claim.measured.map(measuredText).join('; ')}`);
