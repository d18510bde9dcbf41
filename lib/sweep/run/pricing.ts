/** What trials will take before any of them has run: predicted costs, corrected by a short look at the largest of each kind. */
import { check, memoryOf, predictSeconds, probeRun, type ParsedConfig } from '../../experiments/index.js';
import { groupOf } from './progress.js';

export interface Price {
  /** On one core, all trials together. */
  readonly seconds: number;
  /** Bytes that the largest trial's matrices need; null where nothing tells. */
  readonly memory: number | null;
  /** True over predicted seconds, of those looked at. */
  readonly ratio: number;
}

/** Runs looked at, at most. */
const PROBES = 12;

interface Kind {
  cost: number;
  largest: ParsedConfig;
  predicted: number;
}

export class Pricing {
  readonly #kinds = new Map<string, Kind>();

  /** @returns seconds predicted for one of them */
  add(config: ParsedConfig, trials = 1): number {
    const predicted = predictSeconds(config);
    const key = groupOf(config);
    const kind = this.#kinds.get(key);
    const cost = predicted * trials;
    if (kind === undefined) this.#kinds.set(key, { cost, largest: config, predicted });
    else {
      kind.cost += cost;
      if (predicted > kind.predicted) Object.assign(kind, { largest: config, predicted });
    }
    return predicted;
  }

  /** @param within  around every look, to say where a configuration that cannot run comes from
   *  @throws OptionsError, ArgumentError or FileError when one that is looked at cannot run */
  price(within: (config: ParsedConfig, look: () => void) => void = (_, look) => look()): Price {
    let memory: number | null = null;
    // Those that take most are looked at first.
    const seen = [...this.#kinds.values()]
      .sort((a, b) => b.cost - a.cost)
      .map(({ largest, predicted, cost }, i) => {
        const known = memoryOf(largest);
        let ratio = NaN;
        if (i < PROBES)
          within(largest, () => {
            if (known !== null) {
              check(largest);
              return;
            }
            const probed = probeRun(largest);
            if (probed === null) return;
            ratio = probed.seconds / predicted;
            memory = Math.max(memory ?? 0, probed.bytes);
          });
        if (known !== null) memory = Math.max(memory ?? 0, known);
        return { cost, ratio };
      });
    const probed = seen.filter(({ ratio }) => Number.isFinite(ratio));
    const sum = (of: (kind: { cost: number; ratio: number }) => number, kinds = seen): number =>
      kinds.reduce((total, kind) => total + of(kind), 0);
    const ratio = probed.length > 0 ? sum((k) => k.ratio * k.cost, probed) / sum((k) => k.cost, probed) : 1;
    return { seconds: sum((k) => k.cost * (Number.isFinite(k.ratio) ? k.ratio : ratio)), memory, ratio };
  }
}
