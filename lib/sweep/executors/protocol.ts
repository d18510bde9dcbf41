/** What a coordinator and its children say to each other, as structured clones: JSON would lose NaN and the infinities. */
import type { ParsedConfig } from '../../experiments/index.js';
import type { EncodedRecord } from '../store/encode.js';
import type { CheckpointFolder } from './checkpoints.js';

export interface RunMessage {
  readonly kind: 'run';
  readonly row: number;
  readonly id: string;
  readonly config: ParsedConfig;
  readonly rungs?: { readonly metric: string; readonly steps: readonly number[] } | undefined;
  /** Of checkpoints to go on from, and to leave when the trial ends at a rung. */
  readonly checkpoints?: CheckpointFolder | undefined;
}
/** The answer at a rung. */
export interface VerdictMessage {
  readonly kind: 'verdict';
  /** Why the trial ends here; undefined to go on. */
  readonly reason: string | undefined;
}
export type ToChild = RunMessage | VerdictMessage;

export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'started'; readonly row: number }
  | { readonly kind: 'rung'; readonly row: number; readonly step: number; readonly value: number }
  | { readonly kind: 'record'; readonly row: number; readonly started: number; readonly seconds: number; readonly record: EncodedRecord }
  | {
      readonly kind: 'error';
      readonly row: number;
      readonly started: number;
      readonly seconds: number;
      readonly message: string;
      readonly stack: string;
      /** The end of what the trial wrote: through its own pipes it may come after this message. */
      readonly log: string;
    };

/** Of the environment: a JSON list of modules with experiments of one's own. */
export const MODULES = 'LAYERWISE_SWEEP_MODULES';

/** Characters kept of what a trial writes. */
export const LOG = 16_384;
