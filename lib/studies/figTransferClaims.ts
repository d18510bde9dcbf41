/** The paper's claims as fig-transfer can test them. Every rule compares intervals over evaluation seeds. */
import { judge, type Claim, type Measured } from '../figures/index.js';
import { LAYERWISE } from './methods.js';
import type { Final } from './tunedCurves.js';
import { kappaLabel } from './words.js';

const HIGH = ['100', '10000'] as const;
/** Methods without a layer-wise preconditioner. */
const LACKING = ['SGD', 'Adam', 'AMGD', 'Batch-norm + SGD', 'Batch-norm + Adam'];

export function claimsOf(finals: readonly Final[]): Claim[] {
  const at = (method: string, condition: string, metric = 'distance'): Measured => {
    const f = finals.find((x) => x.method === method && x.condition === condition && x.metric === metric);
    if (f === undefined) throw new Error(`fig-transfer: no ${metric} of ${method} at ${condition}`);
    return { label: `${method}, ${kappaLabel(condition)}:`, mean: f.mean, low: f.low, high: f.high };
  };
  const above = (a: Measured, b: Measured): boolean => a.low > b.high;
  const both = (method: string, metric?: string): Measured[] => HIGH.map((c) => at(method, c, metric));
  /** On a log scale, is `x` nearer to SGD's error than to the layer-wise method's? */
  const nearerToSgd = (x: Measured, condition: string): boolean => {
    const middle = Math.sqrt(at('SGD', condition).mean * at(LAYERWISE, condition).mean);
    return x.low > middle;
  };
  const mildly = (method: string, id: string): Claim[] =>
    HIGH.map((c, i) =>
      judge(
        {
          id: `${id}${i + 1}`,
          statement: `${method} mitigates SGD's failure at most mildly at \u03ba = ${c}`,
          rule: "its subspace distance lies above the geometric mean of SGD's and the layer-wise method's (whole interval)",
          measured: [at(method, c), at('SGD', c), at(LAYERWISE, c)],
        },
        nearerToSgd(at(method, c), c),
      ),
    );
  const losses = HIGH.map((c) => finals.filter((f) => f.condition === c && f.metric === 'loss').map((f) => f.mean));
  const worstLoss = losses.map((l) => Math.max(...l) / Math.min(...l));

  return [
    judge(
      {
        id: 'A1',
        statement:
          'Under anisotropic inputs SGD is a suboptimal feature learner: it ends farther from the features than the layer-wise method',
        rule: "SGD's interval of the subspace distance lies above the layer-wise method's at \u03ba = 100 and at 10000",
        measured: [...both('SGD'), ...both(LAYERWISE)],
      },
      HIGH.every((c) => above(at('SGD', c), at(LAYERWISE, c))),
    ),
    judge(
      {
        id: 'A2',
        statement: "It is the anisotropy: SGD's distance grows with the condition number of the inputs",
        rule: "SGD's intervals at \u03ba = 1, 100, 10000 are in ascending order and do not overlap",
        measured: ['1', ...HIGH].map((c) => at('SGD', c)),
      },
      above(at('SGD', '100'), at('SGD', '1')) && above(at('SGD', '10000'), at('SGD', '100')),
    ),
    judge(
      {
        id: 'A3',
        statement: 'The training loss does not show it: all methods end within 20% of each other',
        rule: 'largest over smallest mean training loss is at most 1.2 at \u03ba = 100 and at 10000',
        measured: HIGH.map((c, i) => ({ label: `ratio, \u03ba = ${c}:`, mean: worstLoss[i], low: worstLoss[i], high: worstLoss[i] })),
      },
      worstLoss.every((r) => r <= 1.2),
    ),
    judge(
      {
        id: 'A4',
        statement: "A low training loss is no sign of learned features: Adam's is close to the layer-wise method's, its features are not",
        rule: "at \u03ba = 100 and at 10000 Adam's mean training loss is within 20% of the layer-wise method's, and its interval of the distance lies above",
        measured: [...both('Adam', 'loss'), ...both(LAYERWISE, 'loss'), ...both('Adam'), ...both(LAYERWISE)],
      },
      HIGH.every((c) => at('Adam', c, 'loss').mean <= 1.2 * at(LAYERWISE, c, 'loss').mean && above(at('Adam', c), at(LAYERWISE, c))),
    ),
    judge(
      {
        id: 'B1',
        statement: 'Layer-wise preconditioning removes the problem: it beats every method that lacks it',
        rule: 'its interval of the subspace distance lies below those of SGD, Adam, AMGD and batch-norm with either, at \u03ba = 100 and at 10000',
        measured: [...both(LAYERWISE), ...LACKING.flatMap((m) => both(m))],
      },
      HIGH.every((c) => LACKING.every((m) => above(at(m, c), at(LAYERWISE, c)))),
    ),
    judge(
      {
        id: 'B2',
        statement: 'Better features transfer: with the best new head, the layer-wise method has the lower transfer loss',
        rule: "its interval of the transfer loss lies below SGD's and Adam's at \u03ba = 100 and at 10000",
        measured: [...both(LAYERWISE, 'transfer'), ...both('SGD', 'transfer'), ...both('Adam', 'transfer')],
      },
      HIGH.every((c) => ['SGD', 'Adam'].every((m) => above(at(m, c, 'transfer'), at(LAYERWISE, c, 'transfer')))),
    ),
    judge(
      {
        id: 'B3',
        statement: 'Whitening AMGD (a layer-wise preconditioner too) repairs it as well',
        rule: "its interval of the subspace distance lies below AMGD's at \u03ba = 100 and at 10000",
        measured: [...both('Whitened AMGD'), ...both('AMGD')],
      },
      HIGH.every((c) => above(at('AMGD', c), at('Whitened AMGD', c))),
    ),
    ...mildly('Adam', 'C1.'),
    ...mildly('Batch-norm + SGD', 'C2.'),
    judge(
      {
        id: 'C3',
        statement: 'Batch-norm may hurt generalisation: with it SGD transfers worse',
        rule: "the transfer loss of batch-norm + SGD lies above SGD's at \u03ba = 100 or at 10000 (whole interval)",
        measured: [...both('Batch-norm + SGD', 'transfer'), ...both('SGD', 'transfer')],
      },
      HIGH.some((c) => above(at('Batch-norm + SGD', c, 'transfer'), at('SGD', c, 'transfer'))),
    ),
    judge(
      {
        id: 'D1',
        statement:
          'The full second-order method ends farther from the features than the layer-wise one (damping 0.001; fig-lr searches it)',
        rule: "its interval of the subspace distance lies above the layer-wise method's at \u03ba = 100 and at 10000",
        measured: [...both('Full Gauss-Newton'), ...both(LAYERWISE)],
      },
      HIGH.every((c) => above(at('Full Gauss-Newton', c), at(LAYERWISE, c))),
    ),
  ];
}
