/** Scales and domains of the charts' numbers. */
import type { Scale } from './specs.js';

export type Domain = readonly [low: number, high: number];

/** A ratio of the largest number to the smallest from which a logarithmic scale shows more. */
const WIDE = 20;

/** Logarithmic for positive numbers that lie far apart. Numbers that are not finite do not count. */
export function scaleOf(values: readonly number[]): Scale {
  const [low, high] = extent(values);
  return low > 0 && high / low >= WIDE ? 'log' : 'linear';
}

/** A domain with all finite values inside. @param margin  share of its length added at both ends */
export function domainOf(values: readonly number[], scale: Scale, margin = 0.05): Domain {
  const [low, high] = extent(values);
  if (low > high) return scale === 'log' ? [1, 10] : [0, 1];
  if (scale === 'log') {
    const factor = low === high ? 2 : (high / low) ** margin;
    return [low / factor, high * factor];
  }
  const length = low === high ? (low === 0 ? 1 : Math.abs(low) / 2) : (high - low) * margin;
  return [low - length, high + length];
}

/** [Infinity, -Infinity] where no value is finite. */
function extent(values: readonly number[]): Domain {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values)
    if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return [low, high];
}

/** Five significant digits: more than a chart shows, in fewer bytes. */
export const rounded = (value: number): number => Number(value.toPrecision(5));
