/** Experiments of one's own: modules whose default export is one (`defineExperiment`), or a list of them. */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ArgumentError, FileError, LayerwiseError } from '../errors.js';
import { registerExperiment, type AnyConfig, type Experiment } from '../experiments/index.js';

/** Addresses of a specification's modules. @param folder  what relative paths are relative to */
export const moduleAddresses = (modules: readonly string[], folder: string): string[] =>
  modules.map((path) => (/^(file|node|data):/.test(path) ? path : pathToFileURL(isAbsolute(path) ? path : resolve(folder, path)).href));

/** Makes them known to this process. @throws FileError when one cannot be loaded; ArgumentError when its export is no experiment */
export async function loadExperiments(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    let loaded: { default?: unknown };
    try {
      loaded = (await import(address)) as { default?: unknown };
    } catch (cause) {
      if (cause instanceof LayerwiseError) throw cause;
      throw new FileError(address, `this module of experiments cannot be loaded: ${(cause as Error).message}`, { cause });
    }
    const own = loaded.default;
    if (own === undefined)
      throw new ArgumentError(`${address}: this module has no default export; export default defineExperiment({ ... })`);
    for (const one of Array.isArray(own) ? own : [own]) registerExperiment(one as Experiment<AnyConfig>);
  }
}
