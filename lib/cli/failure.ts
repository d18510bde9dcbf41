import { LayerwiseError, OptionsError } from '../errors.js';

/** 2 for what the user wrote, 1 for work that failed. */
export function exitCodeOf(error: unknown): number {
  return error instanceof OptionsError || error instanceof UsageError ? 2 : 1;
}

/** An argument of the command line that cannot be used. */
export class UsageError extends LayerwiseError {
  constructor(message: string) {
    super('ERR_USAGE', message);
  }
}

/** For people: a stack trace only where the fault is ours. */
export function messageOf(error: unknown): string {
  if (error instanceof LayerwiseError) return `error: ${error.message}`;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: unexpected, please report it with the command you ran\n${detail}`;
}
