/** From axes to configurations: their product, in the order of the axes, the last one fastest. */
import { canonical } from '../../canonical.js';
import { ArgumentError, OptionsError } from '../../errors.js';
import { Stream } from '../../random/index.js';
import { valueAt, withValue } from '../../paths.js';
import { RANDOM_WAYS, WAYS, type Axis, type AxisEntry, type Spec } from './schema.js';

/** Settings a specification may have: more is a slip of the pen. */
export const MOST_SETTINGS = 10_000_000;

type Space = Pick<Spec, 'experiment' | 'base' | 'axes' | 'random' | 'exclude'>;

/** Every configuration of the space as written, without a seed. Those that conditions make equal come more than once.
 *  @throws OptionsError when the axes do not fit each other */
export function* configurations({ experiment, base, axes, random, exclude }: Space): Generator<Readonly<Record<string, unknown>>> {
  const fields = axes.map((entry) => ('zip' in entry ? entry.zip : [entry]));
  requireFit({ axes, random, base }, fields);
  const conditions = exclude.map(asCondition);
  const root = random === undefined ? undefined : new Stream(random.seed).substream('random axes');
  const grids = fields.map((together) => together.map((axis) => (isRandom(axis) ? undefined : gridOf(axis))));
  const streams = fields.map((together) => together.map((axis) => root?.substream(nameOf(axis))));
  const whens = fields.map((together) => together.map(({ when }) => (when === undefined ? undefined : asCondition(when))));
  const draws = random?.draws ?? 1;

  function* product(at: number, config: unknown, draw: number): Generator<Readonly<Record<string, unknown>>, void> {
    if (at === fields.length) {
      if (!conditions.some((met) => met(config))) yield config as Readonly<Record<string, unknown>>;
      return;
    }
    const applies = fields[at].map((_, j) => whens[at][j]?.(config) ?? true);
    if (!applies.includes(true)) {
      yield* product(at + 1, config, draw);
      return;
    }
    const count = grids[at][0]?.length ?? 1;
    for (let i = 0; i < count; i++) {
      let next = config;
      fields[at].forEach((axis, j) => {
        if (applies[j]) next = withValue(next, axis.path, grids[at][j]?.[i] ?? drawn(axis, streams[at][j]!, draw));
      });
      yield* product(at + 1, next, draw);
    }
  }
  for (let draw = 0; draw < draws; draw++) yield* product(0, { ...base, experiment }, draw);
}

/** Of the stream, for each draw. */
const DRAW_BITS = 128;

const wayOf = (axis: Axis) => WAYS.find((way) => axis[way] !== undefined)!;
const isRandom = (axis: Axis): boolean => RANDOM_WAYS.includes(wayOf(axis));

function gridOf({ values, linear, log, integer }: Axis): readonly unknown[] {
  if (values !== undefined) return values;
  const { from, to, count } = (linear ?? log)!;
  const at = (share: number): number => (linear === undefined ? geometric(from, to, share) : from + (to - from) * share);
  const exact = Array.from({ length: count }, (_, i) => (i === 0 ? from : i === count - 1 ? to : at(i / (count - 1))));
  if (integer) return [...new Set(exact.map(Math.round))];
  // As few digits as tell them apart, three at least: 0.0464 is what people write.
  for (let digits = linear === undefined ? 3 : 12; digits < 17; digits++) {
    const rounded = exact.map((x, i) => (i === 0 || i === count - 1 ? x : Number(x.toPrecision(digits))));
    if (new Set(rounded).size === new Set(exact).size && rounded.every((x) => within(x, from, to))) return rounded;
  }
  return exact;
}

/** Without forming to / from, which may be out of range. */
const geometric = (from: number, to: number, share: number): number => Math.exp(Math.log(from) * (1 - share) + Math.log(to) * share);
const within = (x: number, from: number, to: number): boolean => x >= Math.min(from, to) && x <= Math.max(from, to);

const nameOf = ({ path, when }: Axis): string => `${path} ${canonical(when ?? null) ?? ''}`;

