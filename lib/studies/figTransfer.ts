/**
 * fig-transfer: linear representation learning at low, middle and high anisotropy. Training loss, subspace distance and transfer
 * loss against steps (and seconds) for every method of the paper that the package has. Claims A to D.
 */
import { curveGrid, dotPlot } from '../figures/index.js';
import { claimsOf } from './figTransferClaims.js';
import { METHODS, methodsAt } from './methods.js';
import type { Analysis, Study } from './study.js';
import { CONDITIONS, METRICS, PROTOCOL, STEPS, transferCells, SUBTITLE } from './transferProblem.js';
import { dotsOf, type TunedCurves } from './tunedCurves.js';
import { tunedStudy, type Drawn } from './tunedStudy.js';
import { kappaLabel } from './words.js';

function charts({ curves, timed, finals }: TunedCurves, { options, about }: Drawn): Analysis['charts'] {
  const subtitle = [SUBTITLE, about];
  const main = METHODS.filter((m) => m.main === true).map((m) => m.name);
  const grid = { conditions: CONDITIONS, metrics: METRICS, series: main, subtitle };
  return {
    figure: curveGrid({ ...grid, points: curves, title: 'Learning features of anisotropic inputs', xTitle: 'steps', xScale: 'linear' }),
    'figure-seconds': curveGrid({
      ...grid,
      points: timed,
      title: 'Learning features of anisotropic inputs, against time',
      xTitle: 'training seconds, one thread',
      xScale: 'log',
    }),
    'figure-methods': dotPlot({
      title: `Subspace distance after ${STEPS} steps, all methods`,
      subtitle,
      dots: dotsOf(finals, 'distance'),
      conditions: CONDITIONS,
      series: methodsAt(options.scale).map((m) => m.name),
      xTitle: 'subspace distance',
      ticks: METRICS[1].ticks,
    }),
  };
}

export const figTransfer: Study = {
  name: 'fig-transfer',
  title: 'Feature learning and transfer under anisotropic inputs',
  about: [
    'Do methods that bring the training loss down equally far learn the same features? Every method of the paper, and its kin, trains a two-layer linear network on targets that depend on a hidden subspace, at three condition numbers of the inputs. The subspace distance is the sine of the largest angle between learned and true features; the transfer loss is what the best new head on the learned features leaves of a new task that shares them.',
    'Each method has its learning rate searched on seeds of its own, at each condition number; a best rate at the edge of its grid has the grid extended. What is drawn and judged are other seeds.',
  ],
  equations: [
    {
      words: 'The teacher, and the layer-wise step in which both layers take turns:',
      tex: String.raw`y = F_\star G_\star x + \varepsilon, \qquad x = \Sigma^{1/2} u, \qquad G \leftarrow G - \eta\,(F^\top F + \lambda I)^{-1}\,\nabla_G L\,\Bigl(\tfrac1n X^\top X + \lambda I\Bigr)^{-1}, \qquad F \leftarrow F - \eta\,\nabla_F L\,\Bigl(\tfrac1n Z^\top Z + \lambda I\Bigr)^{-1}`,
    },
    {
      words: 'The subspace distance, for an orthonormal basis of the rows of G:',
      tex: String.raw`\operatorname{dist}(G, G_\star) = \bigl\lVert \widehat G\,(I - G_\star^\top G_\star) \bigr\rVert_2`,
    },
  ],
  ...tunedStudy({
    study: 'fig-transfer',
    cells: transferCells(({ scale }) => methodsAt(scale)),
    labelOf: kappaLabel,
    metrics: [...METRICS.map((m) => m.key), 'population'],
    protocol: ({ scale }) => ({ ...PROTOCOL, methods: methodsAt(scale) }),
    charts,
    claimsOf,
  }),
};
