/** Words that a page must show and never obey. */
import type { Sweep } from './stores.js';

export const SCRIPT = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">';
export const QUOTES = `"'\`&amp;<b>\${window.hacked = 3}{{window.hacked = 4}}`;
export const LONG = `${'long '.repeat(2000)}<svg onload="window.hacked = 5">`;
export const HOSTILE = [SCRIPT, QUOTES, LONG];

/** They are the sweep's name, the values of a compared path and of another axis, a metric, a message and a log. */
export function hostileSweep(): Sweep {
  const axes = [
    { path: 'optimizer.name', values: HOSTILE },
    { path: 'optimizer.trick', values: HOSTILE },
  ];
  const made = HOSTILE.flatMap((name, n) =>
    HOSTILE.map((trick, t) => ({
      config: { optimizer: { name, trick } },
      seeds: [0, 1, 2],
      end: (seed: number) =>
        n === 2 && t === 2
          ? { failure: 'error' as const, message: HOSTILE[seed], log: HOSTILE[seed] }
          : { curves: { [SCRIPT]: [3, 2, 1 + n + t + seed], [LONG]: [1, 2, 3] } },
    })),
  );
  return { name: SCRIPT, spec: { axes, objective: { metric: SCRIPT, goal: 'min', at: 'last', per: ['optimizer.name'] } }, made };
}
