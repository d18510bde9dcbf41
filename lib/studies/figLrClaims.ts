/** Claims over learning rates and damping. */
import { judge, type Claim, type Measured } from '../figures/index.js';
import type { RateLine } from './figLr.js';
import { GAUSS_NEWTON, LAYERWISE } from './methods.js';
import type { Summary } from './tuned.js';

/** The best setting of a method over learning rate and damping. */
export interface BestOfMap {
  readonly method: string;
  readonly rate: number;
  readonly damping: number;
  readonly atEdge: boolean;
  readonly distance: Summary;
  /** Shares of all settings: within a factor 2 of the best, and lost. */
  readonly settingsWithin: number;
  readonly settingsLost: number;
}

/** @param atEqualTime  distance of full Gauss-Newton in the seconds that the layer-wise method took */
export function rateClaims(lines: readonly RateLine[], best: readonly BestOfMap[], atEqualTime: Summary): Claim[] {
  const line = (method: string, condition: string): RateLine => lines.find((l) => l.method === method && l.condition === condition)!;
  const leastOf = (method: string, condition: string): Measured => {
    const { best: b, window } = line(method, condition);
    const factor = window.high / window.low;
    const edge = window.atEdge ? ', to the edge of the grid' : '';
    return { label: `${method}, \u03ba = ${condition}, rate ${b.rate} (within twice its best over a factor ${factor}${edge}):`, ...b };
  };
  const conditions = [...new Set(lines.map((l) => l.condition))];
  const [layerwise, gaussNewton] = [LAYERWISE, GAUSS_NEWTON].map((name) => best.find((b) => b.method === name)!);
  const ofMap = ({ method, rate, damping, atEdge, distance }: BestOfMap): Measured => ({
    label: `${method} at rate ${rate}, damping ${damping}${atEdge ? ' (at the edge of the grid)' : ''}:`,
    ...distance,
  });
  const exactly = (label: string, value: number): Measured => ({ label, mean: value, low: value, high: value });
  return [
    judge(
      {
        id: 'A7',
        statement: 'No learning rate lets SGD learn the features that the layer-wise method learns in as many steps',
        rule: "at \u03ba = 100 and 10000 the interval of SGD's distance at the rate that is best for it on these very seeds lies above the layer-wise method's",
        measured: conditions.flatMap((c) => [leastOf('SGD', c), leastOf(LAYERWISE, c)]),
      },
      conditions.every((c) => leastOf('SGD', c).low > leastOf(LAYERWISE, c).high),
    ),
    judge(
      {
        id: 'D2',
        statement:
          'Full Gauss-Newton, at its best learning rate and damping, ends farther from the features than the layer-wise method at its best',
        rule: 'at \u03ba = 100 its interval of the distance after as many steps lies above',
        measured: [ofMap(gaussNewton), ofMap(layerwise)],
      },
      gaussNewton.distance.low > layerwise.distance.high,
    ),
    judge(
      {
        id: 'D3',
        statement: 'So it does by the clock: in the seconds that the layer-wise method takes, it comes less far',
        rule: "at \u03ba = 100 its interval of the distance, in the training seconds of the layer-wise method's runs, lies above",
        measured: [{ label: `${GAUSS_NEWTON}, in equal time:`, ...atEqualTime }, ofMap(layerwise)],
      },
      atEqualTime.low > layerwise.distance.high,
    ),
    judge(
      {
        id: 'D4',
        statement: 'It is the less stable one: fewer settings of learning rate and damping are near its best',
        rule: 'the share of settings within a factor 2 of the best is smaller than that of the layer-wise method on the same grid',
        measured: [gaussNewton, layerwise].flatMap((b) => [
          exactly(`${b.method}, settings within a factor 2:`, b.settingsWithin),
          exactly(`${b.method}, settings lost:`, b.settingsLost),
        ]),
      },
      gaussNewton.settingsWithin < layerwise.settingsWithin,
    ),
  ];
}
