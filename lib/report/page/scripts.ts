/** The two scripts of the page, and the policy under which nothing else runs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { STYLE } from './style.js';

interface Scripts {
  readonly vega: string;
  readonly script: string;
}
let held: Scripts | undefined;

/** Both as they may stand between script tags, read once. */
export const scripts = (): Scripts =>
  (held ??= { vega: inline(vegaPath()), script: inline(new URL('../browser/draw.js', import.meta.url)) });

/** The build that browsers take lies beside the module. */
const vegaPath = (): string => join(dirname(createRequire(import.meta.url).resolve('vega')), 'vega.min.js');

/** A source map would be asked for by its address. */
const inline = (path: string | URL): string =>
  readFileSync(path, 'utf8')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
    .replace(/<\/script/gi, '<\\/script');

/** Nothing is loaded from anywhere, and no script runs but the two that are here: Vega compiles expressions of the specifications, which
 *  hold no words of a store. */
export function policy(live: boolean): string {
  const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const { vega, script } = scripts();
  const parts = [
    "default-src 'none'",
    `script-src ${digest(vega)} ${digest(script)} 'unsafe-eval'`,
    `style-src ${digest(STYLE)}`,
    'img-src data:',
    ...(live ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return parts.join('; ');
}
