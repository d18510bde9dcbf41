/** The table of experiments: configuration in, record out. */
import type { z } from 'zod';
import { ArgumentError, NumericalError, OptionsError } from '../errors.js';
import { dotted, parseOptions } from '../options.js';
import { Training, trainAsync, type TrainAsyncOptions, type TrainOptions } from '../train/index.js';
import type { RunRecord } from '../types.js';
import * as alignment from './alignment.js';
import type { Assembled } from './assembled.js';
import { Interruption, pauseOf, requireComputed, requireMemory } from './computed.js';
import { defineExperiment, type AnyConfig, type Experiment, type InOneGo, type Trained } from './definition.js';
import * as imageClassification from './imageClassification.js';
import * as indexLearning from './indexLearning.js';
import * as linearRepresentation from './linearRepresentation.js';
import * as oneStep from './oneStep.js';
import { placedAt } from './placed.js';
import { probe, secondsOf } from './predict.js';
import { provenance, type Provenance } from './provenance.js';
import * as spectrum from './spectrum.js';

export { provenance, type Provenance } from './provenance.js';
export { gibibytes, memoryText } from './computed.js';
export { defineExperiment, type AnyConfig, type Experiment, type InOneGo, type Trained } from './definition.js';
export { packageVersion } from './version.js';

const builtIn = {
  'linear-representation': { name: 'linear-representation', semantics: 5, ...linearRepresentation },
  'image-classification': { name: 'image-classification', semantics: 3, ...imageClassification },
  alignment: { name: 'alignment', semantics: 1, ...alignment },
  'one-step': { name: 'one-step', semantics: 1, ...oneStep },
  spectrum: { name: 'spectrum', semantics: 2, ...spectrum },
  'index-learning': { name: 'index-learning', semantics: 3, ...indexLearning },
} as const;

/** Experiments of this package, and what configurations of each look like. */
export interface Experiments {
  'linear-representation': { input: z.input<typeof linearRepresentation.schema>; config: linearRepresentation.Config };
  'image-classification': { input: z.input<typeof imageClassification.schema>; config: imageClassification.Config };
  alignment: { input: z.input<typeof alignment.schema>; config: alignment.Config };
  'one-step': { input: z.input<typeof oneStep.schema>; config: oneStep.Config };
  spectrum: { input: z.input<typeof spectrum.schema>; config: spectrum.Config };
  'index-learning': { input: z.input<typeof indexLearning.schema>; config: indexLearning.Config };
}

export type ExperimentName = keyof typeof builtIn;
export const experimentNames = Object.keys(builtIn) as ExperimentName[];

/** A configuration with every default filled in. */
export interface ParsedConfig {
  readonly experiment: string;
  readonly seed: number;
  readonly [key: string]: unknown;
}

const table = new Map<string, Experiment<ParsedConfig>>(Object.entries(builtIn) as unknown as [string, Experiment<ParsedConfig>][]);

/** Makes an experiment of one's own known to this process, under its name.
 *  @throws ArgumentError when it is not one, or the name is another's */
export function registerExperiment<C extends AnyConfig>(own: Experiment<C>): void {
  defineExperiment(own);
  const known = table.get(own.name);
  if (known !== undefined && known !== (own as unknown))
    throw new ArgumentError(`registerExperiment: there is a ${own.name} already; use another name`);
  table.set(own.name, own as unknown as Experiment<ParsedConfig>);
}

function experiment(name: string): Experiment<ParsedConfig> {
  const own = table.get(name);
  if (own === undefined) throw new ArgumentError(`there is no experiment ${name}; there are ${[...table.keys()].join(', ')}`);
  return own;
}

/** Semantics version of an experiment: part of a trial's identity. */
export const semanticsOf = (name: string): number => experiment(name).semantics;

/** A configuration of an experiment to begin with, every default filled in, and something sensible where there is none. */
export const startingPoint = (name: ExperimentName): ParsedConfig => parseConfig(experiment(name).start);

/** Checks a configuration and fills in every default.
 *  @param subject  opens every message: a file name, say
 *  @throws OptionsError naming the field, the value and what is allowed */
export function parseConfig(input: unknown, subject = 'config'): ParsedConfig {
  const name = typeof input === 'object' && input !== null && 'experiment' in input ? input.experiment : 'linear-representation';
  if (typeof name !== 'string' || !table.has(name))
    throw new OptionsError(subject, [
      {
        path: 'experiment',
        keys: ['experiment'],
        value: JSON.stringify(name),
        message: `must be one of ${[...table.keys()].join(', ')}; got ${JSON.stringify(name)}`,
      },
    ]);
  requirePlain(input, [], subject);
  return parseOptions(experiment(name).schema, input, subject);
}

/** Configurations are data: a schedule object would be accepted by an optimiser, and hide what it does from a trial's identity.
 *  @param around  the objects that this one is in */
