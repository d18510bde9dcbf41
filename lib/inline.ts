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

/** The build that browsers take lies beside the module. */
export const vegaScript = (): string => inlineScript(join(dirname(createRequire(import.meta.url).resolve('vega')), 'vega.min.js'));

export interface Policy {
  readonly scripts: readonly string[];
  readonly style: string;
  /** Whether it asks the server that it came from. */
  readonly connects?: boolean;
}

/** Nothing is loaded from anywhere, and no script runs but those that are here: Vega compiles expressions of the specifications, which
 *  hold no words of a store. */
export function policy({ scripts, style, connects = false }: Policy): string {
  const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${scripts.map(digest).join(' ')} 'unsafe-eval'`,
    `style-src ${digest(style)}`,
    'img-src data:',
    ...(connects ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
