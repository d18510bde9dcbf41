/** From a specification to the trials it needs: all at once, or settings on tuning seeds first and the best ones on evaluation seeds. */
import { canonical } from '../../canonical.js';
import { ArgumentError } from '../../errors.js';
import { parseConfig, predictSeconds, type ParsedConfig } from '../../experiments/index.js';
import { valueAt } from '../../paths.js';
import { Comparison, requireObjective, requirePoints } from '../spec/demands.js';
import { configurations, pathsOf, placed } from '../spec/space.js';
import type { Spec } from '../spec/schema.js';
import { settingOf, type Setting } from '../spec/trial.js';
import { worst } from '../store/best.js';
import type { Planned, Role } from '../store/plans.js';
import type { Store } from '../store/store.js';
import { Pricing } from './pricing.js';

interface Chosen {
  readonly setting: Setting;
  readonly config: ParsedConfig;
}

/** Distinct settings in the order of the axes. @throws OptionsError naming the combination that is wrong */
export function* settingsOf(spec: Spec): Generator<Chosen> {
  requireObjective(spec, inStages(spec));
  const comparison = new Comparison(spec);
  const paths = pathsOf(spec.axes);
  const [seed] = [...spec.seeds.tuning, ...spec.seeds.evaluation];
  const seen = new Set<string>();
  for (const written of configurations(spec)) {
    const config = placed(written, paths, () => {
      const parsed = parseConfig({ ...written, seed }, 'sweep');
      requirePoints(spec, parsed);
      return parsed;
    });
    const setting = settingOf(config);
    if (seen.has(setting.id)) continue;
    seen.add(setting.id);
    comparison.see(config);
    yield { setting, config };
  }
  if (seen.size === 0) throw new ArgumentError('sweep: every combination is excluded; there is nothing to run');
  comparison.require();
}

/** Whether settings are chosen on tuning seeds before the chosen ones run on the evaluation seeds. */
export const inStages = ({ seeds }: Spec): boolean => seeds.tuning.length > 0 && seeds.evaluate === 'best';

/** What can be planned before anything has run. */
export function* firstStage(spec: Spec): Generator<Planned> {
  const { tuning, evaluation } = spec.seeds;
  for (const { setting, config } of settingsOf(spec)) {
    const cost = predictSeconds(config);
    const planned = (role: Role) => (seed: number) => ({ setting, seed, role, cost });
    yield* tuning.map(planned('tuning'));
    if (!inStages(spec)) yield* evaluation.map(planned('evaluation'));
  }
}

/** The best setting of each comparison on the evaluation seeds, once tuning is over; none of a comparison where no trial ended well. */
export function secondStage(spec: Spec, store: Store, sweep: number): Planned[] {
  const { evaluation } = spec.seeds;
  const ended = store.best(spec.objective!, { sweep, role: 'tuning' }).filter(({ score }) => score !== worst(spec.objective!));
  return ended.flatMap(({ config }) => {
    const setting = settingOf(config);
    return evaluation.map((seed): Planned => ({ setting, seed, role: 'evaluation', cost: predictSeconds(config) }));
  });
}

/** Canonical JSON of what decides a plan: a sweep with another timeout is the same sweep. */
export function identityOf({ experiment, modules, base, axes, random, exclude, seeds, objective }: Spec): string {
  return canonical({ experiment, modules, base, axes, random, exclude, seeds, objective });
}

export interface Forecasted {
  readonly name: string;
  readonly settings: number;
  readonly trials: number;
  /** Trials of the second stage, which follow the first: at most one setting for every comparison that there is. */
  readonly later: number;
  /** Predicted seconds on one core, all trials together. */
  readonly seconds: number;
  /** Bytes that the largest trial's matrices need; null where nothing tells. */
  readonly memory: number | null;
}

/** What a sweep will take: every setting is parsed, and a few of each kind are looked at for a moment.
 *  @throws OptionsError when a setting is wrong, or one that was looked at cannot run */
export function forecast(spec: Spec): Forecasted {
  const { tuning, evaluation } = spec.seeds;
  const both = inStages(spec);
  const first = tuning.length + (both ? 0 : evaluation.length);
  const pricing = new Pricing();
  const comparisons = new Map<string, number>();
  let settings = 0;
  for (const { config } of settingsOf(spec)) {
    settings++;
    const cost = pricing.add(config, first);
    if (!both) continue;
    const comparison = comparisonOf(spec, config);
    comparisons.set(comparison, Math.max(comparisons.get(comparison) ?? 0, cost));
  }
  const paths = pathsOf(spec.axes);
  const { seconds, memory, ratio } = pricing.price((config, look) => placed(config, paths, look));
  const later = comparisons.size * evaluation.length;
  const laterSeconds = [...comparisons.values()].reduce((a, b) => a + b, 0) * evaluation.length * ratio;
  return { name: spec.name, settings, trials: settings * first, later, seconds: seconds + laterSeconds, memory };
}

const comparisonOf = ({ objective }: Spec, config: ParsedConfig): string =>
  canonical(objective!.per.map((path) => valueAt(config, path) ?? null));
