/**
 * Strict parsing of options and configurations: unknown keys are refused, defaults are filled in, and an error names
 * the field, the value found and what is allowed. Schemas are zod's, so that the options of an API call and the
 * configuration of an experiment are one definition.
 */
import { z } from 'zod';
import { OptionsError, type OptionIssue } from './errors.js';

/** Parses `input` against `schema`; `subject` opens every message (a function's name, a file). */
export function parseOptions<S extends z.ZodType>(schema: S, input: unknown, subject: string): z.output<S> {
  const result = safeParse(schema, input ?? {});
  if (result.success) return result.data;
  throw new OptionsError(
    subject,
    result.error.issues.flatMap((issue) => describe(issue, input)),
  );
}

/** The schema's own, with the keys that are allowed in the message about one that is not. */
export const safeParse = <S extends z.ZodType>(schema: S, input: unknown): z.ZodSafeParseResult<z.output<S>> =>
  schema.safeParse(input, { error: unknownKey });

function unknownKey({ code, inst }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'unrecognized_keys') return undefined;
  return inst instanceof z.ZodObject ? `unknown key; allowed: ${Object.keys(inst.shape).join(', ')}` : 'unknown key';
}

function describe(issue: z.core.$ZodIssue, input: unknown): OptionIssue[] {
  if (issue.code === 'invalid_union') {
    const found = valueAt(input, issue.path);
    if ('discriminator' in issue && typeof issue.discriminator === 'string') {
      const allowed = 'options' in issue && Array.isArray(issue.options) ? `; allowed: ${issue.options.join(', ')}` : '';
      const path = issue.path.at(-1) === issue.discriminator ? issue.path : [...issue.path, issue.discriminator];
      const value = valueAt(input, path);
      return [
        {
          path: dotted(path),
          keys: path,
          value: written(value),
          message: `${value === undefined ? 'is missing' : `unknown value ${written(value)}`}${allowed}`,
        },
      ];
    }
    // Of the alternatives, the one that got deepest into the value is the one that was meant.
    const branches = [...issue.errors].sort((a, b) => depth(b) - depth(a));
    const best = branches[0];
    if (best !== undefined && depth(best) > 0)
      return best.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] }, input));
    const wanted = [...new Set(issue.errors.flat().map((inner) => phrase(inner, found)))].join(', or ');
    const message = found === undefined ? `is missing; ${wanted}` : `${wanted}; got ${written(found)}`;
    return [{ path: dotted(issue.path), keys: issue.path, value: written(found), message }];
  }
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return { path: dotted(path), keys: path, value: written(valueAt(input, path)), message: issue.message };
    });
  const value = valueAt(input, issue.path);
  const wanted = phrase(issue, value);
  const message = value === undefined && issue.code === 'invalid_type' ? `is missing; ${wanted}` : `${wanted}; got ${written(value)}`;
  return [{ path: dotted(issue.path), keys: issue.path, value: written(value), message }];
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((i) => i.path.length));

/** What a field must be, in words. @param found  what it is */
function phrase(issue: z.core.$ZodIssue, found: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.expected === 'number' && typeof found === 'number') return 'must be a finite number';
      return `must be ${article(issue.expected === 'int' ? 'integer' : issue.expected)}`;
    case 'too_small':
      return `must be ${issue.origin === 'array' || issue.origin === 'string' ? 'of length ' : ''}${issue.inclusive === false ? 'greater than' : 'at least'} ${String(issue.minimum)}`;
    case 'too_big':
      return `must be ${issue.origin === 'array' || issue.origin === 'string' ? 'of length ' : ''}${issue.inclusive === false ? 'less than' : 'at most'} ${String(issue.maximum)}`;
    case 'invalid_value':
      return issue.values.length === 1 ? `must be ${String(issue.values[0])}` : `must be one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

export const dotted = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    input,
  );
}

function written(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function stringify(value: unknown): string {
  try {
    // JSON has no word for undefined, functions and symbols: their type says enough.
    const text: unknown = JSON.stringify(value);
    return typeof text === 'string' ? text : typeof value;
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}

// ---- Field types used by more than one schema. ----

/** A size: an integer of at least 1 that fits the int of BLAS. */
export const size = () =>
  z
    .int()
    .min(1)
    .max(2 ** 31 - 1);
/** A seed or stream id: an integer in [0, 2^53). */
export const seed = () => z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const positive = () => z.number().gt(0);
export const nonNegative = () => z.number().min(0);
/** A decay rate or probability in [0, 1). */
export const fraction = () => z.number().min(0).lt(1);
