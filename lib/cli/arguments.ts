/** Parsers of command-line values: each refuses with the value and what is allowed. */
import { InvalidArgumentError } from 'commander';

export const integerIn =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`It must be an integer in [${low}, ${high}].`);
    return value;
  };

/** An option that may be repeated: all its values. */
export const collected = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

export const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (text: string): T => {
    if (!(allowed as readonly string[]).includes(text)) throw new InvalidArgumentError(`Allowed: ${allowed.join(', ')}.`);
    return text as T;
  };
