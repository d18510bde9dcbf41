import { readFileSync } from 'node:fs';

/** The package's own version. Apart from provenance.ts, which needs the native library. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
