/** Scripts that pages hold, and the policy under which nothing else runs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const held = new Map<string, string>();

/** A script as it may stand between script tags, read once. A source map would be asked for by its address. */
export function inlineScript(path: string | URL): string {
  const key = String(path);
  const text =
    held.get(key) ??
    readFileSync(path, 'utf8')
      .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
      .replace(/<\/script/gi, '<\\/script');
  held.set(key, text);
  return text;
}

const resolve = (name: string): string => createRequire(import.meta.url).resolve(name);
/** The build that browsers take lies beside the module; after it the interpreter of its expressions. */
export const vegaScript = (): string => `${inlineScript(join(dirname(resolve('vega')), 'vega.min.js'))}\n${interpreter()}`;

/** With it Vega compiles no expressions, and the page's policy can forbid that any text becomes a script. It comes as a module alone: what it takes
 *  from a sibling is in Vega's build, and what it gives becomes a global. @throws Error where a version of it is written otherwise */
function interpreter(): string {
  const text = inlineScript(resolve('vega-interpreter'));
  const [head, tail] = [/^import (\{[^}]*\}) from 'vega-util';$/m, /^export \{ expression as expressionInterpreter \};$/m];
  if (!head.test(text) || !tail.test(text))
    throw new Error('vega-interpreter is not written as version 2.3.2 is, which pages are made for: install that one');
  return `{\n${text.replace(head, 'const $1 = vega;').replace(tail, 'globalThis.expressionInterpreter = expression;')}\n}`;
}

export interface Policy {
  readonly scripts: readonly string[];
  readonly style: string;
  /** Whether it asks the server that it came from. */
  readonly connects?: boolean;
}

/** Nothing is loaded from anywhere, no script runs but those that are here, and no text becomes one. */
export function policy({ scripts, style, connects = false }: Policy): string {
  const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${scripts.map(digest).join(' ')}`,
    `style-src ${digest(style)}`,
    'img-src data:',
    ...(connects ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
