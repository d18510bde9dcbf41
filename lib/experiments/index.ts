/** The table of experiments: configuration in, record out. */
import type { z } from 'zod';
import { ArgumentError, OptionsError } from '../errors.js';
import { dotted, parseOptions } from '../options.js';
import { Training, trainAsync, type TrainAsyncOptions, type TrainOptions } from '../train/index.js';
import type { RunRecord } from '../types.js';
import type { Assembled } from './assembled.js';
import * as imageClassification from './imageClassification.js';
import * as linearRepresentation from './linearRepresentation.js';
import { placedAt } from './placed.js';
import { provenance, type Provenance } from './provenance.js';

export { provenance, type Provenance } from './provenance.js';
export { packageVersion } from './version.js';

interface Experiment<C> {
  /** Raised whenever equal configurations begin to give other results, so that stored ones are not taken for new ones. */
  readonly semantics: number;
  readonly schema: z.ZodType<C>;
  readonly assemble: (config: C) => Assembled;
  /** What to begin with. */
  readonly start: unknown;
}

const table = {
  'linear-representation': { semantics: 3, ...linearRepresentation },
  'image-classification': { semantics: 2, ...imageClassification },
};

export type ExperimentName = keyof typeof table;
export const experimentNames = Object.keys(table) as ExperimentName[];

/** A configuration with every default filled in. */
export interface ParsedConfig {
  readonly experiment: ExperimentName;
  readonly seed: number;
  readonly [key: string]: unknown;
}

const experiment = (name: ExperimentName): Experiment<ParsedConfig> => table[name] as unknown as Experiment<ParsedConfig>;

/** Semantics version of an experiment: part of a trial's identity. */
export const semanticsOf = (name: ExperimentName): number => experiment(name).semantics;

/** A configuration of an experiment to begin with, every default filled in, and something sensible where there is none. */
export const startingPoint = (name: ExperimentName): ParsedConfig => parseConfig(experiment(name).start);

/** Checks a configuration and fills in every default.
 *  @param subject  opens every message: a file name, say
 *  @throws OptionsError naming the field, the value and what is allowed */
export function parseConfig(input: unknown, subject = 'config'): ParsedConfig {
  const name = typeof input === 'object' && input !== null && 'experiment' in input ? input.experiment : 'linear-representation';
  if (typeof name !== 'string' || !Object.hasOwn(table, name))
    throw new OptionsError(subject, [
      {
        path: 'experiment',
        keys: ['experiment'],
        value: JSON.stringify(name),
        message: `must be one of ${experimentNames.join(', ')}; got ${JSON.stringify(name)}`,
      },
    ]);
  requirePlain(input, [], subject);
  return parseOptions(experiment(name as ExperimentName).schema, input, subject);
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

/** Task, network, optimiser and metrics of a parsed configuration, ready for `train`. */
export function assemble(config: ParsedConfig): Assembled {
  return experiment(config.experiment).assemble(config);
}

function partsOf(config: ParsedConfig): { epoch: number | undefined; options: TrainOptions } {
  const { epoch, ...options } = assemble(config);
  return { epoch, options };
}

/** Builds all that a parsed configuration names, and runs nothing: options that fit alone and not together are found here.
 *  @throws OptionsError, ArgumentError or FileError */
export function check(config: ParsedConfig): void {
  const { options } = partsOf(config);
  placedAt(['train'], config['train'], () => new Training(options));
}

/** What one experiment leaves behind. */
export interface ExperimentRecord extends RunRecord {
  readonly config: ParsedConfig;
  readonly provenance: Provenance;
}

export type RunOptions = Pick<TrainAsyncOptions, 'resume' | 'signal' | 'onProgress'>;

/** Runs one experiment to its end, yielding to the event loop now and then. */
export async function runExperiment(config: ParsedConfig, options: RunOptions = {}): Promise<ExperimentRecord> {
  if (!Object.hasOwn(table, config.experiment)) throw new ArgumentError('runExperiment: takes a configuration from parseConfig');
  const { epoch, options: assembled } = partsOf(config);
  const record = await trainAsync({ ...assembled, ...options });
  const { steps, timing } = record;
  const secondsAnEpoch = epoch === undefined || steps === 0 ? {} : { secondsAnEpoch: (timing.trainingSeconds / steps) * epoch };
  return { ...record, timing: { ...timing, ...secondsAnEpoch }, config, provenance: provenance() };
}
