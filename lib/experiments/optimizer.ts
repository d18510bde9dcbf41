/** Optimisers in configurations: a row of the optimisers' table by `name`, a preset, or one made of others. */
import { z } from 'zod';
import { clipped, clippedSchema, grafted, groups, groupsSchema, optimizers, presets, type OptimizerName } from '../optimizers/index.js';
import type { PresetName } from '../optimizers/index.js';
import type { Optimizer } from '../types.js';
import { placedAt } from './placed.js';
import { scheduled, type ScheduleConfig } from './schedule.js';

type Options = Record<string, unknown>;
/** Parsed: presets are written out, so that a preset and its options spelled out are one configuration. */
export type OptimizerConfig = Options & { name: OptimizerName | keyof typeof combined };

const names = Object.keys(optimizers) as OptimizerName[];
const row = (name: OptimizerName) => optimizers[name].schema.extend({ name: z.literal(name) });

const inner = z.lazy((): z.ZodType<OptimizerConfig> => optimizerConfig);
const combined = {
  grafted: z.strictObject({ name: z.literal('grafted'), direction: inner, magnitude: inner }),
  clipped: clippedSchema.extend({ name: z.literal('clipped'), optimizer: inner }),
  groups: z.strictObject({ name: z.literal('groups'), groups: z.array(groupsSchema.element.extend({ optimizer: inner })).min(1) }),
};

const rows = z.discriminatedUnion('name', [...names.map(row), ...Object.values(combined)] as unknown as [ReturnType<typeof row>]);

/** {preset: 'kfac-jax', learningRate: 0.3} is the preset's optimiser with its options, and those given over them. */
function writeOut(config: unknown): unknown {
  if (typeof config !== 'object' || config === null || !('preset' in config)) return config;
  const { preset, ...overrides } = config as Options;
  if (typeof preset !== 'string' || !Object.hasOwn(presets, preset) || 'name' in overrides) return config;
  const { name, options } = presets[preset as PresetName];
  return { name, ...options, ...overrides };
}

export const optimizerConfig = z.preprocess(
  writeOut,
  z
    .unknown()
    .superRefine((config, context) => {
      if (typeof config !== 'object' || config === null || !('preset' in config)) return;
      const { preset } = config as Options;
      const known = typeof preset === 'string' && Object.hasOwn(presets, preset);
      if (known) {
        const message = `a preset has its own method; give preset or name, and options of ${presets[preset as PresetName].name} beside it`;
        context.addIssue({ code: 'custom', path: ['name'], message, input: config, continue: false });
        return;
      }
      const message = `must be one of ${Object.keys(presets).join(', ')}`;
      context.addIssue({ code: 'custom', path: ['preset'], message, input: config, continue: false });
    })
    .pipe(rows),
) as unknown as z.ZodType<OptimizerConfig, Options>;

/** Options with every learning rate under the schedule, also those of a part (Muon's `vectors`). */
function withSchedule(options: Options, schedule: ScheduleConfig, steps: number): Options {
  const under = (rate: number | number[]) =>
    Array.isArray(rate) ? rate.map((r) => scheduled(r, schedule, steps)) : scheduled(rate, schedule, steps);
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => {
      if (key === 'learningRate') return [key, under(value as number | number[])];
      const part = typeof value === 'object' && value !== null && !Array.isArray(value);
      return [key, part ? withSchedule(value as Options, schedule, steps) : value];
    }),
  );
}

/** The optimiser of a parsed configuration, its learning rates under the schedule.
 *  @throws OptionsError, also from its `init`, with keys from the top of the configuration */
export function buildOptimizer(
  config: OptimizerConfig,
  schedule: ScheduleConfig,
  steps: number,
  place: readonly PropertyKey[] = ['optimizer'],
): Optimizer {
  const { name, ...options } = config;
  // What `groups` takes is a list, which has a key of its own here.
  const [at, part] = name === 'groups' ? [[...place, 'groups'], options['groups']] : [place, options];
  const build = (inner: unknown, ...keys: PropertyKey[]): Optimizer =>
    buildOptimizer(inner as OptimizerConfig, schedule, steps, [...place, ...keys]);
  const create = (): Optimizer => {
    switch (name) {
      case 'grafted':
        return grafted({ direction: build(options['direction'], 'direction'), magnitude: build(options['magnitude'], 'magnitude') });
      case 'clipped':
        return clipped({ ...options, optimizer: build(options['optimizer'], 'optimizer') });
      case 'groups':
        return groups(
          (options['groups'] as { layers: number[] | 'rest'; optimizer: unknown }[]).map(({ layers, optimizer }, g) => ({
            layers,
            optimizer: build(optimizer, 'groups', g, 'optimizer'),
          })),
        );
      default: {
        const factory = optimizers[name].create as (o: Options) => Optimizer;
        return factory(withSchedule(options, schedule, steps));
      }
    }
  };
  const optimizer = placedAt(at, part, create, name);
  return { ...optimizer, init: (params) => placedAt(at, part, () => optimizer.init(params), name) };
}
