/** Configuration files: YAML in, parsed configuration out, every complaint with its line. */
import { LineCounter, parseDocument, isAlias, isMap, isScalar, isSeq, stringify, type Document, type Node } from 'yaml';
import { ArgumentError, OptionsError } from '../errors.js';
import type { ParsedConfig } from '../experiments/index.js';
import { readBytes } from '../files.js';
import { dotted } from '../options.js';
import type { Spec } from '../sweep/index.js';

/** A YAML file as a value, and the way to say what is wrong with it by line. */
interface WrittenFile {
  readonly path: string;
  readonly value: unknown;
  /** Does a part of the work on the value; complaints come with their lines. @param entry  which of a list of optimisers is looked at */
  readonly saying: <T>(entry: number | null, work: () => T) => T;
}

/** @throws FileError; OptionsError naming file, line and column where it is no YAML */
function readYaml(path: string): WrittenFile {
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
  const saying: WrittenFile['saying'] = (entry, work) => withLines(path, document, lines, entry, work);
  return { path, value: saying(null, () => plain(document) ?? {}), saying };
}

/** The specification of a sweep. @throws FileError; OptionsError naming file, line, key, value and what is allowed */
export async function readSpec(path: string): Promise<{ readonly spec: Spec; readonly saying: <T>(work: () => T) => T }> {
  const { parseSpec } = await import('../sweep/index.js');
  const { value, saying } = readYaml(path);
  return { spec: saying(null, () => parseSpec(value, path)), saying: (work) => saying(null, work) };
}

/** The configurations of a file: one, or one for each entry where `optimizer` is a list, all else being shared.
 *  @throws FileError; OptionsError naming file, line, key, value and what is allowed */
export async function readConfigs(path: string): Promise<readonly ParsedConfig[]> {
  const { check, parseConfig } = await import('../experiments/index.js');
  const { value: written, saying } = readYaml(path);
  const parse = (value: unknown, entry: number | null): ParsedConfig =>
    saying(entry, () => {
      const config = parseConfig(value, path);
      check(config);
      return config;
    });
  const list = isRecord(written) ? written['optimizer'] : undefined;
  if (!isRecord(written) || !Array.isArray(list)) return [parse(written, null)];
  if (list.length === 0)
    saying(null, () => {
      const issue = { path: 'optimizer', keys: ['optimizer'], value: '[]', message: 'must be an optimiser, or a list of one or more' };
      throw new OptionsError(path, [issue]);
    });
  return list.map((optimizer: unknown, i) => parse({ ...written, optimizer }, i));
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Runs a part of the work on a document; what is wrong with it is reported with its line.
 *  @param entry  which of the list of optimisers is looked at */
function withLines<T>(path: string, document: Document, lines: LineCounter, entry: number | null, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof ArgumentError)
      throw new OptionsError(path, [
        { path: '', value: '', message: entry === null ? error.message : `${error.message} (with optimizer[${entry}])` },
      ]);
    if (!(error instanceof OptionsError)) throw error;
    throw new OptionsError(
      path,
      error.issues.map((issue) => {
        const { keys } = issue;
        if (keys === undefined) return issue;
        const place = entry !== null && keys[0] === 'optimizer' ? ['optimizer', entry, ...keys.slice(1)] : keys;
        const line = lineOf(document, place, lines);
        const named = place === keys ? issue : { ...issue, path: dotted(place) };
        return line === undefined ? named : { ...named, path: `line ${line}: ${named.path}` };
      }),
    );
  }
}

/** The document's value. @throws ReferenceError (yaml's) for an alias that leads nowhere, or to far too much */
const plain = (document: Document): unknown => document.toJS();

/** The line of a key, or of the innermost part of the path that exists. */
function lineOf(document: Document, keys: readonly PropertyKey[], lines: LineCounter): number | undefined {
  let node: unknown = document.contents;
  let innermost: Node | undefined;
  for (const key of keys) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) break;
      innermost = pair.key as Node;
      node = pair.value;
    } else if (isSeq(node) && typeof key === 'number' && key < node.items.length) {
      node = node.items[key];
      innermost = node as Node;
    } else break;
  }
  const range = innermost?.range;
  return range === null || range === undefined ? undefined : lines.linePos(range[0]).line;
}

/** A configuration as YAML, every default visible; several that differ by their optimisers as one with a list of those. */
export function configText(configs: readonly ParsedConfig[]): string {
  const whole = configs.length === 1 ? configs[0] : { ...configs[0], optimizer: configs.map(({ optimizer }) => optimizer) };
  return stringify(whole, { aliasDuplicateObjects: false });
}
