/** Claims as slopes: how steps to the features grow with a condition number. */
import { judge, type Claim, type Measured } from '../figures/index.js';
import type { Floor, Slope } from './figCondition.js';
import { LAYERWISE } from './methods.js';

/** A condition's key in words. */
export const labelOf = (key: string): string => key.replace('kappaF', '\u03ba_F =').replace('kappa', '\u03ba =');

const STEEP = 0.5;
const FLAT = 0.1;

export function slopeClaims(slopes: readonly Slope[]): Claim[] {
  const at = (method: string, panel: Slope['panel']): Slope & Measured => {
    const found = slopes.find((s) => s.method === method && s.panel === panel);
    if (found === undefined) throw new Error(`fig-condition: no slope of ${method} against ${panel}`);
    const { decided, censored, runs } = found;
    const bounds =
      censored === 0 ? '' : `, ${censored} of ${runs} runs lower bounds${decided ? '' : ' and too few measured to fit: at least'}`;
    return { ...found, label: `slope of ${method} against ${panel === 'kappa' ? '\u03ba' : '\u03ba_F'}${bounds}:` };
  };
  const ways = [
    { panel: 'kappa', of: "the inputs' covariance" },
    { panel: 'kappaF', of: 'the head F*' },
  ] as const;
  return ways.flatMap(({ panel, of }, i) => [
    judge(
      {
        id: `A${5 + i}`,
        statement: `The steps that SGD needs to learn the features grow with the condition number of ${of}`,
        rule: `the interval of its slope, log steps against log condition number, lies above ${STEEP}; runs that did not get there are lower bounds in the fit`,
        measured: [at('SGD', panel)],
      },
      at('SGD', panel).low > STEEP,
    ),
    judge(
      {
        id: `B${4 + i}`,
        statement: `The layer-wise method's rate is free of the condition number of ${of}`,
        rule: `the interval of its slope lies below ${FLAT}, and every run got there`,
        measured: [at(LAYERWISE, panel)],
      },
      at(LAYERWISE, panel).high < FLAT && at(LAYERWISE, panel).censored === 0,
    ),
    judge(
      {
        id: `C${4 + i}`,
        statement: `Adam and batch-norm do not free SGD of the condition number of ${of}`,
        rule: `the intervals of the slopes of Adam and of batch-norm + SGD lie above that of the layer-wise method`,
        measured: [at('Adam', panel), at('Batch-norm + SGD', panel), at(LAYERWISE, panel)],
      },
      ['Adam', 'Batch-norm + SGD'].every((m) => at(m, panel).low > at(LAYERWISE, panel).high),
    ),
  ]);
}

/** Without it a method could be slow for its noise, and not for the condition number. */
export function floorClaim(floors: readonly Floor[], target: number): Claim {
  const worst = floors.reduce((a, b) => (b.high > a.high ? b : a));
  return judge(
    {
      id: 'T4',
      statement:
        'Noise is no obstacle: at every condition number the layer-wise method settles below the threshold, at the learning rate that is best where nothing is ill-conditioned',
      rule: `the interval of the distance it settles at lies below ${target} at every condition number`,
      measured: [{ ...worst, label: `the highest, ${labelOf(worst.condition)}:` }],
    },
    worst.high < target,
  );
}
