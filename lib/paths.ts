/** Dotted paths into configurations: 'optimizer.learningRate', 'optimizer.groups.0.layers'. */
import { ArgumentError } from './errors.js';

export const valueAt = (config: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined,
      config,
    );

/** A copy with the value there; parts that are not touched are shared, and objects on the way are made.
 *  @throws ArgumentError where the path leads into something that is no object or list */
export function withValue(config: unknown, path: string, value: unknown): unknown {
  const place = (node: unknown, keys: readonly string[]): unknown => {
    if (keys.length === 0) return value;
    const [key, ...rest] = keys;
    if (Array.isArray(node)) {
      const index = Number(key);
      if (!/^\d+$/.test(key) || index >= node.length)
        throw new ArgumentError(`'${path}' leads into a list of ${node.length}, which has no place ${key}`);
      return node.with(index, place(node[index], rest));
    }
    if (node !== undefined && (typeof node !== 'object' || node === null))
      throw new ArgumentError(`'${path}' leads into ${JSON.stringify(node)}, which has no ${key}`);
    const record = (node ?? {}) as Record<string, unknown>;
    return { ...record, [key]: place(Object.hasOwn(record, key) ? record[key] : undefined, rest) };
  };
  return place(config, path.split('.'));
}

/** Every number, word, truth value and list of a configuration by its dotted path, in the order of their keys. */
export function leaves(config: unknown, into: Record<string, unknown> = {}, path = ''): Record<string, unknown> {
  if (typeof config === 'object' && config !== null && !Array.isArray(config))
    for (const [key, value] of Object.entries(config)) leaves(value, into, path === '' ? key : `${path}.${key}`);
  else into[path] = config;
  return into;
}