/** A draw depends on the seed, the axis and its number alone: axes that come and go leave those of the others. */
function drawn({ uniform, logUniform, choice, integer }: Axis, stream: Stream, draw: number): unknown {
  stream.seek(DRAW_BITS * draw);
  const [u] = stream.uniform(new Float64Array(1));
  if (choice !== undefined) return choice[Math.floor(u * choice.length)];
  const { from, to } = (uniform ?? logUniform)!;
  const x = uniform === undefined ? geometric(from, to, u) : from * (1 - u) + to * u;
  const rounded = integer ? Math.round(x) : Number(x.toPrecision(6));
  return integer ? Math.min(Math.max(rounded, Math.ceil(from)), Math.floor(to)) : Math.min(Math.max(rounded, from), to);
}

/** Whether every path has its value, or one of a list of them. */
function asCondition(written: Readonly<Record<string, unknown>>): (config: unknown) => boolean {
  const parts = Object.entries(written).map(([path, value]) => {
    const allowed = new Set((Array.isArray(value) ? (value as unknown[]) : [value]).map(canonical));
    if (Array.isArray(value)) allowed.add(canonical(value));
    return [path, allowed] as const;
  });
  return (config) => parts.every(([path, allowed]) => allowed.has(canonical(valueAt(config, path) ?? null)));
}

/** @throws OptionsError */
function requireFit({ axes, random, base }: Pick<Spec, 'axes' | 'random' | 'base'>, fields: readonly (readonly Axis[])[]): void {
  const refuse = (keys: readonly PropertyKey[], message: string): never => {
    throw new OptionsError('sweep', [{ path: keys.join('.'), keys, value: '', message }]);
  };
  for (const key of ['experiment', 'seed'])
    if (Object.hasOwn(base, key))
      refuse(['base', key], key === 'seed' ? 'seeds are given under seeds' : 'the experiment is given under experiment');
  let most = random?.draws ?? 1;
  const before: string[] = [];
  fields.forEach((together, a) => {
    const lengths = together.map((axis) => (isRandom(axis) ? null : gridOf(axis).length));
    if (new Set(lengths).size > 1)
      refuse(
        ['axes', a, 'zip'],
        `axes that move together must have as many values each, got ${lengths.map((n) => n ?? 'drawn ones').join(', ')}`,
      );
    if (lengths[0] === null && random === undefined) refuse(['axes', a], 'is drawn; say how often under random: { draws: 20, seed: 0 }');
    most *= lengths[0] ?? 1;
    together.forEach(({ path }, j) => {
      const keys = ['axes', a, ...('zip' in axes[a] ? ['zip', j] : [])];
      if (['seed', 'experiment'].includes(path.split('.')[0]))
        refuse(keys, `${path} is no axis; seeds are given under seeds, the experiment under experiment`);
      const later = before.find((known) => known.startsWith(`${path}.`));
      if (later !== undefined) refuse(keys, `${path} would overwrite ${later}, an axis before it; put it first`);
      before.push(path);
    });
  });
  if (random !== undefined && !fields.flat().some(isRandom))
    refuse(['random'], 'no axis is drawn; leave random out, or give an axis uniform, logUniform or choice');
  if (most > MOST_SETTINGS) refuse(['axes'], `the axes have ${most} combinations; at most ${MOST_SETTINGS} are allowed`);
}

/** Paths that vary, each once, in the order of the axes. */
export const pathsOf = (axes: readonly AxisEntry[]): string[] => [
  ...new Set(axes.flatMap((entry) => ('zip' in entry ? entry.zip : [entry])).map(({ path }) => path)),
];

/** Says which configuration of the space is wrong where a complaint is about one. */
export function placed<T>(config: unknown, paths: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    const where = paths.map((path) => [path, valueAt(config, path)] as const).filter(([, v]) => v !== undefined);
    const at = where.length === 0 ? '' : ` (with ${where.map(([path, v]) => `${path} = ${JSON.stringify(v)}`).join(', ')})`;
    if (error instanceof OptionsError)
      throw new OptionsError(
        'sweep',
        error.issues.map((issue) => ({ ...issue, keys: ['base', ...(issue.keys ?? [])], message: `${issue.message}${at}` })),
      );
    if (error instanceof ArgumentError) throw new ArgumentError(`${error.message}${at}`, { cause: error });
    throw error;
  }
}
