/** A trial: one experiment with one complete configuration. Its identity is a hash of what decides its result. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { parseConfig, semanticsOf, type ParsedConfig } from '../experiments/index.js';

export interface Trial {
  /** sha256 of the canonical JSON (RFC 8785) of {experiment, config, seed, semantics}, in hexadecimal. */
  readonly id: string;
  readonly config: ParsedConfig;
}

/** @throws OptionsError when the configuration is not valid */
export function trial(config: unknown): Trial {
  const parsed = parseConfig(config);
  const { experiment, seed, ...rest } = parsed;
  const text = canonicalize({ experiment, config: rest, seed, semantics: semanticsOf(experiment) });
  return {
    id: createHash('sha256')
      .update(text ?? '')
      .digest('hex'),
    config: parsed,
  };
}