function requirePlain(value: unknown, keys: readonly PropertyKey[], subject: string, around: readonly unknown[] = []): void {
  const refuse = (at: readonly PropertyKey[], found: string, message: string): never => {
    throw new OptionsError(subject, [{ path: dotted(at), keys: at, value: found, message }]);
  };
  if (typeof value === 'function') refuse(keys.slice(0, -1), 'an object with functions', 'must be plain data; use schedule: {kind: ...}');
  if (typeof value !== 'object' || value === null) return;
  if (around.includes(value)) refuse(keys, 'an object within itself', 'must be plain data; it contains itself');
  for (const key of Object.keys(value))
    requirePlain((value as Record<string, unknown>)[key], [...keys, Array.isArray(value) ? Number(key) : key], subject, [...around, value]);
}

/** Task, network, optimiser and metrics of a parsed configuration, ready for `train`.
 *  @throws ArgumentError for an experiment that trains no network */
export function assemble(config: ParsedConfig): Assembled {
  const own = experiment(config.experiment);
  if ('assemble' in own) return own.assemble(config);
  throw new ArgumentError(`assemble: ${config.experiment} trains no network; use runExperiment`);
}

function partsOf(own: Trained<ParsedConfig>, config: ParsedConfig): { epoch: number | undefined; options: TrainOptions } {
  const { epoch, ...options } = own.assemble(config);
  return { epoch, options };
}

/** Bytes that a parsed configuration needs at its peak, where that is known beforehand; else null. */
export function memoryOf(config: ParsedConfig): number | null {
  const own = experiment(config.experiment);
  return 'memory' in own ? own.memory(config) : null;
}

/** Seconds that a run will take on one core, roughly; a second where its experiment does not say. */
export function predictSeconds(config: ParsedConfig): number {
  const own = experiment(config.experiment);
  return own.work === undefined ? 1 : secondsOf(own.work(config), 'compute' in own);
}

/** Seconds and bytes of a run by a short look at it; null for one that computes in one go.
 *  @throws OptionsError, ArgumentError or FileError when it cannot run */
export function probeRun(config: ParsedConfig, seconds = 0.05): { readonly seconds: number; readonly bytes: number } | null {
  const own = experiment(config.experiment);
  if ('compute' in own) return null;
  const { options } = partsOf(own, config);
  const { secondsAStep, bytes } = probe(() => placedAt(['train'], config['train'], () => new Training(options)), seconds);
  return { seconds: secondsAStep * (options.steps ?? 1), bytes };
}

/** Builds all that a parsed configuration names, and runs nothing: options that fit alone and not together are found here, and what
 *  does not fit into memory.
 *  @throws OptionsError, ArgumentError or FileError */
export function check(config: ParsedConfig): void {
  const own = experiment(config.experiment);
  if ('compute' in own) {
    requireMemory(own.memory(config));
    return;
  }
  const { options } = partsOf(own, config);
  placedAt(['train'], config['train'], () => new Training(options));
}

/** Whether it trains step by step, and so has points at steps of its own; others compute in one go. */
export const trains = (name: string): boolean => 'assemble' in experiment(name);

/** What one experiment leaves behind. */
export interface ExperimentRecord extends RunRecord {
  readonly config: ParsedConfig;
  readonly provenance: Provenance;
}

export type RunOptions = Pick<TrainAsyncOptions, 'resume' | 'signal' | 'onProgress' | 'rungs' | 'atRung'>;

/** Runs one experiment to its end, yielding to the event loop now and then.
 *  @throws OptionsError, ArgumentError or FileError */
export async function runExperiment(config: ParsedConfig, options: RunOptions = {}): Promise<ExperimentRecord> {
  if (!table.has(config.experiment)) throw new ArgumentError('runExperiment: takes a configuration from parseConfig');
  const own = experiment(config.experiment);
  const record = 'compute' in own ? await computed(own, config, options.signal) : await trained(own, config, options);
  return { ...record, config, provenance: provenance() };
}

async function trained(own: Trained<ParsedConfig>, config: ParsedConfig, options: RunOptions): Promise<RunRecord> {
  const { epoch, options: assembled } = partsOf(own, config);
  const record = await trainAsync({ ...assembled, ...options });
  const { steps, timing } = record;
  const secondsAnEpoch = epoch === undefined || steps === 0 ? {} : { secondsAnEpoch: (timing.trainingSeconds / steps) * epoch };
  return { ...record, timing: { ...timing, ...secondsAnEpoch } };
}

async function computed(own: InOneGo<ParsedConfig>, config: ParsedConfig, signal: AbortSignal | undefined): Promise<RunRecord> {
  requireMemory(own.memory(config));
  const started = performance.now();
  const timing = (): RunRecord['timing'] => ({ trainingSeconds: (performance.now() - started) / 1000, at: [] });
  try {
    const { metrics, tables } = requireComputed(own.name, await own.compute(config, pauseOf(signal)));
    const finals = Object.values(metrics).map((curve) => curve.values.at(-1));
    const ended: Pick<RunRecord, 'status' | 'reason'> =
      finals.length > 0 && finals.every(Number.isNaN) ? { status: 'diverged', reason: 'no metric is a number' } : { status: 'done' };
    return { ...ended, steps: 1, metrics, tables, timing: timing() };
  } catch (error) {
    if (error instanceof Interruption) return { status: 'stopped', reason: 'asked to stop', steps: 0, metrics: {}, timing: timing() };
    if (error instanceof NumericalError) return { status: 'failed', reason: error.message, steps: 0, metrics: {}, timing: timing() };
    throw error;
  }
}
