/** The layers of lib/, lowest first: imports go down only. test/layers.test.ts runs these rules and shows that they can fail. */
const LAYERS = [
  ['errors', 'options', 'files', 'json', 'canonical', 'paths', 'csv', 'duration', 'terminal', 'html', 'inline'],
  ['native'],
  ['linalg', 'random'],
  ['links'],
  ['types'],
  ['data', 'networks', 'losses', 'optimizers', 'schedules', 'metrics', 'theory'],
  ['train'],
  ['experiments'],
  ['sweep', 'figures'],
  ['studies', 'report'],
  ['cli', 'index'],
];

const module_ = (name) => `^lib/${name}(/|\\.ts$)`;
const any = (names) => `^lib/(${names.join('|')})(/|\\.ts$)`;

const upward = LAYERS.slice(0, -1).map((names, level) => ({
  name: `layer-${level}-imports-nothing-above`,
  severity: 'error',
  from: { path: any(names) },
  to: { path: any(LAYERS.slice(level + 1).flat()) },
}));

/** Folders of one layer do not know each other: what they share is in the types below them. */
const siblings = [5, 8, 9].flatMap((level) =>
  LAYERS[level].map((name) => ({
    name: `${name}-imports-no-sibling`,
    severity: 'error',
    from: { path: module_(name) },
    to: { path: any(LAYERS[level].filter((other) => other !== name)) },
  })),
);

module.exports = {
  forbidden: [
    ...upward,
    ...siblings,
    { name: 'types-has-types-only', severity: 'error', from: { path: module_('types') }, to: { dependencyTypesNot: ['type-only'] } },
    {
      name: 'native-is-for-linalg-and-random',
      severity: 'error',
      from: { path: '^lib/', pathNot: any(['native', 'linalg', 'random']) },
      to: { path: module_('native') },
    },
    { name: 'linalg-does-not-know-random', severity: 'error', from: { path: module_('linalg') }, to: { path: module_('random') } },
    {
      name: 'figures-read-records-and-never-train',
      severity: 'error',
      from: { path: module_('figures') },
      to: { path: any(['train', 'experiments', 'networks', 'optimizers', 'linalg']) },
    },
    { name: 'in-some-layer', severity: 'error', from: { path: '^lib/', pathNot: any(LAYERS.flat()) }, to: {} },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^lib/',
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
