/** What objective and pruning ask of the trials, checked as early as it can be: before anything runs, or of the first record. */
import { OptionsError } from '../../errors.js';
import { trains, type ParsedConfig } from '../../experiments/index.js';
import { valueAt } from '../../paths.js';
import { numbersOf, type EncodedRecord } from '../store/encode.js';
import { DEFAULT_COMPARISON, type Spec } from './schema.js';

function refuse(keys: readonly PropertyKey[], value: unknown, message: string): never {
  throw new OptionsError('sweep', [{ path: keys.join('.'), keys, value: JSON.stringify(value), message }]);
}

/** @throws OptionsError where one is needed and there is none */
export function requireObjective({ seeds, objective, pruning }: Spec, tuned: boolean): void {
  if (objective?.per.includes('seed') === true)
    refuse(['objective', 'per'], 'seed', 'settings are compared by their means over seeds; leave it out');
  if (objective !== undefined) return;
  if (tuned)
    refuse(['seeds', 'tuning'], seeds.tuning, 'tuning needs an objective to choose by: objective: { metric: ... }; or evaluate: all');
  if (pruning !== undefined) refuse(['pruning'], pruning.method, 'pruning needs an objective: objective: { metric: ... }');
}

/** Rungs, and the step of the objective, lie on points of the curves: else nothing would ever be ended there, or measured.
 *  @throws OptionsError */
export function requirePoints({ pruning, objective }: Spec, config: ParsedConfig): void {
  if (!trains(config.experiment)) {
    if (pruning !== undefined)
      refuse(['pruning'], pruning.method, `${config.experiment} computes in one go; there is nothing to end early`);
    return;
  }
  const { every, steps } = (config['train'] ?? {}) as { every?: unknown; steps?: unknown };
  if (typeof every !== 'number') return;
  const off = pruning?.rungs.find((step) => step % every !== 0);
  if (off !== undefined)
    refuse(['pruning', 'rungs'], off, `${off} is no point of the curves: it must be a multiple of train.every = ${every}`);
  const at = objective?.at;
  if (typeof at !== 'number') return;
  const end = typeof steps === 'number' ? steps : Infinity;
  const last = end === Infinity ? '' : `, and at most train.steps = ${end}`;
  if ((at % every !== 0 && at !== end) || at > end)
    refuse(['objective', 'at'], at, `${at} is no point of the curves: it must be a multiple of train.every = ${every}${last}`);
}

/** Looks over all configurations for the paths that are compared. */
export class Comparison {
  readonly #wanting: Set<string>;

  constructor({ objective }: Spec) {
    this.#wanting = new Set(objective?.per.filter((path) => !DEFAULT_COMPARISON.includes(path)));
  }

  see(config: ParsedConfig): void {
    for (const path of this.#wanting) if (valueAt(config, path) !== undefined) this.#wanting.delete(path);
  }

  /** @throws OptionsError where no configuration has one of them */
  require(): void {
    for (const path of this.#wanting) refuse(['objective', 'per'], path, `no configuration has '${path}'; name a path that they have`);
  }
}

/** @throws OptionsError where a record that ended well has not what trials are compared by */
export function requireMeasured({ objective, pruning }: Spec, { curves }: EncodedRecord): void {
  const demand = (keys: readonly string[], metric: string | undefined): void => {
    if (metric === undefined || curves.some(({ name }) => name === metric)) return;
    refuse(keys, metric, `the trials do not measure this; they measure ${curves.map(({ name }) => name).join(', ') || 'nothing'}`);
  };
  demand(['objective', 'metric'], objective?.metric);
  demand(['pruning', 'metric'], pruning?.metric);
  if (typeof objective?.at !== 'number') return;
  const steps = numbersOf(curves.find(({ name }) => name === objective.metric)!.steps);
  if (!steps.includes(objective.at))
    refuse(['objective', 'at'], objective.at, `the curves have no point there; they have ${steps.slice(0, 10).join(', ')}`);
}
