/** How a trial can end. */

/** With a record, which is kept for good. */
export const RESULT_STATES = ['done', 'diverged', 'failed', 'pruned'] as const;
/** Without one: it threw, took too long, took too much memory, brought its process down, or was lost with its process or machine. It
 *  runs again when the sweep is resumed. */
export const FAILURE_STATES = ['error', 'timeout', 'memory', 'crashed', 'lost'] as const;

export type ResultState = (typeof RESULT_STATES)[number];
export type FailureState = (typeof FAILURE_STATES)[number];
export type TrialState = ResultState | FailureState | 'planned';

export const TRIAL_STATES: readonly TrialState[] = [...RESULT_STATES, ...FAILURE_STATES, 'planned'];

export interface Failure {
  readonly state: FailureState;
  /** One line for people. */
  readonly message: string;
  /** The end of what its process wrote. */
  readonly log: string;
}
