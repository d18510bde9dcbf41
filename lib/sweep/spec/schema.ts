/** The specification of a sweep: one schema for YAML files and for objects of a script. */
import { z } from 'zod';
import { nonNegative, parseOptions, positive, seed, size } from '../../options.js';

/** Keys joined by dots; none that would reach an object's prototype. */
const path = () =>
  z
    .string()
    .regex(/^[^.\s]+(\.[^.\s]+)*$/, "must be a dotted path like 'optimizer.learningRate'")
    .refine(
      (text) => !text.split('.').some((key) => ['__proto__', 'constructor', 'prototype'].includes(key)),
      'has a key that is not allowed',
    );

const plain = z.json();
/** Where it applies: dotted path -> the value there, or a list of values. */
const condition = z.record(path(), plain);

const range = z.strictObject({ from: z.number(), to: z.number(), count: size().max(100_000) });
const interval = z.strictObject({ from: z.number(), to: z.number() });
const ways = {
  /** Each of a list, of any kind of value. */
  values: z.array(plain).min(1),
  /** `count` numbers at equal distances, both ends included. */
  linear: range,
  /** `count` numbers in equal ratios, both ends included; three significant digits. */
  log: range,
  /** Drawn, once each draw of `random`. */
  uniform: interval,
  logUniform: interval,
  choice: z.array(plain).min(1),
} as const;
export const WAYS = Object.keys(ways) as (keyof typeof ways)[];
export const RANDOM_WAYS: readonly string[] = ['uniform', 'logUniform', 'choice'];

const axis = z
  .strictObject({
    /** What of the configuration varies. */
    path: path(),
    ...Object.fromEntries(WAYS.map((way) => [way, ways[way].optional()])),
    /** Numbers are rounded to integers. */
    integer: z.boolean().default(false),
    /** Leaves configurations alone that are not so, as the axes before it made them. */
    when: condition.optional(),
  })
  .superRefine((value, context) => {
    const own = value as unknown as Axis;
    const refuse = (where: string[], message: string): void => {
      context.addIssue({ code: 'custom', path: where, message, input: own });
    };
    const given = WAYS.filter((way) => own[way] !== undefined);
    if (given.length !== 1) {
      refuse([], `takes one of ${WAYS.join(', ')}, got ${given.length === 0 ? 'none' : given.join(' and ')}`);
      return;
    }
    const [way] = given;
    const { from, to } = own[way] as { from?: number; to?: number };
    if (from === undefined || to === undefined) return;
    if ((way === 'log' || way === 'logUniform') && !(from > 0 && to > 0)) refuse([way], 'must go from a positive number to one');
    else if (RANDOM_WAYS.includes(way) && !(from < to)) refuse([way], 'must go from a number to a larger one');
    else if (own.integer && RANDOM_WAYS.includes(way) && Math.ceil(from) > to) refuse([way], 'has no integer between its ends');
  }) as unknown as z.ZodType<Axis>;

type Plain = z.output<typeof plain>;

export interface Axis {
  readonly path: string;
  readonly values?: readonly Plain[];
  readonly linear?: z.output<typeof range>;
  readonly log?: z.output<typeof range>;
  readonly uniform?: z.output<typeof interval>;
  readonly logUniform?: z.output<typeof interval>;
  readonly choice?: readonly Plain[];
  readonly integer: boolean;
  readonly when?: Readonly<Record<string, Plain>>;
}

/** Axes that move together: the first values of all, then the second ones. */
const zip = z.strictObject({ zip: z.array(axis).min(2) });
export type AxisEntry = Axis | { readonly zip: readonly Axis[] };

/** {path: [..]} and {path: {log: ..}} are short for a list of axes. */
const axes = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([key, own]: [string, unknown]) =>
          Array.isArray(own) ? { path: key, values: own as unknown[] } : { path: key, ...(own as object) },
        )
      : value,
  z.array(z.union([zip, axis])),
) as unknown as z.ZodType<readonly AxisEntry[]>;

const seedList = z.union([
  size()
    .max(1_000_000)
    .transform((count) => ({ count })),
  z
    .array(seed())
    .min(1)
    .transform((list) => ({ list })),
]);

/** A count or a list; or tuning and evaluation seeds apart. */
const seeds = z.preprocess(
  (value) => (typeof value === 'number' || Array.isArray(value) ? { evaluation: value as unknown } : value),
  z
    .strictObject({
      /** Settings are compared on these. A count takes seeds from 1,000,000 on. */
      tuning: seedList.optional(),
      /** What is reported. A count takes seeds from 0 on. */
      evaluation: seedList.default({ count: 1 }),
      /** Which settings run on the evaluation seeds: the best of each comparison, where there are tuning seeds, or all. */
      evaluate: z.enum(['best', 'all']).default('best'),
    })
    .transform(({ tuning, evaluation, evaluate }) => ({
      tuning: tuning === undefined ? [] : listOf(tuning, 1_000_000),
      evaluation: listOf(evaluation, 0),
      evaluate,
    }))
    .superRefine((own, context) => {
      const both = own.tuning.find((s) => own.evaluation.includes(s));
      if (both !== undefined)
        context.addIssue({
          code: 'custom',
          path: ['tuning'],
          message: `seed ${both} is an evaluation seed too; keep them apart`,
          input: own.tuning,
        });
    }),
);

