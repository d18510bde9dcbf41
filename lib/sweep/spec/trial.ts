/** A trial: one experiment with one complete configuration. Its identity is a hash of what decides its result. */
import * as crypto from 'node:crypto';
import { parseConfig, semanticsOf, type ParsedConfig } from '../../experiments/index.js';
import { canonical } from '../../canonical.js';

/** A complete configuration but for its seed. */
export interface Setting {
  /** sha256 of the canonical JSON of {config, experiment, semantics}, in hexadecimal. */
  readonly id: string;
  readonly experiment: string;
  readonly semantics: number;
  /** The rest of the configuration as canonical JSON (RFC 8785). */
  readonly text: string;
}

export interface Trial {
  /** sha256 of the canonical JSON (RFC 8785) of {config, experiment, seed, semantics}, in hexadecimal. */
  readonly id: string;
  readonly config: ParsedConfig;
}

const hash = (text: string): string => crypto.hash('sha256', text);
/** The canonical JSON of an object whose other keys come after `config` in the alphabet. */
const identity = (config: string, rest: Readonly<Record<string, unknown>>): string =>
  `{"config":${config},${JSON.stringify(rest).slice(1)}`;

export function settingOf(parsed: ParsedConfig): Setting {
  const { experiment } = parsed;
  const semantics = semanticsOf(experiment);
  const text = canonical({ ...parsed, experiment: undefined, seed: undefined });
  return { id: settingId({ experiment, semantics, text }), experiment, semantics, text };
}

export const settingId = ({ experiment, semantics, text }: Omit<Setting, 'id'>): string => hash(identity(text, { experiment, semantics }));

/** Identity of a setting's trial with a seed. */
export const trialId = ({ experiment, semantics, text }: Omit<Setting, 'id'>, seed: number): string =>
  hash(identity(text, { experiment, seed, semantics }));

/** The configuration that a setting has with a seed. */
export const configOf = ({ experiment, text }: Pick<Setting, 'experiment' | 'text'>, seed: number): ParsedConfig => ({
  experiment,
  seed,
  ...(JSON.parse(text) as object),
});

/** @throws OptionsError when the configuration is not valid */
export function trial(config: unknown): Trial {
  const parsed = parseConfig(config);
  return { id: trialId(settingOf(parsed), parsed.seed), config: parsed };
}
