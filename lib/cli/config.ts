/** Configuration files: YAML in, parsed configuration out, every complaint with its line. */
import { LineCounter, parseDocument, isMap, isScalar, stringify, type Document } from 'yaml';
import { ArgumentError, OptionsError } from '../errors.js';
import type { ParsedConfig } from '../experiments/index.js';
import { readBytes } from '../files.js';

/** @throws FileError; OptionsError naming file, line, key, value and what is allowed */
export async function readConfig(path: string): Promise<ParsedConfig> {
  const { assemble, parseConfig } = await import('../experiments/index.js');
  const { Training } = await import('../train/index.js');
  const text = new TextDecoder().decode(readBytes(path));
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0)
    throw new OptionsError(
      path,
      document.errors.map((e) => {
        const { line, col } = lines.linePos(e.pos[0]);
        return { path: `line ${line}, column ${col}`, value: '', message: e.message.split('\n')[0].replace(/ at line.*$/, '') };
      }),
    );
  try {
    const config = parseConfig(plain(document) ?? {}, path);
    new Training(assemble(config)); // options that fit alone and not together
    return config;
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof ArgumentError)
      throw new OptionsError(path, [{ path: '', value: '', message: error.message }]);
    if (!(error instanceof OptionsError)) throw error;
    throw new OptionsError(
      path,
      error.issues.map((issue) => {
        const line = issue.keys === undefined ? undefined : lineOf(document, issue.keys, lines);
        return line === undefined ? issue : { ...issue, path: `line ${line}: ${issue.path}` };
      }),
    );
  }
}

/** The document's value. @throws ReferenceError (yaml's) for an alias that leads nowhere, or to far too much */
const plain = (document: Document): unknown => document.toJS();

/** The line of a key, or of the innermost part of the path that exists. */
function lineOf(document: Document, keys: readonly PropertyKey[], lines: LineCounter): number | undefined {
  for (let depth = keys.length; depth > 0; depth--) {
    const parent = document.getIn(keys.slice(0, depth - 1), true) ?? document.contents;
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === keys[depth - 1]) : undefined;
    const range = (pair?.key as { range?: [number, number, number] } | undefined)?.range;
    if (range !== undefined) return lines.linePos(range[0]).line;
  }
  return undefined;
}

/** A configuration as YAML, every default visible. */
export function configText(config: object): string {
  return stringify(config);
}
