/** Base of every error this package throws on purpose; `code` is stable and meant for programs. */
export class LayerwiseError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An argument of a call has the wrong type, shape, dtype or range. */
export class ArgumentError extends LayerwiseError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_ARGUMENT', message, options);
  }
}

/** One thing wrong with an options object or a configuration file. */
export interface OptionIssue {
  /** Where, as a dotted path; empty for the object itself. */
  readonly path: string;
  /** The same as keys and indices, where the path leads into a document. */
  readonly keys?: readonly PropertyKey[];
  /** What was found there, as written by `JSON.stringify`. */
  readonly value: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

/** Options or a configuration do not fit their schema; `issues` names every place. */
export class OptionsError extends LayerwiseError {
  readonly issues: readonly OptionIssue[];

  constructor(subject: string, issues: readonly OptionIssue[]) {
    const lines = issues.map(({ path, message }) => `${path === '' ? subject : `${subject}: ${path}`}: ${message}`);
    super('ERR_OPTIONS', [...new Set(lines)].join('\n')); // a number too large is no safe integer either
    this.issues = issues;
  }
}

export type NumericalCode = 'NOT_POSITIVE_DEFINITE' | 'SINGULAR' | 'NOT_CONVERGED' | 'NOT_FINITE';

/** The computation itself failed on these numbers; the message says where and what usually helps. */
export class NumericalError extends LayerwiseError {
  declare readonly code: NumericalCode;

  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the type of code
  constructor(code: NumericalCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** The native library is missing, does not load, or computes wrong results on this machine. */
export class LibraryError extends LayerwiseError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_LIBRARY', message, options);
  }
}

/** A file could not be read or written, or does not hold what it should. */
export class FileError extends LayerwiseError {
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super('ERR_FILE', `${path}: ${message}`, options);
    this.path = path;
  }
}