const listOf = (from: { count: number } | { list: number[] }, first: number): readonly number[] =>
  'list' in from ? [...new Set(from.list)] : Array.from({ length: from.count }, (_, i) => first + i);

/** Where they have it. */
export const DEFAULT_COMPARISON: readonly string[] = ['optimizer.name'];

export const objectiveSchema = z.strictObject({
  /** Name of a metric of the experiment, or 'loss'. */
  metric: z.string().min(1),
  goal: z.enum(['min', 'max']).default('min'),
  /** Its last value, its best one, or that at a step. */
  at: z.union([z.enum(['last', 'best']), z.int().min(0)]).default('last'),
  /** Paths of what is compared: the best setting is looked for within each combination of their values. */
  per: z.array(path()).default([...DEFAULT_COMPARISON]),
});
export type Objective = z.output<typeof objectiveSchema>;

const pruning = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('median'),
    metric: z.string().min(1).optional(),
    goal: z.enum(['min', 'max']).optional(),
    /** Steps at which a trial worse than the median of those before it there is ended. */
    rungs: z.array(size()).min(1),
    synchronous: z.boolean().default(false),
    /** Trials that must have reached a rung before any is ended there. */
    startup: size().default(5),
  }),
  z.strictObject({
    /** Successive halving without waiting (Li et al. 2020): at each rung the best share of 1 / reduction goes on. */
    method: z.literal('asha'),
    metric: z.string().min(1).optional(),
    goal: z.enum(['min', 'max']).optional(),
    rungs: z.array(size()).min(1),
    /** Wait at each rung until every trial is there: takes longer, and repeats to the byte. Always so on a cluster. */
    synchronous: z.boolean().default(false),
    reduction: z.number().gt(1).default(3),
  }),
]);
export type Pruning = z.output<typeof pruning>;

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, kB: 1e3, MB: 1e6, GB: 1e9 };
/** A number of bytes, or '2 GiB'. */
const bytes = z.union([
  z.number().min(2 ** 20),
  z
    .string()
    .regex(/^[0-9.]+ ?(B|KiB|MiB|GiB|kB|MB|GB)$/, "must be a number of bytes, or like '2 GiB'")
    .transform((text) => parseFloat(text) * BYTES[text.replace(/^[0-9. ]+/, '')])
    .pipe(z.number().min(2 ** 20)),
]);

export const specSchema = z.strictObject({
  name: z.string().min(1).max(100).default('sweep'),
  experiment: z.string().default('linear-representation'),
  /** Modules whose default exports are experiments of one's own (`defineExperiment`), relative to the specification. */
  modules: z.array(z.string().min(1)).default([]),
  /** What all configurations share. */
  base: z.record(z.string(), plain).default({}),
  axes: axes.default([]),
  /** Of the axes that are drawn: how often, for each combination of the others, and from which seed. */
  random: z.strictObject({ draws: size().max(1_000_000), seed: seed().default(0) }).optional(),
  /** Combinations left out: each a dotted path -> value, or list of values, that must all be met. */
  exclude: z.array(condition).default([]),
  seeds: seeds.prefault(1),
  objective: objectiveSchema.optional(),
  pruning: pruning.optional(),
  /** What ends the sweep early, keeping what is done. */
  budget: z
    .strictObject({
      /** Trials run by one command. */
      trials: size().optional(),
      /** Seconds of one command. */
      seconds: positive().optional(),
      /** Seconds of all trials of one command together. */
      trialSeconds: positive().optional(),
    })
    .default({}),
  /** Seconds after which a trial is ended; what timers can count to at most. */
  timeout: positive().max(2_147_483).optional(),
  /** Resident memory above which a trial is ended. */
  memory: bytes.optional(),
  /** How often a trial is run again that was lost with its process or machine; one that fails by itself is not. */
  retries: z.int().min(0).max(100).default(2),
  /** End at the first trial that fails. */
  failFast: z.boolean().default(false),
  slurm: z
    .strictObject({
      /** Options passed to sbatch as they are: ['--partition=long', '--time=60']. */
      options: z.array(z.string().startsWith('--')).default([]),
      /** Predicted seconds of work a task takes; many trials share one. */
      taskSeconds: positive().default(450),
      /** Trials at a time in a task; ask sbatch for as many cores (--cpus-per-task). */
      jobs: size().max(1024).default(1),
      /** Tasks of one array at most; the site's own limit (MaxArraySize) holds too. */
      arraySize: size().optional(),
      /** Lines of the job's script before the trials begin: ['module load nodejs']. */
      prologue: z.array(z.string()).default([]),
      /** Seconds between two looks at the queue and the shards. */
      poll: nonNegative().default(2),
    })
    .prefault({}),
});
/** Parsed: every default filled in. */
export type Spec = z.output<typeof specSchema>;
export type SpecInput = z.input<typeof specSchema>;

/** @param subject  opens every message: a file name, say
 *  @throws OptionsError naming the key, the value and what is allowed */
export function parseSpec(input: unknown, subject = 'sweep'): Spec {
  const spec = parseOptions(specSchema, input, subject);
  return spec;
}
