/** Values of configurations as words, long ones shortened. */
import { canonical } from '../canonical.js';

/** What is shown, and the whole of it for those who point at it. */
export interface Label {
  readonly short: string;
  readonly whole: string;
}

const MOST = 40;

export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? 'none' : canonical(value);

export function shortened(text: string, most = MOST): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** Four significant digits; exponents where there are many zeros. */
export function numberText(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'none' : x > 0 ? 'infinite' : '-infinite';
  const rounded = Number(x.toPrecision(4));
  return x !== 0 && (Math.abs(x) < 1e-4 || Math.abs(x) >= 1e7) ? rounded.toExponential() : String(rounded);
}

/** The last key of a dotted path: 'learningRate' of 'optimizer.learningRate'. */
export const keyOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** 'layerwise' for the first path, 'condition 10' for the others; names alone where a name says it. */
export const placeText = (path: string, value: unknown): string => {
  const key = keyOf(path);
  return key === 'name' ? textOf(value) : `${key} ${textOf(value)}`;
};

/** Labels of distinct texts, distinct too where shortening would make two of them alike. */
export function labelsOf(texts: readonly string[]): Label[] {
  const seen = new Map<string, number>();
  return texts.map((whole) => {
    const short = shortened(whole);
    const before = seen.get(short) ?? 0;
    seen.set(short, before + 1);
    return { short: before === 0 ? short : `${short} (${before + 1})`, whole };
  });
}
